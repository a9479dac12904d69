#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "data/support.h"
#include "limbeck/core/format.h"
#include "limbeck/train/config.h"
#include "train/fault_injector.h"

namespace limbeck::test {

// Sanitizers make a training several times slower. GCC and clang tell of them in different ways.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LIMBECK_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LIMBECK_SANITIZED
#endif
#endif
#ifdef LIMBECK_SANITIZED
constexpr size_t kStride = 9;
#else
constexpr size_t kStride = 1;
#endif

/// What a training of these tests is, beside what all of them are.
struct FaultyTraining {
  std::string name;
  std::string train;  ///< keys of section train
  bool further_set;   ///< a second validation set, `more`
  int64_t steps;
  int64_t saved_before_last;  ///< step of the checkpoint before the last one
  size_t lines;               ///< of metrics.jsonl
  size_t stride;              ///< between the calls that are tried
};

/// Two validations, and nothing that is not on by default.
FaultyTraining plain_training();
/// With all that is off by default and has something to keep. The validation of step 2 is scored
/// while step 3 is trained and saved, and what it has found slows down step 7.
FaultyTraining full_training();

/// How a training ended: its exit code, or minus the signal that killed it; and what it said.
struct Outcome {
  int code = 0;
  std::string said;
  std::vector<std::string> calls;
};

/// Trainings of one tiny student, each in a process of its own (LibTorch is not begun in the
/// parent, so that a fork is a fresh start) and below a folder of its own, which holds the run and
/// the teacher's cache.
class Faults : public testing::Test {
 protected:
  explicit Faults(FaultyTraining training = plain_training());

  /// As limbeck-distill does, told to restart or not.
  Outcome train(const std::filesystem::path& folder, const Injection& injection,
                bool restart = false, int64_t seed = 1,
                const std::filesystem::path& teacher = "") const;
  /// Makes a run that was killed just before the checkpoint of its last step was begun.
  std::filesystem::path stopped(const std::string& name) const;
  /// Number of the first call that is about the checkpoint of `step`.
  size_t first_call_of(int64_t step) const;

  static std::vector<nlohmann::json> metrics(const std::filesystem::path& run);
  /// What TensorBoard is told: step and tag of every value.
  static std::vector<std::string> told(const std::filesystem::path& folder);
  /// But for what TensorBoard reads, which a run can do without.
  static std::vector<std::string> names_in(const std::filesystem::path& folder);
  /// All that a training leaves, bar the time that it took.
  void expect_as_whole(const std::filesystem::path& folder) const;

  /// As they come, unless they may come in `any_order_`.
  template <class Lines>
  Lines in_order(Lines lines) const {
    if (any_order_) std::sort(lines.begin(), lines.end());
    return lines;
  }

  /// Tries every call of `planned`, `stride` apart, on a folder that `prepare` makes.
  template <class Prepare, class Check>
  void try_each(const std::vector<std::string>& planned, Injection injection, size_t first,
                size_t stride, bool restart, const Prepare& prepare, const Check& check) const {
    std::map<int, int> codes;
    for (size_t at = first; at < planned.size() && !HasFailure(); at += stride) {
      TempDir dir;
      const std::filesystem::path folder = dir / "case";
      prepare(folder);
      injection.at = static_cast<int64_t>(at);
      const Outcome broken = train(folder, injection, restart);
      SCOPED_TRACE(
          format("call %d: %s\nexit code %d\n%s", at, planned[at], broken.code, broken.said));
      ++codes[broken.code];
      check(folder, broken);
      const Outcome mended = train(folder, {}, restart);
      ASSERT_EQ(mended.code, 0) << mended.said;
      expect_as_whole(folder);
      const auto events = told(folder);
      if ((broken.said + mended.said).find("TensorBoard is told nothing more") ==
          std::string::npos) {
        EXPECT_EQ(in_order(events), in_order(told(whole_)));
      }
      EXPECT_EQ(std::set(events.begin(), events.end()).size(), events.size());
    }
    for (const auto& [code, count] : codes) std::printf("  exit code %d: %d times\n", code, count);
  }

  FaultyTraining training_;
  bool any_order_ = false;
  TempDir shared_;
  std::filesystem::path whole_ = shared_ / "whole";
  Outcome reference_;  ///< of whole_, a training that nothing happened to

 private:
  TrainingConfig config(const std::filesystem::path& folder, int64_t seed,
                        const std::filesystem::path& teacher) const;
};

/// Both trainings.
class FaultsOfEach : public Faults, public testing::WithParamInterface<FaultyTraining> {
 protected:
  FaultsOfEach() : Faults(GetParam()) {}
  size_t stride() const { return training_.stride * kStride; }
};

inline std::string name_of(const testing::TestParamInfo<FaultyTraining>& instance) {
  return instance.param.name;
}

const auto nothing = [](const std::filesystem::path&) {};

/// A call that fails ends the training as an error of the data, if it matters; nothing is taken for
/// missing, and made anew, because it could not be looked at.
void expect_told(const Outcome& broken, int error);

}  // namespace limbeck::test
