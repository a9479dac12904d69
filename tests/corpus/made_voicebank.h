#pragma once

// A small corpus laid out as VoiceBank-DEMAND is distributed, in memory until it is written, so
// that a test can break any part of it.

#include <zip.h>

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "data/support.h"

namespace limbeck::test {

/// Name in the archive → contents.
using Members = std::vector<std::pair<std::string, std::string>>;

inline void put_zip(const std::filesystem::path& path, const Members& members) {
  std::filesystem::create_directories(path.parent_path());
  int code = 0;
  zip_t* archive = ::zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  if (archive == nullptr) throw std::runtime_error("zip_open " + path.string());
  for (const auto& [name, contents] : members) {
    zip_source_t* source = ::zip_source_buffer(archive, contents.data(), contents.size(), 0);
    if (::zip_file_add(archive, name.c_str(), source, ZIP_FL_ENC_UTF_8) < 0) {
      throw std::runtime_error("zip_file_add " + name);
    }
  }
  if (::zip_close(archive) != 0) throw std::runtime_error("zip_close " + path.string());
}

inline std::string wav_bytes(const std::vector<float>& samples, int rate_hz = 48000) {
  const TempDir dir;
  put_audio(dir / "a.wav", samples, rate_hz);
  return read_file(dir / "a.wav");
}

struct MadeVoiceBank {
  std::map<std::string, std::map<std::string, std::string>> folders;  ///< folder → file → bytes
  std::map<std::string, std::string> logs;                            ///< file → text

  static constexpr char kCleanTrain[] = "clean_trainset_28spk_wav";
  static constexpr char kNoisyTrain[] = "noisy_trainset_28spk_wav";
  static constexpr char kCleanTest[] = "clean_testset_wav";
  static constexpr char kNoisyTest[] = "noisy_testset_wav";

  /// Two pairs each of p226 and p287 (valid), p227 and p286 (train), p232 and p257 (test).
  MadeVoiceBank() {
    for (const std::string speaker : {"p226", "p227", "p286", "p287", "p232", "p257"}) {
      for (const char* number : {"_001", "_023"}) add(speaker + number);
    }
  }

  static bool is_test(const std::string& name) {
    return name.starts_with("p232") || name.starts_with("p257");
  }

  /// A tone of its own, and noise on it at an SNR that the log names.
  void add(const std::string& name) {
    const uint64_t seed = ++added_;
    const int64_t count = 9000 + 301 * static_cast<int64_t>(seed);
    const auto clean = sine(count, tone_hz(seed), 0.2, 48000);
    auto noisy = white(count, seed, 0.05);
    for (size_t i = 0; i < noisy.size(); ++i) noisy[i] += clean[i];
    put(name, wav_bytes(clean), wav_bytes(noisy));
    const bool test = is_test(name);
    logs[test ? "log_testset.txt" : "log_trainset_28spk.txt"] +=
        name + (test ? " bus 7.5\n" : " babble 10\n");
  }

  void put(const std::string& name, const std::string& clean, const std::string& noisy) {
    folders[is_test(name) ? kCleanTest : kCleanTrain][name + ".wav"] = clean;
    folders[is_test(name) ? kNoisyTest : kNoisyTrain][name + ".wav"] = noisy;
  }

  std::string& clean(const std::string& name) {
    return folders[is_test(name) ? kCleanTest : kCleanTrain].at(name + ".wav");
  }
  std::string& noisy(const std::string& name) {
    return folders[is_test(name) ? kNoisyTest : kNoisyTrain].at(name + ".wav");
  }

  static double tone_hz(uint64_t seed) { return 300 + 170 * static_cast<double>(seed); }

  void write_zips(const std::filesystem::path& source) const {
    std::filesystem::create_directories(source);
    for (const auto& [folder, files] : folders) {
      Members members;
      for (const auto& [name, bytes] : files) {
        members.emplace_back(folder + "/" + name, bytes);
        members.emplace_back("__MACOSX/" + folder + "/._" + name, "a Mac's shadow of the file");
      }
      put_zip(source / (folder + ".zip"), members);
    }
    if (!logs.empty()) put_zip(source / "logfiles.zip", {logs.begin(), logs.end()});
  }

  void write_folders(const std::filesystem::path& source) const {
    std::filesystem::remove_all(source);
    std::filesystem::create_directories(source);
    for (const auto& [folder, files] : folders) {
      for (const auto& [name, bytes] : files) put_text(source / folder / name, bytes);
    }
    for (const auto& [name, text] : logs) put_text(source / name, text);
  }

 private:
  uint64_t added_ = 0;
};

}  // namespace limbeck::test
