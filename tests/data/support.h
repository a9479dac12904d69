#pragma once

// What tests of audio and data share: a scratch folder, made signals, the recordings beside the
// checkout.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <optional>
#include <string>
#include <vector>

#include "limbeck/audio/io.h"
#include "limbeck/core/files.h"
#include "limbeck/core/random.h"
#include "paths.h"

namespace limbeck::test {

/// A fresh folder that goes with the object.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "limbeck-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline std::vector<float> white(int64_t count, uint64_t seed, double amplitude = 0.3) {
  Random random{SeedKey(seed)};
  std::vector<float> samples(static_cast<size_t>(count));
  for (float& x : samples) x = static_cast<float>(random.uniform(-amplitude, amplitude));
  return samples;
}

inline std::vector<float> sine(int64_t count, double hz, double amplitude, int rate_hz = 16000) {
  std::vector<float> samples(static_cast<size_t>(count));
  for (size_t i = 0; i < samples.size(); ++i) {
    samples[i] = static_cast<float>(
        amplitude * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate_hz));
  }
  return samples;
}

inline void put_audio(const std::filesystem::path& path, std::vector<float> samples,
                      int rate_hz = 16000, SampleFormat format = SampleFormat::pcm16) {
  std::filesystem::create_directories(path.parent_path());
  write_audio(path, {std::move(samples), rate_hz}, format);
}

inline void put_text(const std::filesystem::path& path, const std::string& text);

/// A mono WAV file whose header then says otherwise.
inline void put_stereo(const std::filesystem::path& path, const std::vector<float>& left,
                       const std::vector<float>& right, int rate_hz = 16000) {
  std::vector<float> both;
  for (size_t i = 0; i < left.size(); ++i) both.insert(both.end(), {left[i], right[i]});
  put_audio(path, both, rate_hz);
  std::string bytes = read_file(path);
  bytes[22] = 2;  // channels
  for (int i = 0; i < 4; ++i) {
    bytes[28U + static_cast<size_t>(i)] = static_cast<char>((rate_hz * 4) >> (8 * i));
  }
  bytes[32] = 4;  // bytes a frame
  put_text(path, bytes);
}

inline void put_text(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

/// The message of the `Failure` that `body` throws; fails the test if it throws nothing or another
/// type.
template <class Failure, class Body>
std::string message_of(Body&& body) {
  try {
    body();
  } catch (const Failure& e) {
    return e.what();
  } catch (const std::exception& e) {
    ADD_FAILURE() << "another exception: " << e.what();
    return "";
  }
  ADD_FAILURE() << "no exception";
  return "";
}

inline std::string hash_of(const std::vector<float>& samples) {
  return hash_bytes(samples.data(), samples.size() * sizeof(float));
}

/// The folder with real recordings: LIMBECK_SHARED_DATA, or ../shared/data beside the source.
inline std::optional<std::filesystem::path> shared_data() {
  const char* named = std::getenv("LIMBECK_SHARED_DATA");
  const std::filesystem::path path = named != nullptr
                                         ? std::filesystem::path(named)
                                         : test::source_dir() / ".." / "shared" / "data";
  if (!std::filesystem::exists(path / "manifest.csv")) return std::nullopt;
  return std::filesystem::canonical(path);
}

}  // namespace limbeck::test

/// Skips a test that needs the real recordings where they are not.
#define LIMBECK_NEED_SHARED_DATA(variable)                                         \
  const auto variable##_or_none = ::limbeck::test::shared_data();                  \
  if (!variable##_or_none) {                                                       \
    GTEST_SKIP() << "no real recordings: set LIMBECK_SHARED_DATA to their folder"; \
  }                                                                                \
  const std::filesystem::path& variable = *variable##_or_none
