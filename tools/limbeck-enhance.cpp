// Denoises recordings with a trained network.
#include "common.h"
#include "limbeck/enhance/files.h"

int main(int argc, char** argv) {
  using namespace limbeck;
  Tool tool(
      "limbeck-enhance",
      "Denoises files, folders with all that lies below, or a stream: any rate, channels and "
      "type, which the results keep.",
      "limbeck-enhance --model runs/student noisy.wav --out clean\n"
      "  limbeck-enhance --model runs/student recordings interview.flac --out clean --jobs 4\n"
      "  limbeck-enhance --model runs/student music.wav --out clean --link --mix 0.8 --limit-db "
      "18\n"
      "  limbeck-enhance --model runs/student recordings --out clean --skip-existing\n"
      "  sox talk.mp3 -t wav - | limbeck-enhance --model runs/student - | aplay\n"
      "  arecord -t raw -f S16_LE -r 16000 | limbeck-enhance --model runs/student - --raw "
      "16000,1,s16 >talk.raw");
  EnhanceConfig config;
  double limit_db = 0;
  std::string high_band = "drop";
  CLI::App& app = tool.app;
  app.add_option("IN", config.inputs, "files and folders; - alone: standard input")->required();
  app.add_option("--model", config.model, "run folder, checkpoint folder or model file")
      ->required();
  app.add_option("--which", config.which, "checkpoint of a run folder: best or last")
      ->check(CLI::IsMember({"best", "last"}))
      ->capture_default_str();
  app.add_option("--out", config.out, "folder for the results; -: standard output");
  app.add_option("--mix", config.recording.mix,
                 "share of the denoised signal in the result, 0 to 1")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  const auto* limit = app.add_option("--limit-db", limit_db,
                                     "leave what is taken away at so many dB below its level")
                          ->check(CLI::NonNegativeNumber);
  app.add_option(
         "--high-band", high_band,
         "what lies above the network's band: drop it, or let it follow the top band's gain")
      ->check(CLI::IsMember({"drop", "follow"}))
      ->capture_default_str();
  app.add_flag("--link", config.recording.link, "one gain for all channels, so that images stay");
  app.add_option("--format", config.format, "type of the results, such as wav or flac");
  app.add_option("--raw", config.raw,
                 "standard input and output are raw samples: RATE,CHANNELS,s16|s24|s32|f32");
  app.add_option("--jobs", config.jobs, "files at once; 0: one a core")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--device", config.device, "auto, cpu or cuda[:i]")->capture_default_str();
  app.add_flag("--force", config.force, "replace files that exist; never one that is read");
  app.add_flag("--skip-existing", config.skip_existing, "keep files that exist, do the rest");
  app.add_flag("--json", config.json,
               "one JSON object on standard output: what became of each file");
  return tool.run(argc, argv, [&] {
    if (limit->count() > 0) config.recording.limit_db = limit_db;
    config.recording.high_band = high_band == "follow" ? HighBand::follow : HighBand::drop;
    return static_cast<int>(run_enhancement(config, tool.logger()));
  });
}
