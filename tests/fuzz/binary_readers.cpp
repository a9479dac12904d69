// Containers: safetensors, audio, zip.

#include <sndfile.h>
#include <unistd.h>

#include "corpus/made_voicebank.h"
#include "corpus/voicebank/zip_archive.h"
#include "fuzz/memory_folder.h"
#include "fuzz/reader.h"
#include "limbeck/audio/io.h"
#include "limbeck/audio/stream_reader.h"
#include "limbeck/audio/stream_writer.h"
#include "limbeck/core/safetensors.h"

namespace limbeck::fuzz {
namespace {

Reader safetensors() {
  SafeTensorsHeader header;
  header.tensors["a"] = {"F32", {2, 3}, 0, 24};
  header.tensors["b"] = {"U8", {4}, 24, 28};
  header.metadata["limbeck"] = R"({"format":1,"model":"name: x"})";
  return {"safetensors",
          {safetensors_header_bytes(header) + std::string(28, 'x'), safetensors_header_bytes({})},
          {"{",
           "[",
           "\"",
           ":",
           ",",
           "}",
           "]",
           "\"a\":",
           R"({"dtype":"F32","shape":[1]})",
           "-1",
           "1.5",
           "18446744073709551615",
           "4611686018427387904",
           "\"__metadata__\"",
           "null",
           "\\u0000",
           "\xFF",
           "data_offsets",
           "[0,0]",
           "[0,4]"},
          [](const std::string& input) {
            const auto read = parse_safetensors_header(input, "fuzz");
            const std::string data(input.size() - read.data_begin, 'x');
            const std::string bytes = safetensors_header_bytes(read) + data;
            const auto again = parse_safetensors_header(bytes, "again");
            require(again.metadata == read.metadata && again.tensors.size() == read.tensors.size(),
                    "what is written reads the same");
          }};
}

/// As `limbeck-enhance --format NAME` writes it; "" where libsndfile is built without that.
std::string sound_as(const std::string& name, int encoding, int channels, int64_t frames) {
  const MemoryFolder folder;
  try {
    const StreamInfo info = with_format({16000, channels, frames, 0, encoding}, name);
    const auto writer = StreamWriter::create(folder / "a", info);
    std::vector<float> samples(static_cast<size_t>(frames * channels));
    for (size_t i = 0; i < samples.size(); ++i) samples[i] = 0.01F * static_cast<float>(i % 40);
    writer->write(samples);
    writer->finish();
    return read_file(folder / "a");
  } catch (const ConfigError&) {
    return "";
  }
}

const std::vector<std::string> kChunks = {"RIFF",
                                          "RIFX",
                                          "RF64",
                                          "BW64",
                                          "WAVE",
                                          "fmt ",
                                          "data",
                                          "LIST",
                                          "PEAK",
                                          "fact",
                                          "ds64",
                                          "FORM",
                                          "AIFF",
                                          "AIFC",
                                          "COMM",
                                          "SSND",
                                          "NONE",
                                          "sowt",
                                          ".snd",
                                          "caff",
                                          "desc",
                                          "lpcm",
                                          "pakt",
                                          "riff",
                                          "MAT5",
                                          "NIST",
                                          "OggS",
                                          "fLaC",
                                          std::string(4, '\0'),
                                          std::string(8, '\0'),
                                          std::string(4, '\xFF'),
                                          std::string(8, '\xFF')};

void read_bytes(const std::string& input) { read_audio_bytes(input, "fuzz", {.channel = 0}); }

/// libsndfile takes much for MP3, whose decoder complains of it by itself.
Reader audio_reader(const std::string& name, const std::vector<std::string>& sound,
                    const std::vector<std::string>& words,
                    const std::function<void(const std::string&)>& read = read_bytes) {
  Reader reader{name, {}, words, read};
  for (const std::string& one : sound) {
    if (!one.empty()) reader.sound.push_back(one);
  }
  reader.is_loud = true;
  return reader;
}

Reader audio() {
  return audio_reader(
      "audio",
      {sound_as("wav", SF_FORMAT_PCM_16, 1, 300), sound_as("wav", SF_FORMAT_FLOAT, 2, 20),
       sound_as("wav", SF_FORMAT_IMA_ADPCM, 1, 600), sound_as("rf64", SF_FORMAT_PCM_24, 1, 30),
       sound_as("w64", SF_FORMAT_ULAW, 1, 60), sound_as("aiff", SF_FORMAT_PCM_16, 2, 60),
       sound_as("aiff", SF_FORMAT_FLOAT, 1, 30), sound_as("au", SF_FORMAT_ALAW, 1, 60),
       sound_as("caf", SF_FORMAT_PCM_16, 1, 60), sound_as("caf", SF_FORMAT_ALAC_16, 1, 300)},
      kChunks);
}

/// FLAC as an encoder leaves it that cannot go back: without its length.
std::string without_length(std::string flac) {
  flac.at(21) = static_cast<char>(flac.at(21) & 0xf0);
  flac.replace(22, 4, 4, '\0');
  return flac;
}

const std::vector<std::string> kFrames = {"OggS",
                                          "\x01vorbis",
                                          "\x03vorbis",
                                          "\x05vorbis",
                                          "OpusHead",
                                          "OpusTags",
                                          "fLaC",
                                          "\xFF\xF8",
                                          "ID3",
                                          "Xing",
                                          "Info",
                                          "VBRI",
                                          "TAG",
                                          "\xFF\xFB\x90\x64",
                                          "\xFF\xF3\x48\xC4",
                                          std::string(4, '\0'),
                                          std::string(8, '\0'),
                                          std::string(8, '\xFF')};

Reader flac() {
  const std::string sound = sound_as("flac", SF_FORMAT_PCM_16, 1, 300);
  return audio_reader(
      "flac", {sound, sound_as("flac", SF_FORMAT_PCM_24, 2, 50), without_length(sound)}, kFrames);
}

Reader ogg() {
  return audio_reader(
      "ogg", {sound_as("ogg", SF_FORMAT_VORBIS, 1, 300), sound_as("opus", SF_FORMAT_OPUS, 1, 960)},
      kFrames);
}

/// Some by name: libsndfile takes a file for MP3 by its extension, too. Not all, for its decoder
/// looks for frames byte by byte, with a call of the system each.
Reader mp3() {
  const MemoryFolder folder;
  link_input(folder, "a.mp3");
  const std::string sound = sound_as("mp3", SF_FORMAT_MPEG_LAYER_III, 1, 2000);
  const std::string other = sound_as("wav", SF_FORMAT_PCM_16, 1, 30);
  const std::string tag = std::string("ID3\3\0\0\0\0\0\x0A", 10) + std::string(10, '\0');
  return audio_reader("mp3", {sound, sound.empty() ? "" : tag + sound, other}, kFrames,
                      [folder](const std::string& input) {
                        if (input.size() % 16 != 0) return read_bytes(input);
                        put(input);
                        const auto stream = StreamReader::open(folder / "a.mp3");
                        while (!stream->read(1000).empty()) {
                        }
                        read_audio(folder / "a.mp3", {.channel = 0, .start = 1, .count = 1});
                      });
}

/// WAV as `limbeck-enhance -` takes it from a pipe.
Reader wav_pipe() {
  std::string open_ended = sound_as("wav", SF_FORMAT_PCM_16, 1, 30);
  open_ended.replace(4, 4, 4, '\xFF');
  open_ended.replace(40, 4, 4, '\xFF');
  return {"wav_pipe",
          {sound_as("wav", SF_FORMAT_PCM_16, 1, 30), sound_as("wav", SF_FORMAT_FLOAT, 2, 20),
           sound_as("wav", SF_FORMAT_PCM_U8, 1, 31), sound_as("rf64", SF_FORMAT_PCM_24, 1, 30),
           open_ended},
          kChunks,
          [](const std::string& input) {
            const std::filesystem::path path = put(input);
            const int descriptor = std::stoi(path.filename());
            if (::lseek(descriptor, 0, SEEK_SET) != 0) throw std::runtime_error("lseek");
            const auto stream = StreamReader::open_pipe(descriptor, "fuzz", nullptr);
            while (!stream->read(1000).empty()) {
            }
            stream->drain();
          }};
}

Reader zip() {
  const test::TempDir dir;
  test::put_zip(dir / "a.zip", {{"folder/", ""},
                                {"folder/a.wav", std::string(2000, 'a')},
                                {"log.txt", "p226_001 bus 7.5\n"}});
  return {"zip",
          {read_file(dir / "a.zip")},
          {"PK\x03\x04", "PK\x01\x02", "PK\x05\x06", "PK\x06\x06", "PK\x06\x07", "../", "/", "./",
           std::string(4, '\0'), std::string(4, '\xFF'), "\x01\x99"},
          [](const std::string& input) {
            const ZipArchive archive(put(input));
            for (const auto& member : archive.members()) archive.read(member);
          }};
}

}  // namespace

std::vector<MakeReader> binary_readers() {
  return {safetensors, audio, flac, ogg, mp3, wav_pipe, zip};
}

}  // namespace limbeck::fuzz
