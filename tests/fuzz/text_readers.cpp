// Configurations, tables and names.

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "config/sample.h"
#include "fuzz/memory_folder.h"
#include "fuzz/reader.h"
#include "limbeck/audio/io.h"
#include "limbeck/core/csv.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/id_paths.h"
#include "limbeck/core/json.h"
#include "limbeck/core/utf8.h"
#include "limbeck/corpus/prepare.h"
#include "limbeck/data/protocol.h"
#include "limbeck/data/recipe.h"

namespace limbeck::fuzz {
namespace {

namespace fs = std::filesystem;
using config::test::Sample;

/// The pieces of YAML.
const std::vector<std::string> kYaml = {"[",
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
                                        "\xEF\xBB\xBF"};

std::vector<std::string> with(std::vector<std::string> words,
                              const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// The same but for quotes, where these do not tell a text from a number.
bool is_same(const config::Node& a, const config::Node& b) {
  const bool is_numeric =
      !a.scalar.empty() &&
      std::string_view("+-.0123456789").find(a.scalar[0]) != std::string_view::npos;
  return a.kind == b.kind && a.scalar == b.scalar && (!is_numeric || !a.quoted || b.quoted) &&
         std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), is_same) &&
         std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(),
                    [](const auto& one, const auto& other) {
                      return one.key == other.key && is_same(one.value, other.value);
                    });
}

void require_kept(const config::Node& node, const std::string& yaml) {
  constexpr size_t kMostRead = 4 << 20;  // aliases, written out and indented, may come to more
  if (yaml.size() > kMostRead) return;
  config::Diagnostics diagnostics;
  const config::Node again = config::parse_yaml(yaml, "again", diagnostics);
  require(diagnostics.empty(), "what is written is sound");
  require(is_same(node, again), "what is written reads the same");
}

Reader configuration() {
  return {
      "configuration",
      {"name: a\nthreads: 2\nseeds: [1, 2, 3]\ntrain: {steps: 1000, lr: 1e-3, betas: [0.9, 0.99]}\n"
       "distill:\n  - cosine\n  - {name: distance, order: 2}\n",
       "name: &a 'x'\ntags: [*a, \"y\\n\"]\ntrain:\n  schedule:\n    shape: cosine\n",
       "name: a\nstudent:\n  x: &l [1, {a: b}]\n  y: |\n    text\n  z: *l\n# end\n",
       "--- {name: a, tags: [b, c], teachers: {t: {}}}\n...\n"},
      kYaml,
      [](const std::string& input) {
        config::Diagnostics diagnostics;
        const config::Node node = config::parse_yaml(input, "fuzz", diagnostics);
        if (diagnostics.empty()) {
          require_kept(node, config::to_yaml(node));
          require_kept(node, config::to_flow_yaml(node));
        }
        config::read<Sample>(node, diagnostics);
        diagnostics.throw_if_any();
      }};
}

/// A file among others that it may extend.
Reader extended_configuration() {
  const MemoryFolder folder;
  folder.put("base.yaml", "name: base\ntrain: {steps: 1000}\n");
  folder.put("b/part.yaml", "extends: [other.yaml]\nsteps: 5\nschedule: {warmup_steps: 1}\n");
  folder.put("b/other.yaml", "lr: 1e-3\n");
  link_input(folder, "a.yaml");
  return {
      "extended_configuration",
      {"extends: [base.yaml]\nname: b\n", "name: a\ntrain: {extends: [b/part.yaml], amp: true}\n",
       "extends: [base.yaml, ./base.yaml]\ntrain:\n  schedule: {extends: []}\n",
       "extends:\n  - base.yaml\nteachers:\n  t: {extends: [base.yaml], x: [{extends: []}]}\n"},
      with(kYaml, {"extends: ", "base.yaml", "[base.yaml]", "[a.yaml]", "b/part.yaml", "../", "/",
                   "./", "~/", "extends: [base.yaml, base.yaml]\n", "b/../a.yaml"}),
      [folder](const std::string& input) {
        put(input);
        config::load<Sample>({folder / "a.yaml"}, {});
      }};
}

Reader setting() {
  const MemoryFolder folder;
  folder.put("base.yaml",
             "name: base\ntrain: {steps: 1000}\ndistill: [cosine, {name: distance, order: 2}]\n"
             "student: {type: a, x: 1}\n");
  return {"setting",
          {"train.steps=500", "distill.1.weight=2", "teachers.t={a: [1, 2], b: c}", "note=",
           "train.schedule.shape=linear", "distill=[cosine]", "student.type=b", "name='x y'"},
          with(kYaml, {"=", ".", ".0.", "..", "train", "distill.0", "student.type", "x.y.z", "999",
                       "train.schedule.warmup_steps=", "steps", "epochs"}),
          [folder](const std::string& input) {
            config::load<Sample>({folder / "base.yaml"}, {input});
          }};
}

/// The pieces of tables.
const std::vector<std::string> kCsv = {
    ",",   "\"", "\"\"", "\n",       "\r\n",         "\r", "-1", "1e9",    "99999999999999999999",
    "../", "/",  ";",    "\xFF\xFE", "\xEF\xBB\xBF", "\t", "\\", "train,", std::string(1, '\0')};

Reader csv() {
  return {"csv",
          {"a,b\n1,2\n\n\"x,\"\"y\"\"\",\"two\nlines\"\n", "\xEF\xBB\xBFid,x\r\n,\"a\rb\"\r\n"},
          kCsv,
          [](const std::string& input) {
            const Csv read = parse_csv(input, "fuzz");
            std::string text = csv_line(read.header);
            for (const auto& row : read.rows) text += csv_line(row);
            const Csv again = parse_csv(text, "again");
            require(again.header == read.header && again.rows == read.rows,
                    "what is written reads the same");
          }};
}

Reader manifest() {
  const MemoryFolder folder;
  return {
      "manifest",
      {"id,path,speaker,split,samples,rate,hash\na,a.wav,s,train,10,16000,"
       "0123456789abcdef0123456789abcdef\n\"b,c\",b.wav,,test,5,8000,"
       "0123456789abcdef0123456789abcdef\n",
       "id,clean,noisy,speaker,split,samples,rate,clean_hash,noisy_hash\r\n"
       "x,c/x.wav,n/"
       "x.wav,p1,valid,7,48000,0123456789abcdef0123456789abcdef,"
       "0123456789abcdef0123456789abcdef\r\n",
       "id,clean,noisy,speaker,split,samples,rate,clean_hash,noisy_hash,clean_cut,noisy_cut,noise,"
       "snr_db\nx,c.wav,n.wav,p1,test,700,16000,0123456789abcdef0123456789abcdef,"
       "0123456789abcdef0123456789abcdef,0,256,bus,7.5\n",
       "hash,rate,samples,split,speaker,path,id,language,session\n"
       "0123456789abcdef0123456789abcdef,16000,9,valid,s,/a/b.flac,b,de,\"1, 2\"\n"},
      with(kCsv, {"id", "path", "test", "samples", "clean_cut", "noisy_cut", "0", "256", "hash",
                  "9223372036854775807"}),
      [folder](const std::string& input) {
        const Manifest read = Manifest::read(put(input));
        read.write(folder / "m.csv");
        const Manifest again = Manifest::read(folder / "m.csv");
        require(again.content_hash() == read.content_hash() &&
                    again.extra_columns == read.extra_columns,
                "what is written reads the same");
      }};
}

Reader recipe() {
  const MemoryFolder folder;
  return {
      "recipe",
      {"id,speech,noise,response,early_ms,snr_db,level_dbfs,speech_gain,noise_gain,samples,"
       "clean_hash,noisy_hash\nm1,a@0+10;b@5+6,n@0+16,r,50,5,-26,1,0.5,16,"
       "0123456789abcdef0123456789abcdef,"
       "0123456789abcdef0123456789abcdef\n"
       "m2,a@1+4,n@2+4,,0,-5.5,-30,0.25,2,4,0123456789abcdef0123456789abcdef,"
       "0123456789abcdef0123456789abcdef\n"},
      with(kCsv, {"@", "+", "nan", "inf", "1e400", "9223372036854775807", "a@0+1;", "@@", "++"}),
      [folder](const std::string& input) {
        const auto read = read_recipes(put(input));
        write_recipes(folder / "r.csv", read);
        const auto again = read_recipes(folder / "r.csv");
        require(std::equal(read.begin(), read.end(), again.begin(), again.end(),
                           [](const Recipe& a, const Recipe& b) {
                             return a.id == b.id && a.samples() == b.samples() &&
                                    pieces_text(a.noise) == pieces_text(b.noise) &&
                                    a.snr_db == b.snr_db && a.noise_gain == b.noise_gain;
                           }),
                "what is written reads the same");
      }};
}

Reader protocol() {
  const std::string lock = "hash: 9205b130e1892c0e6c5b7ae191992e79";
  return {"protocol",
          {"name: vb\nformat: 1\npartial: true\nnote: 120 of 824\nleak: ''\ntrain:\n  pairs:\n"
           "    - manifest: train.csv\n      " +
               lock + "\ntest:\n  pairs: [{manifest: ../t.csv, " + lock + "}]\n",
           "name: a\nformat: 1\ntrain:\n  speech: [{manifest: s.csv, " + lock +
               "}, {manifest: /t.csv, " + lock + "}]\n  noise: [{manifest: n.csv, " + lock +
               "}]\nvalid: {}\n"},
          with(kYaml, {"speech", "noise", "pairs", "manifest: ", "hash: ", "partial: true",
                       "format", "train:\n", "valid:\n", "test:\n", "note", "leak: x\n"}),
          [](const std::string& input) {
            const Protocol read = Protocol::read(put(input));
            read.content_hash();
            read.notes();
          }};
}

/// What `limbeck-prepare recordings --splits` reads, for two recordings.
Reader splits() {
  const MemoryFolder folder;
  for (const char* name : {"a.wav", "b/c.wav"}) {
    folder.put(name, "");
    write_audio(folder / name, {std::vector<float>(100, 0.25f), 16000});
  }
  link_input(folder, "splits.csv");
  return {"splits",
          {"file,split\na.wav,train\nb/c.wav,test\n",
           "split,file,speaker\nvalid,./a.wav,s\r\ntrain,b/../b/c.wav,\"t, u\"\r\n",
           "label,file,split,x\ns,a.wav,train,1\ns,a.wav,train,2\ns,b/c.wav,train,3\n"},
          with(kCsv, {"file", "split", "speaker", "label", "a.wav", "b/c.wav", "./", "b/..",
                      "valid", "test", "a.wav,train\n", "../", std::string(300, 'n') + "/"}),
          [folder](const std::string& input) {
            put(input);
            RecordingsOptions options;
            options.folders = {folder.path()};
            options.splits = {folder / "splits.csv"};
            options.speaker = SpeakerRule::none;  // nobody is told of unknown ones
            options.threads = 1;
            Logger logger(Verbosity::quiet);
            prepare_recordings(options, logger);
          }};
}

/// Bytes in which others are named, as JSON and terminals get them.
Reader names() {
  return {"names",
          {"plain", "caf\xC3\xA9/\xE2\x82\xAC.wav", "\xE9.wav", "\\xe9", "\\x5cx41",
           "a\x1b[31m\x7F", "\xF0\x9F\x8E\xB5"},
          {"\\", "\\x", "\\x5c", "\\xE9", "\\xff", "\xC2\x85", "\xED\xA0\x80", "\xF4\x90\x80\x80",
           "\xC0\xAF", "\xE2\x82", "\n", "\t", std::string(1, '\0'), "\x1b", "\xEF\xBB\xBF"},
          [](const std::string& input) {
            const std::string name = escape_bytes(input);
            require(unescape_bytes(name) == input, "a name comes back");
            require(parse_json<nlohmann::json>(nlohmann::json(name).dump()) == name,
                    "an escaped name is UTF-8");
            const std::string shown = displayable(input);
            require(nlohmann::json(shown).dump().size() >= shown.size(), "what is shown is UTF-8");
            require(displayable(shown) == shown, "what is shown is shown as it is");
          },
          {},
          true};
}

/// Ids, one a line, that files are named after.
Reader ids() {
  return {"ids",
          {"a\nb\nc/d\n", "x y\n.hidden\n...\n", "a\na.b\na/b\n", "\xE9\n\xC3\xA9\n"},
          {"/", "..", ".", "//", "./", "../", "a", "\n", "\n/", "/\n", std::string(1, '\0'), "\\",
           ".wav", "a.wav/b"},
          [](const std::string& input) {
            std::vector<std::string> ids;
            for (size_t at = 0; at < input.size();) {
              const size_t end = std::min(input.find('\n', at), input.size());
              ids.push_back(input.substr(at, end - at));
              at = end + 1;
            }
            require_paths_of_ids(ids, ".wav", "fuzz");
            std::vector<fs::path> files;
            for (const std::string& id : ids) {
              files.push_back((fs::path("/out") / path_of_id(id, ".wav")).lexically_normal());
              require(files.back().string().starts_with("/out/"), "files stay in the folder");
              require(files.back().has_filename(), "files have names");
            }
            std::sort(files.begin(), files.end());
            require(std::adjacent_find(files.begin(), files.end()) == files.end(),
                    "no two files are one");
          }};
}

}  // namespace

std::vector<MakeReader> text_readers() {
  return {configuration, extended_configuration,
          setting,       csv,
          manifest,      recipe,
          protocol,      splits,
          names,         ids};
}

}  // namespace limbeck::fuzz
