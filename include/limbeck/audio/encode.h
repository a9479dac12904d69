#pragma once

#include <string>

#include "limbeck/audio/io.h"

namespace limbeck {

/// The bytes of a WAV file, as write_audio makes them. Throws DataError if the waveform is empty or
/// a sample is not finite.
std::string wav_bytes(const Waveform& waveform, SampleFormat sample_format = SampleFormat::pcm16);

}  // namespace limbeck
