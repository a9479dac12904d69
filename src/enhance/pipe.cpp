#include "enhance/pipe.h"

#include <unistd.h>

#include <charconv>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>

#include "enhance/pass.h"
#include "enhance/report.h"
#include "limbeck/core/format.h"
#include "limbeck/core/id_paths.h"
#include "limbeck/core/interrupt.h"

namespace limbeck {
namespace {

/// The text up to the next comma, which is taken off together with it.
std::string_view take_part(std::string_view& text) {
  const size_t comma = text.find(',');
  const std::string_view part = text.substr(0, comma);
  text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  return part;
}

bool parse_positive(std::string_view text, int& number) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() && end == text.data() + text.size() && number > 0;
}

/// A terminal shows no audio and sends none, and a file that is read while it grows has no end.
void require_streams(const std::string& input) {
  if (::isatty(STDOUT_FILENO) != 0) {
    throw ConfigError("--out -: standard output is a terminal; send it on: > FILE, | aplay");
  }
  if (input == "-" && ::isatty(STDIN_FILENO) != 0) {
    throw ConfigError("-: standard input is a terminal; give it audio: < FILE, arecord … |");
  }
  const std::string read = input == "-" ? "/dev/stdin" : input;
  std::error_code unknown;
  if (std::filesystem::is_regular_file("/dev/stdout", unknown) &&
      file_number("/dev/stdout") == file_number(read)) {
    throw ConfigError("--out -: " + input + " is read, and standard output writes to it");
  }
}

std::unique_ptr<StreamWriter> to_standard_output(const StreamInfo& info, const RawFormat* raw) {
  const auto create = [&](const StreamInfo& written) {
    return StreamWriter::create_pipe(STDOUT_FILENO, "standard output", written, raw);
  };
  if (raw != nullptr) return create(info);
  try {
    return create(with_format(info, "wav"));
  } catch (const ConfigError&) {  // such as μ-law, all of which 16 bits hold
    StreamInfo plain = info;
    plain.encoding = 0;
    return create(with_format(plain, "wav"));
  }
}

}  // namespace

RawFormat raw_format(const std::string& text) {
  RawFormat raw;
  std::string_view rest = text;
  const bool has_numbers =
      parse_positive(take_part(rest), raw.rate_hz) && parse_positive(take_part(rest), raw.channels);
  raw.samples = rest;  // who opens the pipe knows the names
  if (has_numbers && !rest.empty()) return raw;
  throw ConfigError("--raw: '" + text + "' is not RATE,CHANNELS,FORMAT, such as 16000,1,s16");
}

ExitCode run_pipe(const EnhanceConfig& config, const nn::Enhancer& enhancer, Logger& logger) {
  std::optional<RawFormat> raw;
  if (!config.raw.empty()) raw = raw_format(config.raw);
  const RawFormat* as_raw = raw ? &*raw : nullptr;
  const std::string& input = config.inputs.front();
  require_streams(input);
  const auto reader = input == "-" ? StreamReader::open_pipe(STDIN_FILENO, "standard input", as_raw)
                                   : StreamReader::open(input);
  const StreamInfo& info = reader->info();
  say_what_is_lost({info.rate_hz}, enhancer, config.recording, logger);
  const auto writer = to_standard_output(info, as_raw);
  const auto start = std::chrono::steady_clock::now();
  const int64_t frames = pass(*reader, *writer, enhancer, config.recording,
                              [](int64_t) { return interrupt_signal() == 0; });
  if (frames == 0) throw_if_interrupted();
  const int64_t clipped = writer->finish();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const double seconds = static_cast<double>(frames) / info.rate_hz;
  logger.info(pace_text(seconds, took.count(), clipped));
  throw_if_interrupted();
  reader->drain();
  return ExitCode::ok;
}

}  // namespace limbeck
