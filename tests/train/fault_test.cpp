// A whole training, killed, failed and interrupted at every call by which it changes its folder:
// the same command must then end in the same bits. Trainings are forked, so these tests need a
// process in which LibTorch's autograd was not used before: each one its own, as CTest runs them.

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "data/support.h"
#include "limbeck/config/reader.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/run/run_view.h"
#include "limbeck/train/session.h"
#include "nn/support.h"
#include "train/fault_injector.h"
#include "train/tiny_data.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;

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

constexpr const char* kModel = R"(
  name: denoising_autoencoder
  stft: {window_samples: 64, hop_samples: 32, fft_samples: 64}
  stem: {channels: 4, stride: 2, kernel_freq: 5}
  encoder: [{channels: 5, stride: 2, kernel_time: 3}]
  latent: {channels: 3, in_channels: 4}
)";

/// How a training ended: its exit code, or minus the signal that killed it; and what it said.
struct Outcome {
  int code = 0;
  std::string said;
  std::vector<std::string> calls;
};

/// Trainings of one tiny student, four steps with two validations, each in a process of its own
/// (LibTorch is not begun in the parent, so that a fork is a fresh start) and below a folder of its
/// own, which holds the run and the teacher's cache.
class Faults : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = std::make_unique<TempDir>();
    put_pairs(*shared_ / "data");
    in_child([&] {
      const auto model =
          config::read_text<nn::ModelConfig>("{" + inline_yaml(kModel) + "}", "test");
      nn::write_model(*shared_ / "teacher.safetensors", *nn::build_model(model, SeedKey(7)));
      return 0;
    });
    whole_ = *shared_ / "whole";
    reference_ = new Outcome(train(whole_, {}));
  }
  static void TearDownTestSuite() {
    delete reference_;
    shared_.reset();
  }

  /// `body()` in a child process; its exit code, or minus the signal that killed it.
  template <class Body>
  static int in_child(const Body& body) {
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) ::_exit(body());
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

  static TrainingConfig config(const fs::path& folder, int64_t seed, const fs::path& teacher) {
    return config::read_text<TrainingConfig>(
        format("run: {dir: '%s', device: cpu, threads: 1, seed: %d}\n"
               "model: {%s}\n"
               "data: {source: {type: pairs, manifest: '%s'}, segment_seconds: 0.1, workers: 0, "
               "valid_count: 2, valid_segment_seconds: 0.1, epochs_unique: 1}\n"
               "train: {steps: 4, batch_size: 2, validate_every: 2, log_every: 1}\n"
               "teacher: {checkpoint: '%s', which: last}\n"
               "distill: {terms: [{name: cosine}], cache: {dir: '%s'}}\n",
               folder / "run", seed, inline_yaml(kModel), *shared_ / "data/pairs.csv",
               teacher.empty() ? *shared_ / "teacher.safetensors" : teacher, folder / "cache"),
        "fault test");
  }

  /// A block of YAML lines as the inside of a pair of braces.
  static std::string inline_yaml(std::string lines) {
    lines = lines.substr(1, lines.size() - 2);
    std::string text;
    for (const char c : lines) text += c == '\n' ? std::string(", ") : std::string(1, c);
    return text;
  }

  /// As limbeck-distill does, told to restart or not.
  static Outcome train(const fs::path& folder, const Injection& injection, bool restart = false,
                       int64_t seed = 1, const fs::path& teacher = "") {
    fs::create_directories(folder);
    const fs::path said = folder.string() + ".said";
    const fs::path calls = folder.string() + ".calls";
    Outcome outcome;
    outcome.code = in_child([&] {
      if (std::freopen(said.c_str(), "w", stderr) == nullptr) return 99;
      catch_interrupts();
      Logger logger;
      int code = 0;
      inject(folder, injection);
      try {
        run_training(config(folder, seed, teacher), {.restart = restart}, logger);
      } catch (const Error& e) {
        logger.error(e.what());
        code = static_cast<int>(e.code());
      } catch (const Interrupted& e) {
        code = e.exit_code();
      } catch (const std::exception& e) {
        logger.error(std::string("internal: ") + e.what());
        code = 1;
      }
      const auto made = injected_calls();
      inject("", {});
      put_text(calls, join(made, "\n"));
      return code;
    });
    outcome.said = read_file(said);
    if (fs::exists(calls)) {
      std::istringstream in(read_file(calls));
      for (std::string line; std::getline(in, line);) outcome.calls.push_back(line);
      fs::remove(calls);
    }
    return outcome;
  }

  /// Makes a run that was killed just before the checkpoint of its last step was begun.
  static fs::path stopped(const std::string& name) {
    const auto& all = reference_->calls;
    const auto last = std::find_if(all.begin(), all.end(), [](const std::string& call) {
      return call.find("step-00000004") != std::string::npos;
    });
    const fs::path folder = *shared_ / name;
    fs::remove_all(folder);
    EXPECT_EQ(train(folder, {.fault = Fault::kill, .at = last - all.begin()}).code, -SIGKILL);
    EXPECT_EQ(RunView(folder / "run").checkpoint("last")->filename(), "step-00000002");
    return folder;
  }

  static std::vector<nlohmann::json> metrics(const fs::path& run) {
    std::vector<nlohmann::json> lines;
    if (!fs::exists(run / "metrics.jsonl")) return lines;
    std::istringstream in(read_file(run / "metrics.jsonl"));
    for (std::string line; std::getline(in, line);) {
      lines.push_back(nlohmann::json::parse(line));
      lines.back().erase("seconds");
    }
    return lines;
  }

  static std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      names.push_back(fs::relative(entry.path(), folder).string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  /// All that a training leaves, bar the time that it took.
  static void expect_as_whole(const fs::path& folder) {
    const fs::path run = folder / "run";
    const fs::path other = whole_ / "run";
    ASSERT_EQ(names_in(run), names_in(other));
    // What could not be put there is not, but nothing half-made is.
    EXPECT_THAT(names_in(whole_ / "cache"), testing::IsSupersetOf(names_in(folder / "cache")));
    for (const std::string& name : names_in(run)) {
      if (fs::is_directory(run / name) || name.ends_with("state.json") || name == "config.yaml" ||
          name.ends_with("manifest.json") || name == "train.log" || name == "metrics.jsonl") {
        continue;
      }
      EXPECT_EQ(read_file(run / name), read_file(other / name)) << name;
    }
    EXPECT_EQ(metrics(run), metrics(other));
  }

  /// Tries every call of `planned`, `stride` apart, on a folder that `prepare` makes.
  template <class Prepare, class Check>
  static void try_each(const std::vector<std::string>& planned, Injection injection, size_t first,
                       size_t stride, bool restart, const Prepare& prepare, const Check& check) {
    std::map<int, int> codes;
    for (size_t at = first; at < planned.size() && !testing::Test::HasFailure(); at += stride) {
      TempDir dir;
      const fs::path folder = dir / "case";
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
    }
    for (const auto& [code, count] : codes) std::printf("  exit code %d: %d times\n", code, count);
  }

  static std::unique_ptr<TempDir> shared_;
  static fs::path whole_;
  static Outcome* reference_;
};

std::unique_ptr<TempDir> Faults::shared_;
fs::path Faults::whole_;
Outcome* Faults::reference_ = nullptr;

const auto nothing = [](const fs::path&) {};

TEST_F(Faults, AreTriedAtMoreThanAHundredCalls) {
  ASSERT_EQ(reference_->code, 0) << reference_->said;
  EXPECT_GT(reference_->calls.size(), 100U) << join(reference_->calls, "\n");
  EXPECT_EQ(metrics(whole_ / "run").size(), 6U);
}

TEST_F(Faults, KilledAnywhereARunGoesOnToTheSameBits) {
  try_each(reference_->calls, {.fault = Fault::kill}, 0, kStride, false, nothing,
           [](const fs::path&, const Outcome& broken) { EXPECT_EQ(broken.code, -SIGKILL); });
}

/// A call that fails ends the training as an error of the data, if it matters; nothing is taken for
/// missing, and made anew, because it could not be looked at.
void expect_told(const Outcome& broken, int error) {
  if (broken.code == 0) return;
  EXPECT_EQ(broken.code, static_cast<int>(ExitCode::data));
  EXPECT_THAT(broken.said, testing::HasSubstr(std::strerror(error)));
}

TEST_F(Faults, FailingAnywhereARunGoesOnToTheSameBits) {
  for (const int error : {EIO, ENOSPC}) {
    // Every call once, with one of the two.
    try_each(reference_->calls, {.fault = Fault::fail, .error = error}, error == EIO ? 0 : 1,
             2 * kStride, false, nothing,
             [&](const fs::path&, const Outcome& broken) { expect_told(broken, error); });
  }
}

TEST_F(Faults, AFolderThatMendsCostsNothing) {
  // While it is written first, and between the two checkpoints: what fails there is made good.
  TempDir tmp;
  ::setenv("TMPDIR", tmp.path().c_str(), 1);
  size_t first = 0;
  while (reference_->calls[first].find("step-00000002") == std::string::npos) ++first;
  for (const int error : {ENOSPC, EROFS}) {
    try_each(reference_->calls,
             {.fault = Fault::fail, .error = error, .count = 25, .writes_only = true},
             first + (error == EROFS ? 3 : 0), 7 * kStride, false, nothing,
             [&](const fs::path& folder, const Outcome& broken) {
               if (broken.code == 0) {  // bar what cannot be removed before it is opened again
                 EXPECT_EQ(metrics(folder / "run"), metrics(whole_ / "run"));
                 for (const char* file : {"run/best.json", "run/last.json"}) {
                   EXPECT_EQ(read_file(folder / file), read_file(whole_ / file));
                 }
                 return;
               }
               expect_told(broken, error);
               EXPECT_THAT(broken.said, testing::HasSubstr("training ends at step 4"));
             });
  }
  ::unsetenv("TMPDIR");
}

TEST_F(Faults, AFolderThatStaysAsItIsCostsNoStep) {
  TempDir dir;
  const fs::path tmp = dir / "tmp";
  fs::create_directories(tmp);
  ::setenv("TMPDIR", tmp.c_str(), 1);
  size_t first = 0;
  while (reference_->calls[first].find("step-00000002") == std::string::npos) ++first;
  const Outcome broken = train(dir / "case", {.fault = Fault::fail,
                                              .at = static_cast<int64_t>(first),
                                              .error = EDQUOT,
                                              .count = 100000,
                                              .writes_only = true});
  ::unsetenv("TMPDIR");
  EXPECT_EQ(broken.code, 3) << broken.said;
  EXPECT_THAT(broken.said, testing::HasSubstr(std::strerror(EDQUOT)));
  EXPECT_FALSE(RunView(dir / "case/run").checkpoint("last"));
  // As the message says: what is elsewhere is copied, and the same command goes on.
  ASSERT_FALSE(fs::is_empty(tmp));
  const fs::path saved = fs::directory_iterator(tmp)->path();
  EXPECT_THAT(broken.said, testing::HasSubstr(saved.string()));
  fs::copy(saved / "checkpoints", dir / "case/run/checkpoints", fs::copy_options::recursive);
  const Outcome mended = train(dir / "case", {});
  ASSERT_EQ(mended.code, 0) << mended.said;
  EXPECT_TRUE(fs::remove(dir / "case/run/checkpoints/step-00000004/kept_lines.jsonl"));
  expect_as_whole(dir / "case");
}

TEST_F(Faults, InterruptedAnywhereARunHasSavedWhatItWroteDown) {
  try_each(reference_->calls, {.fault = Fault::interrupt}, 0, 2 * kStride, false, nothing,
           [](const fs::path& folder, const Outcome& broken) {
             if (broken.code == 0) return;  // it came after the last step
             EXPECT_EQ(broken.code, 130);
             const auto last = RunView(folder / "run").checkpoint("last");
             if (!last) {  // it came before the first step, while files are opened
               EXPECT_THAT(metrics(folder / "run"), testing::IsEmpty());
               EXPECT_THAT(broken.said, Not(testing::HasSubstr("saved")));
               return;
             }
             int64_t steps = 0;
             for (const auto& line : metrics(folder / "run")) steps += line["split"] == "train";
             EXPECT_EQ(last->filename().string(), format("step-%08d", steps));
             EXPECT_THAT(broken.said, testing::HasSubstr(format("saved at step %d,", steps)));
           });
}

TEST_F(Faults, FailingWhileItResumesARunLosesNothing) {
  const fs::path before = stopped("stopped");
  const auto prepare = [&](const fs::path& folder) {
    fs::copy(before, folder, fs::copy_options::recursive);
  };
  TempDir dir;
  prepare(dir / "case");
  const Outcome resumed = train(dir / "case", {});
  ASSERT_EQ(resumed.code, 0) << resumed.said;
  for (const int error : {EMFILE, EIO}) {
    try_each(resumed.calls, {.fault = Fault::fail, .error = error}, error == EIO ? 0 : 1,
             2 * kStride, false, prepare,
             [&](const fs::path&, const Outcome& broken) { expect_told(broken, error); });
  }
  try_each(resumed.calls, {.fault = Fault::kill}, 0, 3 * kStride, false, prepare,
           [](const fs::path&, const Outcome&) {});
}

TEST_F(Faults, AMissingValidationFileIsNamedBeforeAnythingIsTrained) {
  TempDir dir;
  const fs::path file = *shared_ / "data" / "4-noisy.wav";
  fs::rename(file, dir / "kept");
  const Outcome refused = train(dir / "case", {});
  fs::rename(dir / "kept", file);
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.said, testing::HasSubstr(file.string()));
  EXPECT_FALSE(fs::exists(dir / "case" / "run"));
}

TEST_F(Faults, ATeacherThatTrainsOnIsAnotherOneOnResume) {
  const fs::path young = stopped("young");
  TempDir dir;
  const Outcome begun = train(dir / "case", {}, false, 1, young / "run");
  EXPECT_EQ(begun.code, 0);
  EXPECT_THAT(begun.said, testing::HasSubstr("is still in training (step 4)"));
  ASSERT_EQ(train(young, {}).code, 0);
  const Outcome resumed = train(dir / "case", {}, false, 1, young / "run");
  EXPECT_EQ(resumed.code, 2);
  EXPECT_THAT(resumed.said, testing::HasSubstr("teacher.model: "));
  EXPECT_THAT(resumed.said, Not(testing::HasSubstr("still in training")));
}

TEST_F(Faults, KilledWhileItRestartsARunCanBeRestarted) {
  const fs::path old = *shared_ / "old";
  ASSERT_EQ(train(old, {}, false, 2).code, 0);
  const auto prepare = [&](const fs::path& folder) {
    fs::copy(old, folder, fs::copy_options::recursive);
    fs::remove_all(folder / "cache");
  };
  TempDir dir;
  prepare(dir / "case");
  const Outcome restarted = train(dir / "case", {}, true);
  ASSERT_EQ(restarted.code, 0) << restarted.said;
  expect_as_whole(dir / "case");
  try_each(restarted.calls, {.fault = Fault::kill}, 0, 2 * kStride, true, prepare,
           [](const fs::path& folder, const Outcome&) {
             // Without --restart it is the old run, or none.
             const Outcome other = train(folder, {});
             const bool is_old = other.said.find("another configuration") != std::string::npos;
             EXPECT_EQ(other.code, is_old ? 2 : 0) << other.said;
           });
}

}  // namespace
}  // namespace limbeck::test
