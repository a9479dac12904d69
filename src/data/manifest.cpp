#include "limbeck/data/manifest.h"

#include <algorithm>
#include <unordered_map>

#include "data/csv_row.h"
#include "limbeck/audio/audio_path.h"
#include "limbeck/core/csv.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/place.h"
#include "limbeck/data/pair_lengths.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kRecordingColumns = {"id",      "path", "speaker", "split",
                                                    "samples", "rate", "hash"};
const std::vector<std::string> kPairColumns = {
    "id", "clean", "noisy", "speaker", "split", "samples", "rate", "clean_hash", "noisy_hash"};

/// Where a side of some pair is cut.
const std::vector<std::string> kCutColumns = {"clean_cut", "noisy_cut"};

const std::vector<std::string>& columns_of(Manifest::Kind kind) {
  return kind == Manifest::Kind::recordings ? kRecordingColumns : kPairColumns;
}

Split split_of(const CsvRow& row) {
  Split split{};
  if (!parse_split(row.text("split"), split)) {
    row.fail("column 'split': '" + row.text("split") + "' is none of train, valid, test");
  }
  return split;
}

AudioFile file_of(const CsvRow& row, const std::string& path_column,
                  const std::string& hash_column) {
  const std::string& hash = row.hash(hash_column);
  return {row.file().parent_path() / row.non_empty(path_column), hash};
}

Manifest::Kind kind_of(const Csv& csv, const fs::path& path) {
  const bool pairs = csv.column("clean") >= 0 || csv.column("noisy") >= 0;
  const auto kind = pairs ? Manifest::Kind::pairs : Manifest::Kind::recordings;
  require_columns(csv, columns_of(kind), path,
                  std::string("a manifest of ") + (pairs ? "pairs" : "recordings"));
  return kind;
}

ManifestEntry entry_of(const CsvRow& row, Manifest::Kind kind, bool has_cuts) {
  ManifestEntry entry;
  entry.id = row.non_empty("id");
  entry.speaker = row.text("speaker");
  entry.split = split_of(row);
  entry.samples = row.integer("samples", 1, kMostSamples);
  entry.rate_hz = static_cast<int>(row.integer("rate", 1, kLargestRateHz));
  if (kind == Manifest::Kind::recordings) {
    entry.audio = file_of(row, "path", "hash");
  } else {
    entry.audio = file_of(row, "clean", "clean_hash");
    entry.noisy = file_of(row, "noisy", "noisy_hash");
    if (has_cuts) {
      const int64_t largest = largest_length_difference(entry.rate_hz);
      entry.audio.cut = row.integer("clean_cut", 0, largest);
      entry.noisy.cut = row.integer("noisy_cut", 0, largest);
    }
  }
  return entry;
}

}  // namespace

const char* split_name(Split split) {
  return split == Split::train ? "train" : split == Split::valid ? "valid" : "test";
}

bool parse_split(std::string_view text, Split& split) {
  for (const Split candidate : {Split::train, Split::valid, Split::test}) {
    if (text != split_name(candidate)) continue;
    split = candidate;
    return true;
  }
  return false;
}

std::string hash_audio(const std::vector<float>& samples) {
  return hash_bytes(samples.data(), samples.size() * sizeof(float));
}

void require_hash(const AudioFile& file, const std::vector<float>& samples) {
  if (is_lossy_path(file.path) || hash_audio(samples) == file.hash) return;
  throw ChangedFile(file.path.string() +
                    ": has another content than the manifest says; run limbeck-prepare again");
}

Manifest Manifest::read(const fs::path& path) {
  if (const std::string type = lower_extension(path); type == ".yaml" || type == ".yml") {
    throw DataError(path.string() + ": has the name of a protocol (" + type +
                    "); a manifest (.csv) is needed here");
  }
  const Csv csv = read_csv(path);
  Manifest manifest;
  manifest.path = path;
  manifest.kind = kind_of(csv, path);
  std::vector<size_t> extra;
  auto known = columns_of(manifest.kind);
  const bool has_cuts = manifest.kind == Kind::pairs && csv.column(kCutColumns[0]) >= 0 &&
                        csv.column(kCutColumns[1]) >= 0;
  if (has_cuts) known.insert(known.end(), kCutColumns.begin(), kCutColumns.end());
  for (size_t i = 0; i < csv.header.size(); ++i) {
    if (std::find(known.begin(), known.end(), csv.header[i]) != known.end()) continue;
    extra.push_back(i);
    manifest.extra_columns.push_back(csv.header[i]);
  }
  std::unordered_map<std::string, size_t> line_of_id;
  for (size_t i = 0; i < csv.rows.size(); ++i) {
    const CsvRow row(csv, i, path);
    ManifestEntry entry = entry_of(row, manifest.kind, has_cuts);
    const auto [before, is_new] = line_of_id.emplace(entry.id, csv.lines[i]);
    if (!is_new) row.fail(format("id '%s' stands in line %d too", entry.id, before->second));
    for (const size_t column : extra) entry.extra.push_back(csv.rows[i][column]);
    manifest.entries.push_back(std::move(entry));
  }
  return manifest;
}

void Manifest::write(const fs::path& file) const {
  const fs::path folder = place_of(file).parent_path();
  std::vector<std::string> header = columns_of(kind);
  const bool has_cuts = std::any_of(entries.begin(), entries.end(), [](const auto& entry) {
    return entry.audio.cut > 0 || entry.noisy.cut > 0;
  });
  if (has_cuts) header.insert(header.end(), kCutColumns.begin(), kCutColumns.end());
  header.insert(header.end(), extra_columns.begin(), extra_columns.end());
  std::string text = csv_line(header);
  for (const ManifestEntry& entry : entries) {
    std::vector<std::string> fields{entry.id, path_from(folder, entry.audio.path)};
    if (kind == Kind::pairs) fields.push_back(path_from(folder, entry.noisy.path));
    for (const std::string& field :
         {entry.speaker, std::string(split_name(entry.split)), std::to_string(entry.samples),
          std::to_string(entry.rate_hz), entry.audio.hash}) {
      fields.push_back(field);
    }
    if (kind == Kind::pairs) fields.push_back(entry.noisy.hash);
    if (has_cuts) {
      fields.push_back(std::to_string(entry.audio.cut));
      fields.push_back(std::to_string(entry.noisy.cut));
    }
    fields.insert(fields.end(), entry.extra.begin(), entry.extra.end());
    text += csv_line(fields);
  }
  write_file_atomically(file, text);
}

Manifest Manifest::filter(Split split) const {
  Manifest part = *this;
  std::erase_if(part.entries, [&](const ManifestEntry& entry) { return entry.split != split; });
  return part;
}

std::string Manifest::content_hash() const {
  std::string text = kind == Kind::pairs ? "pairs\n" : "recordings\n";
  for (const ManifestEntry& entry : entries) {
    text +=
        csv_line({entry.id, entry.speaker, split_name(entry.split), std::to_string(entry.samples),
                  std::to_string(entry.rate_hz), entry.audio.hash, entry.noisy.hash});
  }
  return hash_bytes(text.data(), text.size());
}

double Manifest::seconds() const {
  double sum = 0;
  for (const ManifestEntry& entry : entries) {
    sum += static_cast<double>(entry.samples) / entry.rate_hz;
  }
  return sum;
}

}  // namespace limbeck
