#pragma once

#include <filesystem>
#include <string>

namespace limbeck {

/// The extension of a name, with its dot, in lower case.
std::string lower_extension(const std::filesystem::path& path);

/// True for the names that Limbeck looks for in folders: .wav, .flac, .ogg, .mp3, .aiff and other
/// types that libsndfile reads, in any case.
bool is_audio_path(const std::filesystem::path& path);

/// True for those of them that decoders of several machines may read with other last bits: a hash
/// of the samples proves nothing.
bool is_lossy_path(const std::filesystem::path& path);

/// True for the names of recordings of other types (.m4a, .wma and so on).
bool is_unread_audio_path(const std::filesystem::path& path);

}  // namespace limbeck
