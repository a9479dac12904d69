#include "limbeck/corpus/voicebank_demand.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "corpus/intake.h"
#include "corpus/voicebank/conversion_journal.h"
#include "corpus/voicebank/voicebank_plan.h"
#include "limbeck/audio/io.h"
#include "limbeck/audio/resample.h"
#include "limbeck/core/cause.h"
#include "limbeck/core/csv.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/parallel.h"
#include "limbeck/data/listing.h"
#include "limbeck/data/training_record.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

constexpr Split kSplits[] = {Split::train, Split::valid, Split::test};

constexpr char kConvertedBefore[] =
    "made from copies at 16 kHz, whose conversion is not known, not from the originals at 48 kHz";

fs::path file_of(const fs::path& out, const PlannedPair& pair, const char* side) {
  return out / split_name(pair.split) / side / (pair.id + ".flac");
}

/// Nothing can come of these faults but a part of the set.
void require_whole(const VoiceBankPlan& plan, const VoiceBankOptions& options) {
  if (plan.faults.empty() || options.allow_partial) return;
  throw DataError(
      format("%s: is not the whole VoiceBank-DEMAND set of 28 speakers:", options.source) +
      listed(plan.faults) +
      "\nMend this, or take what is there with --allow-partial, which every table will "
      "then say.");
}

/// Pairs of another source in `out` would be dropped from its manifests without a word.
void require_same_set(const VoiceBankPlan& plan, const ConversionJournal& journal,
                      const VoiceBankOptions& options) {
  std::set<std::string> planned;
  for (const PlannedPair& pair : plan.pairs) planned.insert(pair.id);
  std::vector<std::string> gone;
  for (const auto& [id, pair] : journal.pairs()) {
    if (planned.count(id) == 0) gone.push_back(id);
  }
  if (gone.empty()) return;
  std::string text = format("%s: holds %d pairs that %s does not have (any more):", options.out,
                            gone.size(), options.source) +
                     listed(gone, 5);
  for (const Problem& problem : plan.problems) text += "\n" + problem.file + ": " + problem.reason;
  throw DataError(text + "\nMend the source, or give another --out.");
}

void make_folders(const VoiceBankPlan& plan, const fs::path& out) {
  std::set<fs::path> folders;
  for (const PlannedPair& pair : plan.pairs) {
    for (const char* side : {"clean", "noisy"}) {
      folders.insert(file_of(out, pair, side).parent_path());
    }
  }
  for (const fs::path& folder : folders) {
    fs::create_directories(folder);
    remove_stale_siblings(folder / "");
  }
}

bool has_size(const fs::path& file, int64_t bytes) {
  std::error_code error;
  return fs::is_regular_file(file, error) &&
         fs::file_size(file, error) == static_cast<uintmax_t>(bytes);
}

class Converter {
 public:
  Converter(const VoiceBankOptions& options, const VoiceBankPlan& plan, ConversionJournal& journal)
      : out_(options.out),
        plan_(plan),
        journal_(journal),
        source_hz_(source_rate(plan)),
        results_(plan.pairs.size()),
        problems_(plan.pairs.size()) {}

  /// Of all originals: kVoiceBankSourceHz, or kVoiceBankHz where somebody converted them before.
  int source_hz() const { return source_hz_; }

  /// Takes over what lies there whole. Returns which pairs are left to do.
  std::vector<size_t> keep() {
    std::vector<size_t> left;
    for (size_t i = 0; i < plan_.pairs.size(); ++i) {
      const PlannedPair& pair = plan_.pairs[i];
      const auto row = journal_.pairs().find(pair.id);
      if (row != journal_.pairs().end() && is_current(pair, row->second)) {
        results_[i] = row->second;
      } else {
        left.push_back(i);
      }
    }
    return left;
  }

  /// Converts pair i. A fault of the original becomes a problem; failing to write is thrown.
  void convert(size_t i) {
    const PlannedPair& pair = plan_.pairs[i];
    Waveform clean, noisy;
    try {
      within_memory(label_of(*pair.clean, pair.id), [&] {
        clean = original(*pair.clean, pair.id);
        noisy = original(*pair.noisy, pair.id);
        common_length(label_of(*pair.clean, pair.id), clean, label_of(*pair.noisy, pair.id), noisy);
        clean = resample(clean, kVoiceBankHz);
        noisy = resample(noisy, kVoiceBankHz);
      });
    } catch (const DataError& e) {
      problems_[i] = problem_of(pair, e.what());
      for (const char* side : {"clean", "noisy"}) fs::remove(file_of(out_, pair, side));
      return;
    }
    ConvertedPair row;
    row.clean_version = pair.clean->items().at(pair.id).version;
    row.noisy_version = pair.noisy->items().at(pair.id).version;
    row.samples = std::min(clean.size(), noisy.size());
    row.clean_cut = clean.size() - row.samples;
    row.noisy_cut = noisy.size() - row.samples;
    row.clean_clipped = write(clean, file_of(out_, pair, "clean"), row.clean_bytes, row.clean_hash);
    row.noisy_clipped = write(noisy, file_of(out_, pair, "noisy"), row.noisy_bytes, row.noisy_hash);
    journal_.append(pair.id, row);
    results_[i] = row;
  }

  const std::optional<ConvertedPair>& result(size_t i) const { return results_[i]; }
  const std::optional<Problem>& problem(size_t i) const { return problems_[i]; }

 private:
  static const std::string& label_of(const AudioCollection& collection, const std::string& id) {
    return collection.items().at(id).label;
  }

  bool is_current(const PlannedPair& pair, const ConvertedPair& row) const {
    return row.clean_version == pair.clean->items().at(pair.id).version &&
           row.noisy_version == pair.noisy->items().at(pair.id).version &&
           has_size(file_of(out_, pair, "clean"), row.clean_bytes) &&
           has_size(file_of(out_, pair, "noisy"), row.noisy_bytes);
  }

  /// Most of the first ten originals that can be read stand for all.
  static int source_rate(const VoiceBankPlan& plan) {
    int read = 0, converted = 0;
    for (size_t i = 0; i < plan.pairs.size() && read < 10; ++i) {
      const PlannedPair& pair = plan.pairs[i];
      try {
        const Waveform wave = within_memory(label_of(*pair.clean, pair.id),
                                            [&] { return pair.clean->read(pair.id); });
        converted += wave.rate_hz == kVoiceBankHz ? 1 : 0;
        ++read;
      } catch (const DataError&) {
        continue;  // converting says why
      }
    }
    return 2 * converted > read ? kVoiceBankHz : kVoiceBankSourceHz;
  }

  Waveform original(const AudioCollection& collection, const std::string& id) const {
    Waveform wave = collection.read(id);
    if (wave.rate_hz == source_hz_) return wave;
    throw DataError(format("%s: has %d Hz where the %s have %d Hz", label_of(collection, id),
                           wave.rate_hz, source_hz_ == kVoiceBankHz ? "others" : "originals",
                           source_hz_));
  }

  static Problem problem_of(const PlannedPair& pair, const std::string& message) {
    for (const AudioCollection* side : {pair.noisy, pair.clean}) {
      const std::string& label = label_of(*side, pair.id);
      if (message.starts_with(label + ": ")) return {label, without_path(message, label)};
    }
    return {label_of(*pair.clean, pair.id), message};
  }

  /// Returns the number of samples that were clipped. The hash is that of the file, read back.
  static int64_t write(const Waveform& wave, const fs::path& file, int64_t& bytes,
                       std::string& hash) {
    const int64_t clipped = write_audio(file, wave, SampleFormat::pcm16);
    bytes = static_cast<int64_t>(fs::file_size(file));
    hash = hash_audio(read_audio(file).samples);
    return clipped;
  }

  fs::path out_;
  const VoiceBankPlan& plan_;
  ConversionJournal& journal_;
  int source_hz_;
  std::vector<std::optional<ConvertedPair>> results_;
  std::vector<std::optional<Problem>> problems_;
};

ManifestEntry entry_of(const PlannedPair& pair, const ConvertedPair& row, const fs::path& out) {
  ManifestEntry entry;
  entry.id = pair.id;
  entry.audio = {file_of(out, pair, "clean"), row.clean_hash, row.clean_cut};
  entry.noisy = {file_of(out, pair, "noisy"), row.noisy_hash, row.noisy_cut};
  entry.speaker = pair.speaker;
  entry.split = pair.split;
  entry.samples = row.samples;
  entry.rate_hz = kVoiceBankHz;
  entry.extra = {pair.mixture.noise, pair.mixture.snr_db, std::to_string(row.clean_clipped),
                 std::to_string(row.noisy_clipped)};
  return entry;
}

void collect(const VoiceBankPlan& plan, const Converter& converter, const fs::path& out,
             VoiceBankReport& report) {
  std::map<Split, Manifest> manifests;
  for (size_t i = 0; i < plan.pairs.size(); ++i) {
    const PlannedPair& pair = plan.pairs[i];
    if (converter.problem(i)) report.problems.push_back(*converter.problem(i));
    if (!converter.result(i)) continue;
    const ConvertedPair& row = *converter.result(i);
    manifests[pair.split].entries.push_back(entry_of(pair, row, out));
    if (row.clean_clipped > 0) {
      report.clipped.push_back({file_of(out, pair, "clean"), row.clean_clipped});
    }
    if (row.noisy_clipped > 0) {
      report.clipped.push_back({file_of(out, pair, "noisy"), row.noisy_clipped});
    }
  }
  for (auto& [split, manifest] : manifests) {
    manifest.kind = Manifest::Kind::pairs;
    manifest.path = out / (std::string(split_name(split)) + ".csv");
    manifest.extra_columns = {"noise", "snr_db", "clean_clipped", "noisy_clipped"};
    report.manifests.push_back(std::move(manifest));
  }
}

std::vector<ManifestEntry> entries_of(const VoiceBankReport& report) {
  std::vector<ManifestEntry> all;
  for (const Manifest& manifest : report.manifests) {
    all.insert(all.end(), manifest.entries.begin(), manifest.entries.end());
  }
  return all;
}

/// What of the set is not as published.
std::string note_of(const VoiceBankReport& report) {
  std::vector<std::string> notes;
  if (!report.partial.empty()) notes.push_back(report.partial);
  if (report.source_hz == kVoiceBankHz) notes.emplace_back(kConvertedBefore);
  const auto pairs = entries_of(report);
  const auto cut = std::count_if(pairs.begin(), pairs.end(), [](const ManifestEntry& pair) {
    return pair.audio.cut > 0 || pair.noisy.cut > 0;
  });
  if (cut > 0) {
    notes.push_back(format("%d pairs of unequal lengths, of which the longer side is cut", cut));
  }
  return join(notes, "; ");
}

/// Manifests, failures and, last, the protocol that vouches for them.
void write_lists(const VoiceBankOptions& options, VoiceBankReport& report, Logger& logger) {
  const fs::path protocol_file = options.out / "protocol.yaml";
  fs::remove(protocol_file);
  fs::remove(options.out / "failures.csv");
  if (!report.problems.empty()) {
    std::string failures = csv_line({"file", "reason"});
    for (const Problem& problem : report.problems) {
      failures += csv_line({problem.file, problem.reason});
    }
    write_file_atomically(options.out / "failures.csv", failures);
  }
  std::map<Split, int64_t> counts;
  for (const Split split : kSplits) {
    fs::remove(options.out / (std::string(split_name(split)) + ".csv"));
  }
  for (const Manifest& manifest : report.manifests) {
    manifest.write(manifest.path);
    counts[manifest.entries.front().split] = static_cast<int64_t>(manifest.entries.size());
  }
  report.partial = partial_note(counts);
  if (report.manifests.empty() || (!report.partial.empty() && !options.allow_partial)) return;
  Protocol protocol;
  protocol.name = kVoiceBankName;
  protocol.partial = !report.partial.empty();
  protocol.note = note_of(report);
  protocol.file = protocol_file;
  for (const Manifest& manifest : report.manifests) {
    protocol.add(manifest.entries.front().split, Role::pairs, manifest);
  }
  refuse_leaks(protocol, false, logger);
  protocol.write(protocol_file);
  report.locked = true;
}

}  // namespace

VoiceBankReport prepare_voicebank_demand(const VoiceBankOptions& options, Logger& logger) {
  const VoiceBankPlan plan = plan_voicebank(options.source, logger);
  require_whole(plan, options);
  if (!plan.faults.empty()) {
    logger.warn(options.source.string() + ": is a part of the set:" + listed(plan.faults));
  }
  VoiceBankReport report;
  report.problems = plan.problems;
  if (plan.pairs.empty()) {
    std::vector<std::string> reasons = plan.faults;
    for (const Problem& problem : plan.problems) {
      reasons.push_back(problem.file + ": " + problem.reason);
    }
    throw DataError(options.source.string() +
                    ": holds no pair that can be taken:" + listed(reasons));
  }
  fs::create_directories(options.out);
  const DirectoryLock lock(options.out, &logger);
  ConversionJournal journal(options.out / "journal.csv");
  require_same_set(plan, journal, options);
  make_folders(plan, options.out);

  Converter converter(options, plan, journal);
  const std::vector<size_t> left = converter.keep();
  report.source_hz = converter.source_hz();
  report.kept = static_cast<int64_t>(plan.pairs.size() - left.size());
  if (report.kept > 0) {
    logger.info(format("%d of %d pairs are there already", report.kept, plan.pairs.size()));
  }
  if (!left.empty()) {
    const char* work = report.source_hz == kVoiceBankHz ? "copying" : "48 to 16 kHz";
    Progress progress(logger, work, "pairs", static_cast<int64_t>(left.size()));
    parallel_for(static_cast<int64_t>(left.size()), options.threads, progress,
                 [&](int64_t i) { converter.convert(left[static_cast<size_t>(i)]); });
  }
  collect(plan, converter, options.out, report);
  const auto entries = entries_of(report);
  report.converted = static_cast<int64_t>(entries.size()) - report.kept;
  const std::string cuts = about_cuts(entries);
  if (!cuts.empty()) logger.warn(cuts);
  write_lists(options, report, logger);
  return report;
}

}  // namespace limbeck
