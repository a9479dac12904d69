#include <sndfile.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "audio/pcm.h"
#include "limbeck/audio/stream_writer.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

struct NamedFormat {
  const char* name;
  int container;
  int encoding;  ///< the only one, or 0
};

constexpr NamedFormat kFormats[] = {
    {"wav", SF_FORMAT_WAV, 0},
    {"flac", SF_FORMAT_FLAC, 0},
    {"ogg", SF_FORMAT_OGG, SF_FORMAT_VORBIS},
    {"opus", SF_FORMAT_OGG, SF_FORMAT_OPUS},
    {"mp3", SF_FORMAT_MPEG, SF_FORMAT_MPEG_LAYER_III},
    {"aiff", SF_FORMAT_AIFF, 0},
    {"au", SF_FORMAT_AU, 0},
    {"caf", SF_FORMAT_CAF, 0},
    {"w64", SF_FORMAT_W64, 0},
    {"rf64", SF_FORMAT_RF64, 0},
};

/// Encodings that hold as much as `like`, the closest first, then those that hold less.
std::vector<int> encodings_like(int like) {
  std::vector<int> tried{like};
  if (like == SF_FORMAT_DOUBLE) tried.push_back(SF_FORMAT_DOUBLE);
  if (keeps_floats(like)) tried.push_back(SF_FORMAT_FLOAT);
  const int bits = keeps_floats(like) ? 24 : integer_bits(like) == 0 ? 16 : integer_bits(like);
  constexpr std::pair<int, int> kPlain[] = {{8, SF_FORMAT_PCM_U8},
                                            {8, SF_FORMAT_PCM_S8},
                                            {16, SF_FORMAT_PCM_16},
                                            {24, SF_FORMAT_PCM_24},
                                            {32, SF_FORMAT_PCM_32}};
  for (const auto& [held, encoding] : kPlain) {
    if (held >= bits) tried.push_back(encoding);
  }
  for (auto plain = std::rbegin(kPlain); plain != std::rend(kPlain); ++plain) {
    if (plain->first < bits) tried.push_back(plain->second);
  }
  return tried;
}

}  // namespace

StreamInfo with_format(const StreamInfo& like, const std::string& name) {
  const auto* format_of_name = std::find_if(std::begin(kFormats), std::end(kFormats),
                                            [&](const NamedFormat& f) { return f.name == name; });
  if (format_of_name == std::end(kFormats)) {
    std::vector<std::string> known;
    for (const NamedFormat& f : kFormats) known.emplace_back(f.name);
    throw ConfigError("unknown audio format '" + name + "'; known: " + join(known, ", "));
  }
  StreamInfo info = like;
  info.container = format_of_name->container;
  const std::vector<int> tried = format_of_name->encoding != 0
                                     ? std::vector<int>{format_of_name->encoding}
                                     : encodings_like(like.encoding);
  for (const int encoding : tried) {
    info.encoding = encoding;
    if (can_write(info)) return info;
  }
  throw ConfigError(
      format("%d channels of %d Hz cannot be written as %s", like.channels, like.rate_hz, name));
}

}  // namespace limbeck
