// Any pair of signals gives finite numbers in range or a DataError; LIMBECK_FUZZ_PAIRS pairs.

#include <algorithm>
#include <limits>

#include "limbeck/core/error.h"
#include "metric/composite.h"
#include "metric/pesq.h"
#include "metric/segmental_snr.h"
#include "metric/si_sdr.h"
#include "metric/stoi.h"
#include "metric/support.h"

namespace limbeck::metric::test {
namespace {

std::vector<float> random_length_signal(Random& random, int rate_hz) {
  const auto length = static_cast<std::size_t>(random.uniform() * random.uniform() * 5 * rate_hz);
  const double seconds = static_cast<double>(length) / rate_hz;
  const std::uint64_t seed = 1 + static_cast<std::uint64_t>(random.below(1 << 20));
  switch (random.below(6)) {
    case 0:
      return white_noise(length, 0.1f, seed);
    case 1:
      return std::vector<float>(length, random.noise());  // DC
    case 2:
      return std::vector<float>(length, 0.0f);
    case 3: {
      std::vector<float> click(length, 0.0f);
      if (!click.empty())
        click[static_cast<std::size_t>(random.below(static_cast<int>(length)))] = 1;
      return click;
    }
    default:
      return synthetic_speech(seconds, rate_hz, seed);
  }
}

void distort(Random& random, std::vector<float>& signal) {
  if (signal.empty()) return;
  const auto size = static_cast<int>(signal.size());
  switch (random.below(10)) {
    case 0:
      signal[static_cast<std::size_t>(random.below(size))] =
          random.below(2) == 0 ? std::nanf("") : std::numeric_limits<float>::infinity();
      break;
    case 1:
      for (float& x : signal) x = std::clamp(x, -0.01f, 0.01f);
      break;
    case 2:
      for (float& x : signal) x += 0.5f;
      break;
    case 3: {  // from denormal numbers to the edge of overflow
      const auto gain = static_cast<float>(std::pow(10.0, -44.0 + 80.0 * random.uniform()));
      for (float& x : signal) x *= gain;
      break;
    }
    case 4: {
      const int first = random.below(size);
      std::fill(signal.begin() + first, signal.begin() + first + random.below(size - first), 0.0f);
      break;
    }
    case 5:
      signal = delayed(signal, static_cast<std::size_t>(random.below(size)));
      break;
    case 6:
      signal = mixed(signal, 0.3f, 9);
      break;
    default:
      break;
  }
}

template <typename Score>
void expect_number_or_data_error(double low, double high, const Score& score) {
  try {
    for (const double value : score()) {
      EXPECT_GE(value, low);
      EXPECT_LE(value, high);
    }
  } catch (const DataError& error) {
    EXPECT_STRNE(error.what(), "");
  }
}

TEST(MetricFuzz, RandomPairs) {
  const char* count_text = std::getenv("LIMBECK_FUZZ_PAIRS");
  const int count = count_text != nullptr ? std::atoi(count_text) : 500;
  using Values = std::vector<double>;
  for (int pair = 0; pair < count; ++pair) {
    SCOPED_TRACE(pair);
    Random random(static_cast<std::uint64_t>(pair) + 1);
    const int rate = random.below(4) == 0 ? 8000 : 16000;
    auto clean = random_length_signal(random, rate);
    auto estimate = random.below(3) == 0 ? random_length_signal(random, rate) : clean;
    distort(random, clean);
    distort(random, estimate);
    const auto mode = rate == 8000 ? PesqMode::narrowband : PesqMode::both;
    expect_number_or_data_error(0.999, 4.999, [&] {
      const PesqScores s = pesq_scores(clean, estimate, rate, mode);
      return Values{s.narrowband->mos_lqo, s.wideband.value_or(PesqScore{0, 1}).mos_lqo};
    });
    expect_number_or_data_error(-1.001, 1.001, [&] {
      const StoiScores s = stoi_scores(clean, estimate, rate);
      return Values{s.stoi, s.estoi};
    });
    expect_number_or_data_error(-157, 157, [&] { return Values{si_sdr(clean, estimate)}; });
    expect_number_or_data_error(-10, 35,
                                [&] { return Values{segmental_snr(clean, estimate, rate)}; });
    expect_number_or_data_error(1, 5, [&] {
      const auto s = composite_scores(spectral_distances(clean, estimate, rate), 0.0, 2.0);
      return Values{s.signal, s.background, s.overall};
    });
  }
}

}  // namespace
}  // namespace limbeck::metric::test
