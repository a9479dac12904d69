#include "train/faults.h"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <sstream>

#include "limbeck/config/reader.h"
#include "limbeck/core/error.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/run/run_view.h"
#include "limbeck/train/session.h"
#include "run/event_reader.h"
#include "train/tiny_data.h"

namespace limbeck::test {

namespace fs = std::filesystem;

namespace {

constexpr const char* kModel =
    "name: denoising_autoencoder, stft: {window_samples: 64, hop_samples: 32, fft_samples: 64}, "
    "stem: {channels: 4, stride: 2, kernel_freq: 5}, encoder: [{channels: 5, stride: 2, "
    "kernel_time: 3}], latent: {channels: 3, in_channels: 4}";

/// `body()` in a child process; its exit code, or minus the signal that killed it.
template <class Body>
int in_child(const Body& body) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

nlohmann::json environment(const fs::path& run) {
  auto all = nlohmann::json::parse(read_file(run / "environment.json"));
  EXPECT_EQ(all.erase("started"), 1U);
  return all;
}

}  // namespace

FaultyTraining plain_training() {
  return {.name = "plain",
          .train = "steps: 4",
          .further_set = false,
          .steps = 4,
          .saved_before_last = 2,
          .lines = 6,
          .stride = 1};
}

FaultyTraining full_training() {
  return {.name = "full",
          .train =
              "steps: 7, accumulate: 2, ema: {decay: 0.9}, optimizer: {type: sgd, lr: 0.01}, "
              "schedule: {type: plateau, patience: 1, min_change: 1e6, warmup_steps: 1}, "
              "validation: {background: true}, select: more/loss, save_every: 3",
          .further_set = true,
          .steps = 7,
          .saved_before_last = 6,
          .lines = 11,
          .stride = 13};
}

Faults::Faults(FaultyTraining training) : training_(std::move(training)) {
  put_pairs(shared_ / "data");
  in_child([&] {
    const auto model = config::read_text<nn::ModelConfig>(format("{%s}", kModel), "test");
    nn::write_model(shared_ / "teacher.safetensors", *nn::build_model(model, SeedKey(7)));
    return 0;
  });
  reference_ = train(whole_, {});
}

TrainingConfig Faults::config(const fs::path& folder, int64_t seed, const fs::path& teacher) const {
  const std::string source =
      format("source: {type: pairs, manifest: '%s'}", shared_ / "data/pairs.csv");
  const std::string further =
      format("valid_sets: [{name: more, %s, count: 0, segment_seconds: 0}], ", source);
  return config::read_text<TrainingConfig>(
      format("run: {dir: '%s', device: cpu, threads: 1, seed: %d}\n"
             "model: {%s}\n"
             "data: {%s, %ssegment_seconds: 0.1, workers: 0, valid_count: 2, "
             "valid_segment_seconds: 0.1, epochs_unique: 1}\n"
             "train: {batch_size: 2, validate_every: 2, log_every: 1, %s}\n"
             "teacher: {checkpoint: '%s', which: last}\n"
             "distill: {terms: [{name: cosine}], cache: {dir: '%s'}}\n",
             folder / "run", seed, kModel, source, training_.further_set ? further : "",
             training_.train, teacher.empty() ? shared_ / "teacher.safetensors" : teacher,
             folder / "cache"),
      "fault test");
}

Outcome Faults::train(const fs::path& folder, const Injection& injection, bool restart,
                      int64_t seed, const fs::path& teacher) const {
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

size_t Faults::first_call_of(int64_t step) const {
  const auto& all = reference_.calls;
  const auto first = std::find_if(all.begin(), all.end(), [&](const std::string& call) {
    return call.find(format("step-%08d", step)) != std::string::npos;
  });
  return static_cast<size_t>(first - all.begin());
}

fs::path Faults::stopped(const std::string& name) const {
  const fs::path folder = shared_ / name;
  const auto at = static_cast<int64_t>(first_call_of(training_.steps));
  EXPECT_EQ(train(folder, {.fault = Fault::kill, .at = at}).code, -SIGKILL);
  const auto last = RunView(folder / "run").checkpoint("last");
  EXPECT_EQ(last.value_or("none").filename(), format("step-%08d", training_.saved_before_last));
  return folder;
}

std::vector<nlohmann::json> Faults::metrics(const fs::path& run) {
  std::vector<nlohmann::json> lines;
  if (!fs::exists(run / "metrics.jsonl")) return lines;
  std::istringstream in(read_file(run / "metrics.jsonl"));
  for (std::string line; std::getline(in, line);) {
    lines.push_back(nlohmann::json::parse(line));
    lines.back().erase("timing");
  }
  return lines;
}

std::vector<std::string> Faults::told(const fs::path& folder) {
  std::vector<std::string> all;
  const fs::path file = folder / "run/tensorboard/events.out.tfevents.limbeck";
  if (!fs::exists(file)) return all;
  for (const Event& event : read_events(read_file(file))) {
    for (const EventValue& value : event.values) {
      all.push_back(format("%d %s", event.step, value.tag));
    }
  }
  return all;
}

std::vector<std::string> Faults::names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = fs::relative(entry.path(), folder).string();
    if (!name.starts_with("tensorboard")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void Faults::expect_as_whole(const fs::path& folder) const {
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
    if (name == "environment.json") {
      EXPECT_EQ(environment(run), environment(other));
    } else {
      EXPECT_EQ(read_file(run / name), read_file(other / name)) << name;
    }
  }
  EXPECT_EQ(in_order(metrics(run)), in_order(metrics(other)));
}

void expect_told(const Outcome& broken, int error) {
  if (broken.code == 0) return;
  EXPECT_EQ(broken.code, static_cast<int>(ExitCode::data));
  EXPECT_THAT(broken.said, testing::HasSubstr(std::strerror(error)));
}

}  // namespace limbeck::test
