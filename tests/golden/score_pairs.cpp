// Scores made signals for compare_metrics.py: a development program, not part of the test suite.
//
// Reads lines "RATE_HZ <tab> CLEAN <tab> ESTIMATE" from the standard input, the names of raw files
// of 32-bit floats, whose lengths may differ. Writes one JSON object a line: each metric's value,
// or what its DataError says.

#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "limbeck/core/error.h"
#include "metric/composite.h"
#include "metric/pesq.h"
#include "metric/segmental_snr.h"
#include "metric/si_sdr.h"
#include "metric/stoi.h"

namespace {

using namespace limbeck::metric;

std::vector<float> read_raw(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::vector<float> samples(static_cast<std::size_t>(file.tellg()) / sizeof(float));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(samples.data()),
            static_cast<std::streamsize>(samples.size() * sizeof(float)));
  if (!file) throw limbeck::DataError(path + ": cannot be read");
  return samples;
}

template <class Score>
nlohmann::json value_or_message(const Score& score) {
  try {
    return score();
  } catch (const limbeck::DataError& error) {
    return error.what();
  }
}

nlohmann::json scores_of(int rate_hz, const std::vector<float>& clean,
                         const std::vector<float>& estimate) {
  nlohmann::json scores;
  const auto put = [&](const char* name, const auto& score) {
    scores[name] = value_or_message(score);
  };
  // Each mode and score alone, so that one without a score does not hide the other.
  put("pesq_nb", [&] {
    return pesq_scores(clean, estimate, rate_hz, PesqMode::narrowband).narrowband->mos_lqo;
  });
  put("pesq_wb",
      [&] { return pesq_scores(clean, estimate, rate_hz, PesqMode::wideband).wideband->mos_lqo; });
  put("stoi", [&] { return stoi_scores(clean, estimate, rate_hz).stoi; });
  put("estoi", [&] { return stoi_scores(clean, estimate, rate_hz).estoi; });
  put("si_sdr", [&] { return si_sdr(clean, estimate); });
  put("ssnr", [&] { return segmental_snr(clean, estimate, rate_hz); });
  put("llr", [&] { return spectral_distances(clean, estimate, rate_hz).llr; });
  put("wss", [&] { return spectral_distances(clean, estimate, rate_hz).wss; });
  return scores;
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream fields(line);
    std::string rate, clean, estimate;
    std::getline(fields, rate, '\t');
    std::getline(fields, clean, '\t');
    std::getline(fields, estimate, '\t');
    std::cout << scores_of(std::stoi(rate), read_raw(clean), read_raw(estimate)).dump()
              << std::endl;
  }
}
