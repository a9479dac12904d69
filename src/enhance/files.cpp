#include "limbeck/enhance/files.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <set>

#include "enhance/pass.h"
#include "enhance/pipe.h"
#include "enhance/report.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/parallel.h"
#include "limbeck/nn/device.h"
#include "limbeck/nn/enhance.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/run/trained_model.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

/// `out` stands where `-` alone leaves it out. Throws ConfigError for what does not go together.
EnhanceConfig checked(EnhanceConfig config) {
  const auto& inputs = config.inputs;
  const bool from_stream = std::find(inputs.begin(), inputs.end(), "-") != inputs.end();
  if (from_stream && config.out.empty()) config.out = "-";
  const auto require = [](bool holds, const std::string& message) {
    if (!holds) throw ConfigError(message);
  };
  require(!inputs.empty(), "nothing to denoise is named; see --help");
  require(!config.out.empty(), "--out is required: the folder of the results");
  require(!config.force || !config.skip_existing,
          "--force and --skip-existing: what exists is either replaced or kept");
  const bool to_stream = config.out == "-";
  require(!from_stream || (inputs.size() == 1 && to_stream),
          "-: standard input stands alone, and goes to standard output (--out -)");
  require(config.raw.empty() || from_stream, "--raw says what standard input is: -");
  if (!to_stream) return config;
  require(inputs.size() == 1 && !fs::is_directory(inputs.front()),
          "--out -: standard output takes one recording");
  require(config.format.empty(), "--format: standard output is WAV, or what --raw says");
  require(!config.json, "--json: standard output holds the audio");
  require(config.jobs == 0, "--jobs: standard output takes one recording");
  require(!config.force && !config.skip_existing,
          "--force and --skip-existing are for files; standard output replaces none");
  return config;
}

nn::Enhancer load(const TrainedModel& model, const std::string& device) {
  const at::Device place = nn::use_device(device);
  return {nn::parse_model(read_found(model, "--model"), model.file), place};
}

/// Folders of results that are not there yet. Those that stay empty go with the object.
class NewFolders {
 public:
  explicit NewFolders(const EnhancePlan& plan) {
    std::error_code missing;
    for (const PlannedFile& file : plan.files) {
      fs::path folder = file.output.parent_path();
      for (; !folder.empty() && !fs::exists(folder, missing); folder = folder.parent_path()) {
        folders_.insert(folder);
      }
    }
  }
  ~NewFolders() {
    std::error_code is_full;
    for (auto inner = folders_.rbegin(); inner != folders_.rend(); ++inner) {
      fs::remove(*inner, is_full);
    }
  }
  NewFolders(const NewFolders&) = delete;
  NewFolders& operator=(const NewFolders&) = delete;

 private:
  std::set<fs::path> folders_;
};

void make_folder(const fs::path& folder) {
  try {
    fs::create_directories(folder);
  } catch (const fs::filesystem_error& e) {
    throw WriteError(data_error(e).what());
  }
}

/// Returns how many samples were clipped.
int64_t enhance_file(const PlannedFile& file, const nn::Enhancer& enhancer,
                     const EnhanceConfig& config, const std::function<bool(int64_t)>& goes_on) {
  const auto reader = StreamReader::open(file.input);
  const StreamInfo& now = reader->info();
  if (now.rate_hz != file.read.rate_hz || now.channels != file.read.channels) {
    throw DataError(file.input.string() + ": was written anew just now");
  }
  make_folder(file.output.parent_path());
  const auto writer = StreamWriter::create(file.output, file.written, config.force);
  pass(*reader, *writer, enhancer, config.recording, goes_on);
  return writer->finish();
}

/// Those that take longest come first, so that no core is left alone with one at the end.
std::vector<size_t> order_of_work(const std::vector<PlannedFile>& files) {
  std::vector<size_t> order(files.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto cost = [&](size_t i) { return files[i].seconds() * files[i].read.channels; };
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return cost(a) > cost(b); });
  return order;
}

/// Seconds of each file, whole ones, which add up to those of all.
std::vector<int64_t> whole_seconds(const std::vector<PlannedFile>& files) {
  std::vector<int64_t> shares;
  double end = 0;
  for (const PlannedFile& file : files) {
    const double begin = end;
    end += file.seconds();
    shares.push_back(std::llround(end) - std::llround(begin));
  }
  return shares;
}

void enhance_all(EnhanceReport& report, const nn::Enhancer& enhancer, const EnhanceConfig& config,
                 Logger& logger) {
  const std::vector<PlannedFile>& files = report.plan.files;
  const std::vector<int64_t> shares = whole_seconds(files);
  const std::vector<size_t> order = order_of_work(files);
  std::atomic<int64_t> done{0};  // seconds of audio
  std::atomic<int64_t> whole{0};
  const auto enhance = [&](int64_t i) {
    const size_t at = order[static_cast<size_t>(i)];
    const PlannedFile& file = files[at];
    int64_t counted = 0;
    const auto count_up_to = [&](int64_t seconds) {
      done += seconds - counted;
      counted = seconds;
    };
    try {
      report.results[at].clipped = enhance_file(file, enhancer, config, [&](int64_t frames) {
        throw_if_interrupted();
        // The last second is done when the file is.
        count_up_to(std::clamp<int64_t>(shares[at] - 1, 0, frames / file.read.rate_hz));
        return true;
      });
      ++whole;
    } catch (const WriteError&) {
      throw;
    } catch (const DataError& e) {
      report.results[at].reason = without_path(e.what(), file.input);
    }
    count_up_to(shares[at]);
  };
  Progress progress(logger, "denoising", "s of audio",
                    std::accumulate(shares.begin(), shares.end(), int64_t{0}));
  try {
    parallel_for(static_cast<int64_t>(files.size()), config.jobs, progress, enhance, &done);
  } catch (...) {
    progress.finish();
    logger.warn(format(
        "stopped with %d of %d recordings done, which are whole; %s", whole.load(), files.size(),
        config.force ? "the same command does all again" : "--skip-existing does the rest"));
    throw;
  }
}

void remove_what_dead_ones_left(const EnhancePlan& plan) {
  std::set<fs::path> folders;
  for (const PlannedFile& file : plan.files) folders.insert(file.output.parent_path());
  for (const fs::path& folder : folders) remove_stale_siblings(folder / "any");
}

ExitCode run_files(const EnhanceConfig& config, const TrainedModel& model, Logger& logger) {
  const EnhancePlan plan = plan_enhancement({.inputs = {config.inputs.begin(), config.inputs.end()},
                                             .out = config.out,
                                             .format = config.format,
                                             .force = config.force,
                                             .skip_existing = config.skip_existing,
                                             .kept = {model.file}},
                                            logger);
  EnhanceReport report{plan, std::vector<FileResult>(plan.files.size())};
  if (!plan.files.empty()) {
    const nn::Enhancer enhancer = load(model, config.device);
    std::vector<int> rates_hz;
    for (const PlannedFile& file : plan.files) rates_hz.push_back(file.read.rate_hz);
    say_what_is_lost(rates_hz, enhancer, config.recording, logger);
    remove_what_dead_ones_left(plan);
    const NewFolders new_folders(plan);
    const auto start = std::chrono::steady_clock::now();
    enhance_all(report, enhancer, config, logger);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    report.wall_seconds = took.count();
  }
  const std::vector<FailedInput> failures = report.failures();
  std::vector<std::string> lines;
  for (const auto& [input, reason] : failures) lines.push_back(input.string() + ": " + reason);
  if (!lines.empty()) logger.warn("could not be denoised:" + listed(lines));
  logger.info(config.out + ": " + summary(report));
  if (config.json) print("%s", json_of(report));
  if (failures.empty()) return ExitCode::ok;
  const size_t tried = plan.files.size() + plan.failures.size();
  const bool none = failures.size() == tried && plan.existing.empty();
  return none ? ExitCode::data : ExitCode::some_failed;
}

}  // namespace

ExitCode run_enhancement(const EnhanceConfig& wanted, Logger& logger) {
  const EnhanceConfig config = checked(wanted);
  nn::select_device(config.device);
  const TrainedModel model = find_model(config.model, config.which);
  for (const std::string& warning : model.warnings) logger.warn(config.model + ": " + warning);
  if (config.out != "-") return run_files(config, model, logger);
  const nn::Enhancer enhancer = load(model, config.device);
  return run_pipe(config, enhancer, logger);
}

}  // namespace limbeck
