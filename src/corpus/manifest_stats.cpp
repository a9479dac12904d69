#include "limbeck/corpus/manifest_stats.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "limbeck/audio/io.h"
#include "limbeck/audio/mix.h"
#include "limbeck/core/cause.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/parallel.h"
#include "limbeck/data/listing.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

struct SideMeasures {
  double active_dbfs = 0;
  double rms_dbfs = 0;
  double peak_dbfs = 0;
  int64_t full_scale = 0;
  bool silent = false;
  bool offset = false;
};

struct EntryMeasures {
  double seconds = 0;
  std::array<SideMeasures, 2> sides;
  double snr_db = std::numeric_limits<double>::quiet_NaN();
  std::vector<Problem> oddities;
};

SideMeasures measure_side(const Waveform& wave) {
  // The largest 16-bit value; what is stored with more bits reaches it just the same when clipped.
  constexpr float kFullScale = 32767.0F / 32768.0F;
  SideMeasures m;
  m.active_dbfs = active_level_dbfs(wave.samples, wave.rate_hz);
  m.rms_dbfs = level_dbfs(wave.samples);
  m.silent = is_silent(wave.samples);
  m.offset = has_offset(wave.samples);
  float peak = 0;
  for (const float x : wave.samples) {
    peak = std::max(peak, std::abs(x));
    m.full_scale += std::abs(x) >= kFullScale;
  }
  m.peak_dbfs = 20 * std::log10(static_cast<double>(peak));
  return m;
}

double snr_of(const Waveform& clean, const Waveform& noisy) {
  std::vector<float> noise = noisy.samples;
  for (size_t i = 0; i < noise.size(); ++i) noise[i] -= clean.samples[i];
  return level_dbfs(clean.samples) - level_dbfs(noise);
}

/// Without what is cut.
Waveform read_used(const AudioFile& file) {
  Waveform wave = read_audio(file.path);
  wave.samples.resize(static_cast<size_t>(std::max<int64_t>(wave.size() - file.cut, 0)));
  return wave;
}

EntryMeasures measure_entry(const ManifestEntry& entry, bool pair) {
  EntryMeasures m;
  const Waveform clean = read_used(entry.audio);
  m.seconds = clean.seconds();
  m.sides[0] = measure_side(clean);
  add_oddity(entry.audio.path, clean.samples, m.oddities);
  if (!pair) return m;
  const Waveform noisy = read_used(entry.noisy);
  if (noisy.size() != clean.size() || noisy.rate_hz != clean.rate_hz) {
    throw DataError(format("%s: has %d samples at %d Hz and %s has %d at %d Hz", entry.audio.path,
                           clean.size(), clean.rate_hz, entry.noisy.path, noisy.size(),
                           noisy.rate_hz));
  }
  m.sides[1] = measure_side(noisy);
  add_oddity(entry.noisy.path, noisy.samples, m.oddities);
  m.snr_db = snr_of(clean, noisy);
  return m;
}

SideStats side_stats(const std::vector<EntryMeasures>& measures, size_t side,
                     const std::string& name) {
  SideStats stats;
  stats.side = name;
  std::vector<double> active;
  std::vector<double> rms;
  std::vector<double> peaks;
  for (const EntryMeasures& m : measures) {
    const SideMeasures& s = m.sides[side];
    stats.full_scale_samples += s.full_scale;
    stats.full_scale_files += s.full_scale > 0;
    stats.offset_files += s.offset;
    if (s.silent) {
      ++stats.silent_files;
      continue;
    }
    active.push_back(s.active_dbfs);
    rms.push_back(s.rms_dbfs);
    peaks.push_back(s.peak_dbfs);
  }
  stats.active_dbfs = spread(std::move(active));
  stats.rms_dbfs = spread(std::move(rms));
  stats.peak_dbfs = spread(std::move(peaks));
  return stats;
}

SplitStats split_stats(Split split, const std::vector<EntryMeasures>& measures, bool pairs) {
  SplitStats stats;
  stats.split = split;
  stats.files = static_cast<int64_t>(measures.size());
  std::vector<double> seconds;
  for (const EntryMeasures& m : measures) {
    seconds.push_back(m.seconds);
    stats.seconds += m.seconds;
    if (!pairs) continue;
    if (std::isfinite(m.snr_db)) {
      stats.snrs_db.push_back(m.snr_db);
    } else {
      ++stats.without_snr;
    }
  }
  std::sort(stats.snrs_db.begin(), stats.snrs_db.end());
  stats.seconds_of_file = spread(std::move(seconds));
  stats.sides.push_back(side_stats(measures, 0, pairs ? "clean" : "recording"));
  if (pairs) stats.sides.push_back(side_stats(measures, 1, "noisy"));
  return stats;
}

Problem problem_of(const ManifestEntry& entry, const std::string& message) {
  const bool about_noisy =
      !entry.noisy.path.empty() && message.starts_with(entry.noisy.path.string() + ": ");
  const fs::path& path = about_noisy ? entry.noisy.path : entry.audio.path;
  return {path.string(), without_path(message, path)};
}

}  // namespace

Spread spread(std::vector<double> values) {
  if (values.empty()) {
    constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
    return {kNan, kNan, kNan, kNan, kNan};
  }
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    const double place = share * static_cast<double>(values.size() - 1);
    const auto low = static_cast<size_t>(place);
    const size_t high = std::min(low + 1, values.size() - 1);
    return values[low] + (place - static_cast<double>(low)) * (values[high] - values[low]);
  };
  return {values.front(), at(0.05), at(0.5), at(0.95), values.back()};
}

std::map<int64_t, int64_t> histogram(const std::vector<double>& values, double width) {
  std::map<int64_t, int64_t> counts;
  for (const double value : values) ++counts[std::llround(std::floor(value / width))];
  if (counts.empty()) return counts;
  const int64_t last = counts.rbegin()->first;
  for (int64_t k = counts.begin()->first; k < last; ++k) counts.try_emplace(k, 0);
  return counts;
}

ManifestStats measure(const Manifest& manifest, int64_t threads, Logger& logger) {
  const bool pairs = manifest.kind == Manifest::Kind::pairs;
  const size_t count = manifest.entries.size();
  std::vector<std::optional<EntryMeasures>> measures(count);
  std::vector<std::string> reasons(count);
  Progress progress(logger, "measuring", pairs ? "pairs" : "files", static_cast<int64_t>(count));
  parallel_for(static_cast<int64_t>(count), threads, progress, [&](int64_t i) {
    const auto at = static_cast<size_t>(i);
    try {
      const ManifestEntry& entry = manifest.entries[at];
      measures[at] = within_memory(entry.audio.path, [&] { return measure_entry(entry, pairs); });
    } catch (const DataError& e) {
      reasons[at] = e.what();
    }
  });

  ManifestStats stats;
  for (const Split split : {Split::train, Split::valid, Split::test}) {
    std::vector<EntryMeasures> of_split;
    std::set<std::string> speakers;
    for (size_t i = 0; i < count; ++i) {
      const ManifestEntry& entry = manifest.entries[i];
      if (entry.split != split || !measures[i]) continue;
      of_split.push_back(*measures[i]);
      if (!entry.speaker.empty()) speakers.insert(entry.speaker);
    }
    if (of_split.empty()) continue;
    stats.splits.push_back(split_stats(split, of_split, pairs));
    stats.splits.back().speakers = static_cast<int64_t>(speakers.size());
  }
  for (size_t i = 0; i < count; ++i) {
    if (!measures[i]) {
      stats.problems.push_back(problem_of(manifest.entries[i], reasons[i]));
    } else {
      const auto& oddities = measures[i]->oddities;
      stats.oddities.insert(stats.oddities.end(), oddities.begin(), oddities.end());
    }
  }
  return stats;
}

}  // namespace limbeck
