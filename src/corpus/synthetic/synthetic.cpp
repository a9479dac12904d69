#include "limbeck/corpus/synthetic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "corpus/synthetic/dsp.h"
#include "limbeck/audio/io.h"
#include "limbeck/audio/mix.h"
#include "limbeck/core/csv.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/parallel.h"
#include "limbeck/data/manifest.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

constexpr double kUtteranceSeconds = 6;
constexpr double kNoiseSeconds = 10;
constexpr uint64_t kPairs = 24;
constexpr std::array<double, 4> kPairSnrsDb = {-2.5, 2.5, 7.5, 12.5};

/// One file, or a pair of them.
struct Job {
  enum class Type { speech, noise, pair };
  Type type;
  std::string label;  ///< speaker or kind of noise
  uint64_t speaker;
  uint64_t index;  ///< of the file among those of the label; of the pair among all
  Split split;
};

Split split_of_kind(const std::string& kind) {
  if (kind == "fan" || kind == "machine" || kind == "wind") return Split::test;
  return kind == "brown" || kind == "pulsing" ? Split::valid : Split::train;
}

/// The last speakers are test, those before valid: an eighth each, at least one.
Split split_of_speaker(int64_t speaker, int64_t speakers) {
  const int64_t held = std::max<int64_t>(1, speakers / 8);
  if (speaker >= speakers - held) return Split::test;
  return speaker >= speakers - 2 * held ? Split::valid : Split::train;
}

std::string speaker_name(int64_t speaker) { return format("s%03d", speaker + 1); }

uint64_t files_for(double minutes, double file_seconds, size_t labels) {
  const double each = minutes * 60 / file_seconds / static_cast<double>(labels);
  return static_cast<uint64_t>(std::max(1.0, std::round(each)));
}

std::vector<Job> plan(const SyntheticOptions& options) {
  std::vector<Job> jobs;
  std::vector<int64_t> test_speakers;
  const uint64_t utterances =
      files_for(options.minutes, kUtteranceSeconds, static_cast<size_t>(options.speakers));
  for (int64_t s = 0; s < options.speakers; ++s) {
    const Split split = split_of_speaker(s, options.speakers);
    if (split == Split::test) test_speakers.push_back(s);
    for (uint64_t i = 0; i < utterances; ++i) {
      jobs.push_back({Job::Type::speech, speaker_name(s), static_cast<uint64_t>(s), i, split});
    }
  }
  const auto& kinds = synthetic_noise_kinds();
  const uint64_t noises = files_for(options.minutes / 2, kNoiseSeconds, kinds.size());
  for (const auto& kind : kinds) {
    for (uint64_t i = 0; i < noises; ++i) {
      jobs.push_back({Job::Type::noise, kind, 0, i, split_of_kind(kind)});
    }
  }
  for (uint64_t i = 0; i < kPairs; ++i) {
    const int64_t s = test_speakers[i % test_speakers.size()];
    jobs.push_back({Job::Type::pair, speaker_name(s), static_cast<uint64_t>(s), i, Split::test});
  }
  return jobs;
}

/// Files of a job, relative to the corpus.
std::vector<fs::path> paths_of(const Job& job) {
  const std::string number = format("%03d.flac", job.index + 1);
  const std::string name = job.label + "_" + number;
  if (job.type == Job::Type::speech) return {fs::path("clean") / job.label / name};
  if (job.type == Job::Type::noise) return {fs::path("noise") / job.label / name};
  return {fs::path("vbd_test") / "clean" / name, fs::path("vbd_test") / "noisy" / name};
}

std::vector<float> speech_of(SeedKey root, uint64_t speaker, SeedKey utterance) {
  Random random(utterance.with("recording"));
  const double seconds = kUtteranceSeconds * random.uniform(0.7, 1.3);
  auto speech =
      synthetic_speech(root.with("speaker").with(speaker), utterance, samples_of(seconds));
  apply_gain(speech, gain_of_db(random.uniform(-4, 4)));
  limit_peak(speech, {});
  return speech;
}

void write_pair(const Job& job, const fs::path& out, SeedKey root) {
  static const std::vector<std::string> kinds = [] {
    auto all = synthetic_noise_kinds();
    std::erase_if(all, [](const std::string& kind) { return split_of_kind(kind) != Split::test; });
    return all;
  }();
  const SeedKey key = root.with("pair").with(job.index);
  auto clean = speech_of(root, job.speaker, key.with("utterance"));
  const auto& kind = kinds[job.index % kinds.size()];
  const double snr_db = kPairSnrsDb[job.index / kinds.size() % kPairSnrsDb.size()];
  auto noise = synthetic_noise(kind, key.with(kind), static_cast<int64_t>(clean.size()));
  const double speech_db = active_level_dbfs(clean, kSyntheticRateHz);
  apply_gain(noise, mix_gains(speech_db, level_dbfs(noise), speech_db, snr_db).noise);
  auto noisy = sum_of(clean, noise);
  limit_peak(noisy, clean);
  const auto paths = paths_of(job);
  write_audio(out / paths[0], {std::move(clean), kSyntheticRateHz});
  write_audio(out / paths[1], {std::move(noisy), kSyntheticRateHz});
}

void write_job(const Job& job, const fs::path& out, SeedKey root) {
  if (job.type == Job::Type::pair) return write_pair(job, out, root);
  std::vector<float> samples;
  if (job.type == Job::Type::speech) {
    samples =
        speech_of(root, job.speaker, root.with("utterance").with(job.speaker).with(job.index));
  } else {
    samples =
        synthetic_noise(job.label, root.with(job.label).with(job.index), samples_of(kNoiseSeconds));
  }
  write_audio(out / paths_of(job)[0], {std::move(samples), kSyntheticRateHz});
}

void check(const SyntheticOptions& options) {
  if (!(options.minutes > 0 && options.minutes <= 10000)) {
    throw ConfigError("a synthetic corpus needs more than 0 and at most 10000 minutes");
  }
  if (options.speakers < 4 || options.speakers > 999) {
    throw ConfigError("a synthetic corpus needs 4 to 999 speakers");
  }
  if (fs::exists(options.out) && !(fs::is_directory(options.out) && fs::is_empty(options.out))) {
    throw ConfigError(options.out.string() + ": exists and is not an empty folder");
  }
}

void write_corpus(const SyntheticOptions& options, const fs::path& folder, Logger& logger) {
  const std::vector<Job> jobs = plan(options);
  const SeedKey root = SeedKey(static_cast<uint64_t>(options.seed)).with("synthetic corpus");
  std::string manifest = csv_line({"file", "split", "label"});
  for (const Job& job : jobs) {
    for (const fs::path& path : paths_of(job)) {
      fs::create_directories((folder / path).parent_path());
      manifest += csv_line({path.generic_string(), split_name(job.split), job.label});
    }
  }
  Progress progress(logger, "synthesis", "files", static_cast<int64_t>(jobs.size()));
  parallel_for(static_cast<int64_t>(jobs.size()), options.threads, progress,
               [&](int64_t i) { write_job(jobs[static_cast<size_t>(i)], folder, root); });
  write_file_atomically(folder / "manifest.csv", manifest);
}

}  // namespace

void make_synthetic_corpus(const SyntheticOptions& options, Logger& logger) {
  on_disk([&] { check(options); });
  // Without a trailing slash, so that the sibling is no child.
  const fs::path named = (fs::absolute(options.out).lexically_normal() / "").parent_path();
  const fs::path target = behind_links(named);
  remove_stale_siblings(target);
  const fs::path part = temporary_sibling(target);
  try {
    on_disk([&] {
      fs::create_directories(target.parent_path());
      write_corpus(options, part, logger);
      fs::rename(part, target);  // the place may be taken by an empty folder
    });
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(part, ignored);
    throw;
  }
}

}  // namespace limbeck
