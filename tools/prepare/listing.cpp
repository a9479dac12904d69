#include "listing.h"

#include <string>

#include "../common.h"
#include "limbeck/audio/audio_path.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/id_paths.h"
#include "limbeck/core/place.h"

namespace limbeck {

namespace fs = std::filesystem;

namespace {

void set_channel(const std::string& text, CopyOptions& copies) {
  try {
    copies.channel = channel_choice(text);
  } catch (const ConfigError& e) {
    throw CLI::ValidationError("--channel", e.what());
  }
}

}  // namespace

void describe_audio(CLI::App& app, SpeakerRule& speaker, int64_t& rate_hz, CopyOptions& copies) {
  app.add_option_function<std::string>(
         "--speaker", [&speaker](const std::string& name) { speaker = speaker_rule(name); },
         "speaker from: folder (that holds the file), top (first folder below DIR), prefix (of the "
         "name, up to _ or -), none, auto (the folder that the file name begins with; else prefix "
         "for files directly in DIR, folder for those one folder below, and none further down)")
      ->check(CLI::IsMember({"auto", "folder", "top", "prefix", "none"}))
      ->default_str("auto");
  app.add_option("--rate", rate_hz, "sample rate in Hz that every file must have")
      ->check(CLI::Range(8000, 192000))
      ->capture_default_str();
  auto* out = app.add_option("--audio-out", copies.folder,
                             "folder for copies of the files (FLAC, 16 bits, one channel, --rate), "
                             "which are listed in their place");
  app.add_flag("--resample", copies.resample, "take files of other rates, too, into the copies")
      ->needs(out);
  app.add_option_function<std::string>(
         "--channel", [&copies](const std::string& text) { set_channel(text, copies); },
         "channel of files of several that is copied, from 0; mix: the mean of all")
      ->needs(out);
}

void require_table(const fs::path& out, const std::vector<fs::path>& read) {
  require_writable(out);
  if (is_audio_path(out)) {
    throw ConfigError(out.string() + ": has the name of a recording; a table goes there (--out)");
  }
  require_inputs_kept({out}, read);
}

int write_listing(const Listing& prepared, const fs::path& out, Logger& logger) {
  for (const Problem& problem : prepared.problems)
    logger.error(problem.file + ": " + problem.reason);
  for (const Problem& oddity : prepared.oddities) logger.warn(oddity.file + ": " + oddity.reason);
  const size_t good = prepared.manifest.entries.size();
  const bool pairs = prepared.manifest.kind == Manifest::Kind::pairs;
  if (good == 0) {
    throw DataError(format("no usable %s; %s is not written", pairs ? "pair" : "recording", out));
  }
  make_folder(out.parent_path());
  prepared.manifest.write(out);
  print_about(out, format("%s: %s", out, summary(prepared.manifest)), logger);
  if (prepared.problems.empty()) return static_cast<int>(ExitCode::ok);
  logger.warn(format("%d files were left out; %s lists the others", prepared.problems.size(), out));
  return static_cast<int>(ExitCode::some_failed);
}

}  // namespace limbeck
