#include "corpus/voicebank/voicebank_plan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string_view>

#include "limbeck/audio/io.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/place.h"
#include "limbeck/data/listing.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

constexpr Split kSplits[] = {Split::train, Split::valid, Split::test};

constexpr std::array<std::string_view, 26> kTrainSpeakers = {
    "p227", "p228", "p230", "p231", "p233", "p236", "p239", "p243", "p244",
    "p250", "p254", "p256", "p258", "p259", "p267", "p268", "p269", "p270",
    "p273", "p274", "p276", "p277", "p278", "p279", "p282", "p286"};
constexpr std::array<std::string_view, 2> kValidSpeakers = {"p226", "p287"};
constexpr std::array<std::string_view, 2> kTestSpeakers = {"p232", "p257"};

/// The clean and the noisy side of what is distributed together.
struct PublishedSet {
  const char* clean;
  const char* noisy;
  const char* log;
  bool is_test;
};
constexpr PublishedSet kSets[] = {
    {"clean_trainset_28spk_wav", "noisy_trainset_28spk_wav", "log_trainset_28spk.txt", false},
    {"clean_testset_wav", "noisy_testset_wav", "log_testset.txt", true},
};

int64_t published_count(const PublishedSet& set) {
  return set.is_test ? voicebank_count(Split::test)
                     : voicebank_count(Split::train) + voicebank_count(Split::valid);
}

template <class Names>
bool holds(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Words between spaces, tabs, commas and semicolons.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  constexpr std::string_view kSeparators = " \t\r,;";
  while (true) {
    const size_t start = line.find_first_not_of(kSeparators);
    if (start == std::string_view::npos) return words;
    const size_t end = std::min(line.find_first_of(kSeparators, start), line.size());
    words.emplace_back(line.substr(start, end - start));
    line.remove_prefix(end);
  }
}

bool parse_db(std::string word, std::string& snr_db) {
  if (word.size() > 2 && (word.ends_with("dB") || word.ends_with("db")))
    word.resize(word.size() - 2);
  double value = 0;
  const char* end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, value);
  if (error != std::errc() || stop != end) return false;
  snr_db = shortest(value);
  return true;
}

bool parse_line(const std::vector<std::string>& words, LoggedMixture& mixture) {
  std::vector<std::string> noise;
  for (size_t i = 1; i < words.size(); ++i) {
    if (!mixture.snr_db.empty() || !parse_db(words[i], mixture.snr_db)) noise.push_back(words[i]);
  }
  mixture.noise = join(noise, " ");
  return !mixture.noise.empty() && !mixture.snr_db.empty();
}

/// Plans one published set.
class SetPlanner {
 public:
  SetPlanner(const fs::path& source, const PublishedSet& set, VoiceBankPlan& plan, Logger& logger)
      : source_(source), set_(set), plan_(plan), logger_(logger) {}

  void run() {
    const AudioCollection* clean = open(set_.clean);
    const AudioCollection* noisy = open(set_.noisy);
    if (clean == nullptr || noisy == nullptr) return;
    read_log();
    std::vector<PlannedPair> pairs;
    for (const auto& [id, item] : clean->items()) {
      PlannedPair pair{id, speaker_of(id, {}, SpeakerRule::prefix), {}, clean, noisy, {}};
      if (!is_of_set(pair, item.label) || !has_partner(id, item.label, *noisy)) continue;
      pairs.push_back(std::move(pair));
    }
    for (const auto& [id, item] : noisy->items()) has_partner(id, item.label, *clean);
    for (const auto* collection : {clean, noisy}) {
      for (const Problem& twice : collection->problems()) {
        plan_.faults.push_back(twice.file + ": " + twice.reason);
      }
    }
    hold_against_log(*clean, *noisy, pairs);
    for (PlannedPair& pair : pairs) plan_.pairs.push_back(std::move(pair));
  }

 private:
  const AudioCollection* open(const char* name) {
    try {
      auto collection = open_collection(source_, name, logger_);
      if (collection == nullptr) {
        plan_.faults.push_back(
            format("%s: is not in %s, neither as a zip file nor as a folder", name, source_));
        return nullptr;
      }
      logger_.debug(format("%s: %d files", collection->path(), collection->items().size()));
      return plan_.collections.emplace_back(std::move(collection)).get();
    } catch (const DataError& e) {
      const std::string text = e.what();  // "path: reason"
      const size_t colon = text.find(": ");
      plan_.problems.push_back({text.substr(0, colon), text.substr(colon + 2)});
      return nullptr;
    }
  }

  /// The log files only describe: a set without them, or with broken ones, is as good.
  void read_log() {
    try {
      if (const auto log = find_text(source_, set_.log, "logfiles")) {
        log_label_ = log->label;
        log_ = parse_mixture_log(*log, logger_);
      } else {
        logger_.info(std::string(set_.log) + ": is not there; the manifests name no noise and SNR");
      }
    } catch (const DataError& e) {
      logger_.warn(std::string(e.what()) + "; the manifests name no noise and SNR");
    }
  }

  bool is_of_set(PlannedPair& pair, const std::string& label) {
    if (voicebank_split(pair.speaker, pair.split) && (pair.split == Split::test) == set_.is_test) {
      return true;
    }
    plan_.faults.push_back(
        format("%s: is too much: the set has no speaker '%s' here", label, pair.speaker));
    return false;
  }

  bool has_partner(const std::string& id, const std::string& label, const AudioCollection& other) {
    if (other.items().count(id) > 0) return true;
    plan_.faults.push_back(label + ": has no partner in " + other.path().string());
    return false;
  }

  /// Takes noise and SNR from the log. Where the number of pairs is not as published, the log says
  /// which are missing or too much; the latter are left out.
  void hold_against_log(const AudioCollection& clean, const AudioCollection& noisy,
                        std::vector<PlannedPair>& pairs) {
    std::set<std::string> unlogged;
    for (PlannedPair& pair : pairs) {
      const auto logged = log_.find(pair.id);
      if (logged == log_.end()) {
        unlogged.insert(pair.id);
      } else {
        pair.mixture = logged->second;
      }
    }
    const auto count = static_cast<int64_t>(pairs.size());
    if (count == published_count(set_)) {
      if (!log_.empty() && !unlogged.empty()) {
        logger_.warn(
            format("%s: does not name %d of %d pairs:", log_label_, unlogged.size(), pairs.size()) +
            listed({unlogged.begin(), unlogged.end()}, 5));
      }
      return;
    }
    plan_.faults.push_back(format("%s and %s: have %d pairs of this set, where %d are published",
                                  clean.path(), noisy.path().filename(), count,
                                  published_count(set_)));
    if (log_.empty()) return;
    for (const auto& [id, mixture] : log_) {
      if (clean.items().count(id) > 0 || noisy.items().count(id) > 0) continue;
      plan_.faults.push_back(id + ": is missing; " + log_label_ + " names it");
    }
    for (const std::string& id : unlogged) {
      plan_.faults.push_back(clean.items().at(id).label + ": is too much; " + log_label_ +
                             " does not name it");
    }
    std::erase_if(pairs, [&](const PlannedPair& pair) { return unlogged.count(pair.id) > 0; });
  }

  const fs::path& source_;
  const PublishedSet& set_;
  VoiceBankPlan& plan_;
  Logger& logger_;
  std::string log_label_;
  std::map<std::string, LoggedMixture> log_;
};

}  // namespace

int64_t voicebank_count(Split split) {
  return split == Split::train ? 10802 : split == Split::valid ? 770 : 824;
}

bool voicebank_split(const std::string& speaker, Split& split) {
  if (holds(kTestSpeakers, speaker)) {
    split = Split::test;
  } else if (holds(kValidSpeakers, speaker)) {
    split = Split::valid;
  } else if (holds(kTrainSpeakers, speaker)) {
    split = Split::train;
  } else {
    return false;
  }
  return true;
}

std::map<std::string, LoggedMixture> parse_mixture_log(const TextFile& log, Logger& logger) {
  std::map<std::string, LoggedMixture> mixtures;
  std::vector<std::string> strange;
  size_t number = 0;
  for (size_t at = 0; at < log.text.size();) {
    const size_t end = std::min(log.text.find('\n', at), log.text.size());
    const std::vector<std::string> words =
        words_of(std::string_view(log.text).substr(at, end - at));
    at = end + 1;
    ++number;
    if (words.empty()) continue;
    const fs::path file = words.front();
    const std::string id = is_audio_path(file) ? file.stem().string() : file.filename().string();
    LoggedMixture mixture;
    if (!parse_line(words, mixture)) {
      strange.push_back(format("line %d is not understood: ", number) + join(words, " "));
      continue;
    }
    const auto [before, is_new] = mixtures.emplace(id, mixture);
    if (is_new || before->second == mixture) continue;
    strange.push_back(format("line %d says of %s another thing than before", number, id));
  }
  if (!strange.empty()) logger.warn(log.label + ":" + listed(strange, 3));
  return mixtures;
}

VoiceBankPlan plan_voicebank(const fs::path& source, Logger& logger) {
  require_folder(source);
  VoiceBankPlan plan;
  for (const PublishedSet& set : kSets) SetPlanner(source, set, plan, logger).run();
  std::stable_sort(plan.pairs.begin(), plan.pairs.end(),
                   [](const PlannedPair& a, const PlannedPair& b) { return a.split < b.split; });
  return plan;
}

std::string partial_note(const std::map<Split, int64_t>& counts) {
  std::vector<std::string> parts;
  bool whole = true;
  for (const Split split : kSplits) {
    const auto found = counts.find(split);
    const int64_t count = found == counts.end() ? 0 : found->second;
    whole = whole && count == voicebank_count(split);
    parts.push_back(format("%s %d of %d", split_name(split), count, voicebank_count(split)));
  }
  return whole ? "" : join(parts, ", ");
}

std::vector<std::string> check_voicebank(const Protocol& protocol,
                                         const std::vector<ManifestEntry>& entries) {
  std::vector<std::string> faults;
  std::map<Split, int64_t> counts;
  std::map<std::string, Split> wrong;
  int64_t other_rate = 0;
  for (const ManifestEntry& entry : entries) {
    ++counts[entry.split];
    other_rate += entry.rate_hz != kVoiceBankHz;
    Split split{};
    if (!voicebank_split(entry.speaker, split) || split != entry.split) {
      wrong.emplace(entry.speaker, entry.split);
    }
  }
  for (const auto& [speaker, split] : wrong) {
    faults.push_back(
        format("speaker '%s' does not belong to split %s of this set", speaker, split_name(split)));
  }
  if (other_rate > 0) {
    faults.push_back(format("%d pairs have another rate than %d Hz", other_rate, kVoiceBankHz));
  }
  const std::string note = partial_note(counts);
  if (!note.empty() && !protocol.partial) {
    faults.push_back("the set is not whole, and the protocol does not say so: " + note);
  }
  if (note.empty() && protocol.partial) {
    faults.push_back("the set is whole, and the protocol says that it is not: " + protocol.note);
  }
  return faults;
}

}  // namespace limbeck
