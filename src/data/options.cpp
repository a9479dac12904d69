#include "limbeck/data/options.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "data/source.h"

namespace limbeck {
namespace {

ExampleOptions example_options(const DataOptions& options, double seconds, int64_t cache_mb) {
  return {options.rate_hz, std::llround(seconds * static_cast<double>(options.rate_hz)),
          short_items(options.short_items), cache_mb};
}

/// Each recording is read once in a while, so nothing is kept.
ExampleOptions fixed_options(const DataOptions& options) {
  return example_options(options, options.valid_segment_seconds, 0);
}

/// As if the set were the main one.
DataOptions options_of(const DataOptions& options, const ValidSetOptions& set) {
  DataOptions of_set = options;
  of_set.source = set.source;
  of_set.valid_count = set.count;
  of_set.valid_segment_seconds = set.segment_seconds;
  return of_set;
}

/// Stands before the "/" in the keys of its values.
bool is_plain(const std::string& name) {
  const auto is_plain = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_plain);
}

bool unique_names(const std::vector<ValidSetOptions>& sets) {
  std::set<std::string> names;
  for (const ValidSetOptions& set : sets) names.insert(set.name);
  return names.size() == sets.size();
}

void require_segment(config::Visitor& v, double seconds, std::string_view key) {
  v.require(seconds == 0 || seconds >= 0.1, key, "must be 0 or at least 0.1");
}

}  // namespace

std::unique_ptr<DataSource> make_source(const SourceOptions& options) {
  return data_sources().build(options.chosen.name(), *options.chosen);
}

void SourceOptions::describe(config::Visitor& v) {
  v.choice("type", chosen, data_sources(), "kind of data set");
}

void ValidSetOptions::describe(config::Visitor& v) {
  v.value("name", name, "stands before its values: vbd/si_sdr", config::any().required());
  v.section("source", source, "what its examples are made of, those of split valid");
  v.value("count", count, "number of fixed examples; 0: one an entry", config::at_least(0));
  v.value("segment_seconds", segment_seconds,
          "length of an example; 0: whole recordings, in batches of like length",
          config::between(0, 60));
  v.require(is_plain(name), "name", "must be of letters, digits, _ and -");
  require_segment(v, segment_seconds, "segment_seconds");
}

void DataOptions::describe(config::Visitor& v) {
  v.section("source", source, "what examples are made of");
  v.value("allow_leak", allow_leak,
          "go on where train, valid and test share files or speakers; every result then says so",
          config::any().no_effect());
  v.value("rate_hz", rate_hz, "sample rate that all recordings must have",
          config::between(8000, 192000));
  v.value("segment_seconds", segment_seconds, "length of a training example",
          config::between(0.1, 60));
  v.value(
      "short_items", short_items,
      "recordings shorter than a segment: pad (masked in the loss), repeat, or concatenate with "
      "others of the speaker",
      config::one_of({"pad", "repeat", "concatenate"}));
  v.section("augment", augment, "changes to whole batches, in training only");
  v.value("epochs_unique", epochs_unique,
          "epochs after which the batches come again, with their order and draws, so that what a "
          "teacher says of them can be kept; 0: every epoch draws anew",
          config::between(0, 1e6));
  v.value("valid_count", valid_count, "number of fixed validation examples; 0: one an entry",
          config::at_least(0));
  v.value("valid_segment_seconds", valid_segment_seconds,
          "length of a validation example; 0: whole recordings, in batches of like length",
          config::between(0, 60));
  v.value("valid_seed", valid_seed, "names the fixed set; independent of the training seed",
          config::at_least(0));
  v.list("valid_sets", valid_sets, "what is validated on, too");
  v.value("workers", workers, "threads that make batches; 0 makes them in the training thread",
          config::between(0, 256).no_effect());
  v.value("prefetch", prefetch, "batches made ahead", config::between(1, 1024).no_effect());
  v.value("cache_mb", cache_mb, "memory for decoded recordings",
          config::between(0, 1 << 20).no_effect());
  require_segment(v, valid_segment_seconds, "valid_segment_seconds");
  v.require(unique_names(valid_sets), "valid_sets", "two of them have one name");
}

std::string DataOptions::protocol_file() const { return make_source(source)->protocol_file(); }

std::vector<std::string> DataOptions::valid_set_names() const {
  std::vector<std::string> names = {""};
  for (const ValidSetOptions& set : valid_sets) names.push_back(set.name);
  return names;
}

DataSelection select_data(const DataOptions& options) {
  DataSelection data = make_source(options.source)->select();
  for (const ValidSetOptions& set : options.valid_sets) {
    data.valid_sets.push_back(make_source(set.source)->select());
    // Training takes nothing from it, and what is there to be tested on is no concern of this run.
    data.valid_sets.back().train = {};
    data.valid_sets.back().test = {};
  }
  return data;
}

std::unique_ptr<Dataset> make_train_dataset(const DataOptions& options, const DataSelection& data) {
  return make_source(options.source)
      ->make_dataset(data, Split::train,
                     example_options(options, options.segment_seconds, options.cache_mb));
}

std::unique_ptr<Dataset> make_train_dataset(const DataOptions& options) {
  return make_train_dataset(options, select_data(options));
}

std::unique_ptr<Dataset> make_fixed_dataset(const DataOptions& options, const DataSelection& data,
                                            Split split) {
  return make_source(options.source)->make_dataset(data, split, fixed_options(options));
}

ValidationSet make_validation_set(const DataOptions& options, const DataSelection& data,
                                  int64_t batch_size) {
  const auto seed = static_cast<uint64_t>(options.valid_seed);
  auto fixed = make_source(options.source)->make_fixed_validation(data, fixed_options(options));
  if (fixed) return {std::move(fixed), 0, seed, batch_size};
  return {make_fixed_dataset(options, data, Split::valid), options.valid_count, seed, batch_size};
}

std::vector<NamedValidationSet> make_validation_sets(const DataOptions& options,
                                                     const DataSelection& data,
                                                     int64_t batch_size) {
  std::vector<NamedValidationSet> sets;
  sets.push_back({"", make_validation_set(options, data, batch_size)});
  for (size_t i = 0; i < options.valid_sets.size(); ++i) {
    const ValidSetOptions& set = options.valid_sets[i];
    sets.push_back({set.name, make_validation_set(options_of(options, set), data.valid_sets.at(i),
                                                  batch_size)});
  }
  return sets;
}

std::map<std::string, std::string> content_of(const DataOptions& options) {
  const DataSelection data = select_data(options);
  std::map<std::string, std::string> all;
  for (const auto& [key, hash] : make_source(options.source)->contents(data, options.rate_hz)) {
    all["source." + key] = hash;
  }
  for (size_t i = 0; i < options.valid_sets.size(); ++i) {
    const ValidSetOptions& set = options.valid_sets[i];
    const auto source = make_source(set.source);
    for (const auto& [key, hash] : source->contents(data.valid_sets.at(i), options.rate_hz)) {
      all["valid_files." + set.name + "." + key] = hash;
    }
  }
  return all;
}

LoaderOptions loader_options(const DataOptions& options, int64_t batch_size, Logger* logger) {
  return {batch_size,      options.workers, options.prefetch,
          options.augment, logger,          options.epochs_unique};
}

}  // namespace limbeck
