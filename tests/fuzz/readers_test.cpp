#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "config/sample.h"
#include "corpus/made_voicebank.h"
#include "corpus/voicebank/zip_archive.h"
#include "fuzz/fuzzer.h"
#include "limbeck/audio/io.h"
#include "limbeck/core/csv.h"
#include "limbeck/core/safetensors.h"
#include "limbeck/data/manifest.h"
#include "limbeck/data/recipe.h"
#include "limbeck/data/training_record.h"
#include "limbeck/run/identity.h"

namespace limbeck::fuzz {
namespace {

/// The input as a file, for readers that want one; it lies in memory.
std::filesystem::path put(const std::string& bytes) {
  static const int file = ::memfd_create("fuzz", MFD_CLOEXEC);
  if (::ftruncate(file, 0) != 0 ||
      ::pwrite(file, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    ADD_FAILURE() << "the input cannot be written: " << std::strerror(errno);
  }
  return "/proc/self/fd/" + std::to_string(file);
}

Reader configuration() {
  return {
      "configuration",
      {"name: a\nthreads: 2\nseeds: [1, 2, 3]\ntrain: {steps: 1000, lr: 1e-3, betas: [0.9, 0.99]}\n"
       "distill:\n  - cosine\n  - {name: distance, order: 2}\n",
       "name: &a 'x'\ntags: [*a, \"y\\n\"]\ntrain:\n  schedule:\n    shape: cosine\n",
       "name: a\nstudent:\n  x: &l [1, {a: b}]\n  y: |\n    text\n  z: *l\n# end\n",
       "--- {name: a, tags: [b, c], teachers: {t: {}}}\n...\n"},
      {"[",
       "{a: ",
       "- ",
       "? ",
       "&a ",
       "*a",
       "!t ",
       "\t",
       "\n",
       "\n  ",
       ": ",
       "'",
       "\"",
       "|\n",
       ">\n",
       "#",
       "---\n",
       "...\n",
       "<<: *a\n",
       "%YAML 1.2\n",
       "99999999999999999999",
       "-",
       "~",
       ".inf",
       "1e999",
       "extends: [a]\n",
       "\xFF",
       "]",
       "}",
       ",",
       "\xEF\xBB\xBF"},
      [](const std::string& input) {
        config::Diagnostics diagnostics;
        const config::Node node = config::parse_yaml(input, "fuzz", diagnostics);
        config::to_yaml(node);
        config::read<config::test::Sample>(node, diagnostics);
        diagnostics.throw_if_any();
      }};
}

Reader manifest() {
  return {
      "manifest",
      {"id,path,speaker,split,samples,rate,hash\na,a.wav,s,train,10,16000,"
       "0123456789abcdef0123456789abcdef\n\"b,c\",b.wav,,test,5,8000,"
       "0123456789abcdef0123456789abcdef\n",
       "id,clean,noisy,speaker,split,samples,rate,clean_hash,noisy_hash\r\n"
       "x,c/x.wav,n/"
       "x.wav,p1,valid,7,48000,0123456789abcdef0123456789abcdef,"
       "0123456789abcdef0123456789abcdef\r\n"},
      {",", "\"", "\"\"", "\n", "\r\n", "id", "path", "-1", "1e9", "99999999999999999999", "train",
       "../", "/", "\xFF\xFE", "\xEF\xBB\xBF", ";", "\t", std::string(1, '\0'), "samples"},
      [](const std::string& input) { Manifest::read(put(input)).content_hash(); }};
}

Reader recipe() {
  return {"recipe",
          {"id,speech,noise,response,early_ms,snr_db,level_dbfs,speech_gain,noise_gain,samples,"
           "clean_hash,noisy_hash\nm1,a@0+10;b@5+6,n@0+16,r,50,5,-26,1,0.5,16,"
           "0123456789abcdef0123456789abcdef,"
           "0123456789abcdef0123456789abcdef\n"
           "m2,a@1+4,n@2+4,,0,-5.5,-30,0.25,2,4,0123456789abcdef0123456789abcdef,"
           "0123456789abcdef0123456789abcdef\n"},
          {"@", "+", ";", ",", "\"", "\n", "-1", "nan", "inf", "1e400", "9223372036854775807",
           "a@0+1;", "@@", "++", "\xFF"},
          [](const std::string& input) { read_recipes(put(input)); }};
}

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
          [](const std::string& input) { parse_safetensors_header(input, "fuzz"); }};
}

Reader records() {
  return {"records",
          {Identity("run", 1, config::Node::make_map({})).text(),
           R"({"kind":"k","format":2,"facts":{"a":{"b":[1,2.5,"x",true,null]}}})",
           R"({"format":1,"source":"s","protocol":"p","protocol_hash":"","notes":["n"],)"
           R"("columns":["id","stem","speaker","hash","noisy_hash","seconds","is_noise"],)"
           R"("train":[["a","b","c","","",1.5,false]],"valid":[],"teacher":[],)"
           R"("teacher_unknown":false})"},
          {"[", "{", "{\"a\":", "]", "}", ",", "\"", "1e400", "-0", "null", "\\ud800", "\xFF",
           "\"facts\":", "99999999999999999999"},
          [](const std::string& input) {
            try {
              const Identity identity = Identity::parse(input, "fuzz");
              identity.differences(identity);
              identity.hash();
            } catch (const DataError&) {
              TrainingRecord::parse(input, "fuzz").text();
            }
          }};
}

Reader audio() {
  std::vector<std::string> sound;
  const test::TempDir dir;
  for (const char* name : {"a.wav", "a.flac", "a.ogg"}) {
    write_audio(dir / name, {std::vector<float>(300, 0.25f), 16000});
    sound.push_back(read_file(dir / name));
  }
  write_audio(dir / "f.wav", {{0.1f, -0.2f, 0.3f}, 48000}, SampleFormat::float32);
  sound.push_back(read_file(dir / "f.wav"));
  return {"audio",
          sound,
          {"RIFF",
           "RIFX",
           "RF64",
           "WAVE",
           "fmt ",
           "data",
           "LIST",
           "PEAK",
           "fact",
           "ds64",
           "OggS",
           "fLaC",
           "\x01vorbis",
           "OpusHead",
           "FORM",
           "AIFF",
           "AIFC",
           ".snd",
           "caff",
           "riff",
           "FLAC",
           "MAT5",
           "\xFF\xFB",
           "ID3",
           std::string(8, '\0'),
           std::string(8, '\xFF')},
          [](const std::string& input) { read_audio_bytes(input, "fuzz", {.channel = 0}); }};
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

class Fuzz : public testing::TestWithParam<Reader (*)()> {};

TEST_P(Fuzz, EveryInputIsReadOrRefused) { expect_answers(GetParam()()); }

std::string name_of(const testing::TestParamInfo<Reader (*)()>& reader) {
  return reader.param().name;
}

INSTANTIATE_TEST_SUITE_P(Readers, Fuzz,
                         testing::Values(configuration, manifest, recipe, safetensors, records,
                                         audio, zip),
                         name_of);

}  // namespace
}  // namespace limbeck::fuzz
