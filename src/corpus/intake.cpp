#include "corpus/intake.h"

#include <algorithm>
#include <cstdlib>

#include "limbeck/audio/io.h"
#include "limbeck/audio/resample.h"
#include "limbeck/core/cause.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/id_paths.h"
#include "limbeck/core/place.h"
#include "limbeck/data/pair_lengths.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSuffix = ".flac";

fs::path copy_of(const std::string& id, const char* side, const CopyOptions& copies) {
  return copies.folder / side / path_of_id(id, kSuffix);
}

/// At `rate_hz`, in one channel.
Waveform read_as_asked(const fs::path& path, int64_t rate_hz, const CopyOptions& copies) {
  const AudioInfo info = audio_info(path);
  if (info.rate_hz != rate_hz && !copies.resample) {
    throw DataError(
        format("%s: has %d Hz where %d Hz are asked for (--rate; --resample makes "
               "copies that have them)",
               path, info.rate_hz, rate_hz));
  }
  if (info.channels > 1 && !copies.channel.is_made()) {
    throw DataError(
        format("%s: has %d channels where one was expected (--channel makes copies of "
               "one, or of their mean)",
               path, info.channels));
  }
  Waveform wave = read_audio(path, {.channel = copies.channel});
  if (wave.rate_hz == rate_hz) return wave;
  try {
    return resample(wave, static_cast<int>(rate_hz));
  } catch (const DataError& e) {
    throw DataError(path.string() + ": " + e.what());
  }
}

}  // namespace

void require_places(const std::vector<ManifestEntry>& entries, const CopyOptions& copies,
                    const std::vector<const char*>& sides) {
  if (copies.folder.empty()) return;
  std::vector<std::string> ids;
  std::vector<fs::path> written;
  std::vector<fs::path> inputs;
  for (const ManifestEntry& entry : entries) {
    ids.push_back(entry.id);
    for (const char* side : sides) written.push_back(copy_of(entry.id, side, copies));
    inputs.push_back(entry.audio.path);
    if (!entry.noisy.path.empty()) inputs.push_back(entry.noisy.path);
  }
  require_paths_of_ids(ids, kSuffix, copies.folder.string());
  require_inputs_kept(written, inputs);
}

Waveform take_in(const fs::path& path, int64_t rate_hz, const CopyOptions& copies) {
  return within_memory(path, [&] {
    Waveform wave = read_as_asked(path, rate_hz, copies);
    if (wave.size() * 1000 < rate_hz) {  // has no level, let alone a spectrum
      throw DataError(format("%s: has %d samples (less than 1 ms), which cannot be mixed or scored",
                             path, wave.size()));
    }
    return wave;
  });
}

void keep(AudioFile& file, Waveform wave, const std::string& id, const char* side,
          const CopyOptions& copies, std::vector<Problem>& oddities) {
  const fs::path original = file.path;
  within_memory(original, [&] {
    if (!copies.folder.empty()) {
      const fs::path copy = copy_of(id, side, copies);
      make_folder(copy.parent_path());
      const int64_t clipped = write_audio(copy, wave);
      if (clipped > 0) {
        oddities.push_back(
            {original.string(), format("%d samples are clipped in its copy", clipped)});
      }
      wave = read_audio(copy);
      file.path = copy;
    }
    file.hash = hash_audio(wave.samples);
    add_oddity(file.path, wave.samples, oddities);
  });
}

int64_t common_length(const std::string& clean, const Waveform& clean_wave,
                      const std::string& noisy, const Waveform& noisy_wave) {
  const int64_t largest = largest_length_difference(clean_wave.rate_hz);
  if (std::abs(clean_wave.size() - noisy_wave.size()) > largest) {
    throw DataError(format("%s: has %d samples and %s has %d, more than %d (16 ms) apart", clean,
                           clean_wave.size(), noisy, noisy_wave.size(), largest));
  }
  return std::min(clean_wave.size(), noisy_wave.size());
}

std::string about_cuts(const std::vector<ManifestEntry>& pairs) {
  std::vector<std::string> cut;
  for (const ManifestEntry& pair : pairs) {
    const int64_t samples = std::max(pair.audio.cut, pair.noisy.cut);
    const AudioFile& file = pair.audio.cut > 0 ? pair.audio : pair.noisy;
    if (samples > 0) cut.push_back(format("%s: by %d samples", file.path, samples));
  }
  if (cut.empty()) return "";
  return cut_text(cut.size(), pairs.size()) +
         " (columns clean_cut and noisy_cut):" + listed(cut, 3);
}

}  // namespace limbeck
