#include "limbeck/audio/audio_path.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace limbeck {
namespace {

// The types that libsndfile knows by their headers, but for MATLAB's and the MPC2000's: what has
// these names mostly holds something else.
constexpr std::string_view kExact[] = {".wav",  ".wave", ".bwf", ".rf64",  ".w64", ".flac", ".aif",
                                       ".aiff", ".aifc", ".au",  ".snd",   ".caf", ".voc",  ".nist",
                                       ".sph",  ".paf",  ".pvf", ".iff",   ".svx", ".8svx", ".sf",
                                       ".avr",  ".htk",  ".sds", ".ircam", ".sd2", ".wve",  ".xi"};
constexpr std::string_view kLossy[] = {".ogg", ".oga", ".opus", ".mp3", ".mp2", ".m1a"};
constexpr std::string_view kUnread[] = {".m4a",  ".mp4", ".m4b", ".mov", ".aac", ".wma", ".amr",
                                        ".3gp",  ".mka", ".mkv", ".ape", ".wv",  ".ac3", ".dts",
                                        ".webm", ".mpc", ".tta", ".spx", ".shn", ".ra",  ".dsf"};

template <class Names>
bool is_one_of(const Names& names, const std::filesystem::path& path) {
  return std::ranges::find(names, lower_extension(path)) != std::end(names);
}

}  // namespace

std::string lower_extension(const std::filesystem::path& path) {
  std::string text = path.extension().string();
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool is_audio_path(const std::filesystem::path& path) {
  return is_one_of(kExact, path) || is_lossy_path(path);
}

bool is_lossy_path(const std::filesystem::path& path) { return is_one_of(kLossy, path); }

bool is_unread_audio_path(const std::filesystem::path& path) { return is_one_of(kUnread, path); }

}  // namespace limbeck
