// Makes manifests and corpora; tools/prepare/ has a file for each subcommand.
#include <CLI/CLI.hpp>
#include <stdexcept>
#include <vector>

#include "common.h"
#include "prepare/command.h"

namespace limbeck {
namespace {

const char* const kPurpose =
    "Makes data sets ready: lists audio files in manifests that the other tools read, prepares "
    "VoiceBank-DEMAND, makes a synthetic corpus, and checks and measures what is there.";
const char* const kExample =
    "limbeck-prepare recordings corpus/clean --out speech.csv --split-by speaker --valid 8 --test "
    "8\n"
    "  limbeck-prepare recordings corpus/noise --out noise.csv --splits corpus/manifest.csv\n"
    "  limbeck-prepare pairs --clean test/clean --noisy test/noisy --out test.csv\n"
    "  limbeck-prepare protocol --name mine --train speech.csv --valid speech.csv --noise "
    "noise.csv "
    "--test test.csv --out mine.yaml\n"
    "  limbeck-prepare mixtures teacher.yaml --split valid --count 64 --out valid_recipes.csv\n"
    "  limbeck-prepare render valid_recipes.csv --speech speech.csv --noise noise.csv --split "
    "valid "
    "--out valid_pairs\n"
    "  limbeck-prepare preview teacher.yaml --n 8 --out preview\n"
    "  limbeck-prepare synthetic --out corpus --minutes 10\n"
    "  limbeck-prepare voicebank-demand --source downloads --out data/vbd\n"
    "  limbeck-prepare doctor data/vbd\n"
    "  limbeck-prepare stats data/vbd/test.csv";

// In the order in which --help lists them.
constexpr decltype(&recordings_command) kCommands[] = {
    recordings_command,        //
    pairs_command,             //
    mixtures_command,          //
    render_command,            //
    preview_command,           //
    protocol_command,          //
    synthetic_command,         //
    voicebank_demand_command,  //
    doctor_command,            //
    stats_command,             //
};

}  // namespace
}  // namespace limbeck

int main(int argc, char** argv) {
  using namespace limbeck;
  SharedOptions shared;
  Tool tool("limbeck-prepare", kPurpose, kExample);
  tool.app.require_subcommand(1);
  tool.app.fallthrough();
  tool.app
      .add_option("--threads,--jobs", shared.threads,
                  "threads that read or make files; 0: as many as cores")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  std::vector<Subcommand> commands;
  for (const auto make : kCommands) commands.push_back(make(tool.app, shared));
  return tool.run(argc, argv, [&] {
    for (const Subcommand& command : commands) {
      if (*command.app) return command.run(tool.logger());
    }
    throw std::logic_error("no subcommand ran");
  });
}
