// What a run leaves in its folder, and the journal of a conversion: written by this program, and
// copied, cut short and edited by others.

#include <nlohmann/json.hpp>

#include "corpus/voicebank/conversion_journal.h"
#include "fuzz/memory_folder.h"
#include "fuzz/reader.h"
#include "limbeck/core/crc32c.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/data/training_record.h"
#include "limbeck/run/continuation.h"
#include "limbeck/run/event_file.h"
#include "limbeck/run/metrics_log.h"
#include "limbeck/run/run_details.h"
#include "limbeck/run/run_plot.h"
#include "run/support.h"

namespace limbeck::fuzz {
namespace {

namespace fs = std::filesystem;

/// The pieces of JSON.
const std::vector<std::string> kJson = {"[",
                                        "{",
                                        "{\"a\":",
                                        "]",
                                        "}",
                                        ",",
                                        ":",
                                        "\"",
                                        "\"x\"",
                                        "1e400",
                                        "-0",
                                        "-1",
                                        "1.5",
                                        "1e300",
                                        "null",
                                        "true",
                                        "{}",
                                        "[]",
                                        "\\ud800",
                                        "\\u0000",
                                        "\n",
                                        "\xFF",
                                        "9223372036854775807",
                                        "99999999999999999999"};

std::vector<std::string> json_and(std::vector<std::string> more) {
  more.insert(more.end(), kJson.begin(), kJson.end());
  return more;
}

/// A run of two checkpoints, the second of which is not held against any size or hash.
MemoryFolder made_run() {
  const MemoryFolder folder;
  test::put_run(folder.path(), 5, 10);
  test::put_run(folder.path(), 8, 10, test::made_identity(), false);
  folder.put("checkpoints/step-00000008/manifest.json", R"({"format": 1, "step": 8, "files": {}})");
  folder.put("metrics.jsonl", "{\"step\": 8, \"split\": \"valid\", \"si_sdr\": 1}\n");
  folder.put("environment.json", R"({"libtorch": "2.6.0", "threads": 2})");
  return folder;
}

/// The page of `limbeck-runs show`. It looks at all files of the run, so not for each input.
void inspect_some(const MemoryFolder& run, const std::string& input) {
  if (input.size() % 16 == 0) inspect_run(run.path());
}

void link_in(const MemoryFolder& folder, const std::string& name) {
  fs::remove(folder / name);
  link_input(folder, name);
}

Reader identity() {
  return {"identity",
          {Identity("run", 1, config::Node::make_map({})).text(), test::made_identity().text(),
           R"({"kind":"k","format":2,"facts":{"a":{"b":[1,2.5,"x",true,null]}}})",
           R"({"kind":"training","format":1,"facts":{"train":{"steps":9,"extended":)"
           R"([{"at":3,"from":5,"to":9}]}}})"},
          json_and({"\"facts\":", "\"kind\":", "\"train\":", "\"extended\":", "\"at\":"}),
          [](const std::string& input) {
            const Identity read = Identity::parse(input, "fuzz");
            const Identity again = Identity::parse(read.text(), "again");
            require(again == read && again.hash() == read.hash(), "what is written reads the same");
            require(read.differences(again).empty(), "nothing differs from itself");
            extensions_in(read);
          }};
}

Reader training_record() {
  return {"training_record",
          {R"({"format":1,"source":"s","protocol":"p","protocol_hash":"","notes":["n"],)"
           R"("columns":["id","stem","speaker","hash","noisy_hash","seconds","is_noise"],)"
           R"("train":[["a","b","c","","",1.5,false]],"valid":[],"teacher":[],)"
           R"("teacher_unknown":false})",
           TrainingRecord().text()},
          json_and({"[\"a\",\"b\",\"c\",\"d\",\"e\",1,true],", "\"format\":1", "\"train\":"}),
          [](const std::string& input) {
            const TrainingRecord read = TrainingRecord::parse(input, "fuzz");
            const TrainingRecord again = TrainingRecord::parse(read.text(), "again");
            require(again.text() == read.text(), "what is written reads the same");
            read.leaks_into(read.train);
          }};
}

Reader start_record() {
  return {"start_record",
          {StartRecord{"w", "b", 10, 4, 1}.text()},
          json_and({"\"weights\":", "\"steps\":"}),
          [](const std::string& input) {
            const StartRecord read = StartRecord::parse(input, "fuzz");
            require(StartRecord::parse(read.text(), "again").text() == read.text(),
                    "what is written reads the same");
          }};
}

/// metrics.jsonl: lines that a killed process cut short are passed over, and so are others.
Reader metrics() {
  const MemoryFolder folder = made_run();
  return {"metrics",
          {"{\"step\": 2, \"split\": \"train\", \"loss\": {\"l1\": 0.5}, \"timing\": "
           "{\"seconds\": 3.5}}\n{\"step\": 2, \"split\": \"valid\", \"si_sdr\": null}\n"
           "{\"step\": 4, \"diverged\": \"not finite\"}\n",
           "{\"step\": 5, \"split\": \"valid\", \"si_sdr\": 7.5}\n{\"step\": 6, \"sp",
           "{\"step\": 5, \"split\": 5, \"loss\": []}\n{\"step\": \"five\"}\n"},
          json_and({"\"step\": ", "\"split\": ", "\"valid\"",
                    "\"diverged\": ", "\"loss\": ", "\"si_sdr\": ", "{\"step\": 5}\n", "\n"}),
          [folder](const std::string& input) {
            folder.put("metrics.jsonl", input);
            const RunView run(folder.path());
            run.progress();
            run.diverged();
            read_curves(folder.path(), "valid", "step", {"si_sdr", "loss.l1"});
            inspect_some(folder, input);
            MetricsLog log(folder / "metrics.jsonl");
            log.truncate(5, false);
            const std::string kept = read_file(folder / "metrics.jsonl");
            log.truncate(5, false);
            require(read_file(folder / "metrics.jsonl") == kept, "what is kept stays");
            require(run.progress() <= 5, "no later step stays");
          },
          {},
          true};
}

/// state.json and validation.json of the last checkpoint, which do not go without each other.
Reader state() {
  const MemoryFolder folder = made_run();
  link_in(folder, "checkpoints/step-00000008/state.json");
  link_in(folder, "checkpoints/step-00000008/validation.json");
  return {"state",
          {R"({"step": 8, "planned_steps": 10, "seconds": 1.5, "skipped": {"total": 2}})",
           R"({"step": 8, "planned_steps": 8, "stop_step": 8, "value": 1, "best_value": 2,)"
           R"("best_step": 5, "select": "si_sdr", "found": {"best_step": -1}})"},
          json_and({"\"step\": ", "\"planned_steps\": ", "\"stop_step\": ", "\"skipped\": ",
                    "\"found\": {}", "\"best_step\": ", "\"value\": ", "\"seconds\": "}),
          [folder](const std::string& input) {
            put(input);
            folder.put("checkpoints/step-00000008/manifest.json",
                       format(R"({"format": 1, "files": {"state.json": {"bytes": %d, )"
                              R"("xxh3_128": "%s"}}})",
                              input.size(), hash_bytes(input.data(), input.size())));
            const fs::path& path = folder.path();
            summarize_run(path);
            const RunView run(path);
            run.finished();
            run.skipped();
            continue_run(run, run.identity(), test::made_identity(20), 20, true);
            find_fork(path, "last");
          }};
}

/// The manifest of a checkpoint and what points to it.
Reader checkpoint() {
  const MemoryFolder folder = made_run();
  const fs::path step = folder / "checkpoints/step-00000005";
  std::string manifest = read_file(step / "manifest.json");
  manifest.insert(1, R"("checkpoint": "step-00000005",)");
  link_in(folder, "checkpoints/step-00000005/manifest.json");
  link_in(folder, "best.json");
  return {"checkpoint",
          {manifest},
          json_and({"\"format\":", "\"files\":", "\"bytes\":", "\"xxh3_128\":", "\"checkpoint\":",
                    "\"state.json\":", "\"../\"", "/", "step-00000008", "model.safetensors"}),
          [folder, step](const std::string& input) {
            put(input);
            const RunView run(folder.path());
            check_checkpoint(step);
            check_checkpoint(step, "state.json", Look::sizes);
            recorded_hash(step, "model.safetensors");
            run.recorded_model_hash("best");
            inspect_some(folder, input);
            run.model_file("best");
          },
          {R"({"format":1,"step":5,"files":{},"checkpoint":"step-00000005"})",
           R"({"format":1,"files":{"model.safetensors":{"bytes":1,"xxh3_128":"x"}}})"}};
}

Reader environment() {
  const MemoryFolder folder = made_run();
  link_in(folder, "environment.json");
  return {
      "environment",
      {R"({"libtorch": "2.6.0", "threads": 2, "command": ["a", "b c"], "kernels": {"x": []}})",
       "{}"},
      json_and({"\"libtorch\":", "\"threads\":", "\"command\":", "- ", "a: ", "&a ", "*a", "\n  "}),
      [folder](const std::string& input) {
        put(input);
        RunView(folder.path()).environment();
        inspect_some(folder, input);
        require(compare_runs(folder.path(), folder.path()).environment.empty(),
                "nothing differs from itself");
      }};
}

/// TensorBoard's file, with the input in front of it and as the message of a whole record.
Reader events() {
  const MemoryFolder folder;
  const auto logger = std::make_shared<Logger>(Verbosity::quiet);
  const std::string name = "tensorboard/events.out.tfevents.limbeck";
  EventSummary summary;
  summary.scalar("valid/loss", 0.5);
  summary.image("x", "PNG", 2, 3);
  EventFile file(folder.path(), *logger);
  file.add(3, summary);
  file.add(9, summary);
  const std::string sound = read_file(folder / name);
  const size_t second = 16 + static_cast<unsigned char>(sound[0]);
  const std::string message = sound.substr(second + 12, static_cast<unsigned char>(sound[second]));
  return {"events",
          {sound, message, "\x09........\x10\x05*\x08\x0A\x06\x0A\x04train"},
          {"\x08", "\x10", "\x10\x09", "\x2A", "\x0A", "\x0A\x04train", "\x0D", "\x7F",
           std::string(8, '\xFF'), std::string(10, '\x80'), std::string(8, '\0')},
          [folder, logger, name](const std::string& input) {
            const auto number = [](uint64_t value, size_t size) {
              std::string bytes;
              for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(value >> 8 * i);
              return bytes;
            };
            const std::string length = number(input.size(), 8);
            folder.put(name, length + number(masked_crc32c(length), 4) + input +
                                 number(masked_crc32c(input), 4) + input);
            EventFile events(folder.path(), *logger);
            events.truncate(5, false);
            const std::string kept = read_file(folder / name);
            events.truncate(5, false);
            require(read_file(folder / name) == kept, "what is kept stays");
          },
          {},
          true};
}

/// Rows that are not whole count for nothing.
Reader conversion_journal() {
  const MemoryFolder folder;
  {
    ConversionJournal journal(folder / "journal.csv");
    journal.append("p226_001", {"v1", "v2", 9, 0, 2, 60, 61, "h", "i", 0, 1});
    journal.append("a,\"b\"", {"", "", 1, 0, 0, 2, 3, "", "", 4, 5});
  }
  return {
      "conversion_journal",
      {read_file(folder / "journal.csv")},
      {",", "\"", "\n", "\r\n", ",.\n", "-1", "99999999999999999999", "\xFF", std::string(1, '\0'),
       "p226_001,v1,v2,9,0,2,60,61,h,i,0,1,.\n", ";", "\"\"", "\xEF\xBB\xBF"},
      [folder](const std::string& input) {
        folder.put("journal.csv", input);
        const auto read = ConversionJournal(folder / "journal.csv").pairs();
        const auto again = ConversionJournal(folder / "journal.csv").pairs();
        require(std::equal(read.begin(), read.end(), again.begin(), again.end(),
                           [](const auto& a, const auto& b) {
                             return a.first == b.first && a.second.samples == b.second.samples &&
                                    a.second.clean_cut == b.second.clean_cut &&
                                    a.second.noisy_cut == b.second.noisy_cut &&
                                    a.second.clean_bytes == b.second.clean_bytes &&
                                    a.second.noisy_hash == b.second.noisy_hash;
                           }),
                "what is written reads the same");
      },
      {},
      true};
}

}  // namespace

std::vector<MakeReader> run_readers() {
  return {identity,   training_record, start_record, metrics,           state,
          checkpoint, environment,     events,       conversion_journal};
}

}  // namespace limbeck::fuzz
