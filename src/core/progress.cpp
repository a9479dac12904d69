#include "limbeck/core/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "limbeck/core/format.h"

namespace limbeck {
namespace {

/// How many characters a line of the terminal takes, but for the last, in which some of them begin
/// the next line; no limit where that is not known.
size_t line_width() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  return known ? size.ws_col - 1U : std::string::npos;
}

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }

/// The first `width` characters of UTF-8 text.
std::string cut(const std::string& text, size_t width) {
  size_t characters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (begins_character(text[i]) && characters++ == width) return text.substr(0, i);
  }
  return text;
}

size_t characters_of(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

}  // namespace

Progress::Progress(Logger& logger, std::string label, std::string unit, int64_t total, int64_t done)
    : logger_(logger),
      label_(std::move(label)),
      unit_(std::move(unit)),
      total_(total),
      first_(done),
      done_(done),
      terminal_(::isatty(STDERR_FILENO) != 0),
      start_(Clock::now()) {
  shown_ = start_;
}

Progress::~Progress() { finish(); }

std::string Progress::time_text() const {
  if (time_left_) return time_left_->empty() ? "" : "  " + *time_left_;
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  const int64_t counted = done_ - first_;
  if (counted <= 0 || elapsed <= 0) return "";
  const double rate = static_cast<double>(counted) / elapsed;
  return format("  %.3g %s/s", rate, unit_) +
         (done_ < total_ ? "  ETA " + duration_text(static_cast<double>(total_ - done_) / rate)
                         : "  in " + duration_text(elapsed));
}

std::string Progress::line(size_t width) const {
  const std::string count = format("%s %d/%d", label_, done_, total_);
  const std::string time = time_text();
  std::string details = details_.empty() ? "" : "  " + details_;
  const size_t taken = count.size() + time.size();
  if (taken + characters_of(details) > width) {
    details = taken + 2 < width ? cut(details, width - taken - 1) + "…" : "";
  }
  return cut(count + details + time, width);
}

void Progress::update(int64_t done, const std::string& details) {
  done_ = done;
  details_ = details;
  if (logger_.verbosity() == Verbosity::quiet) return;
  const auto now = Clock::now();
  const auto interval =
      terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(10000);
  const bool ends = done >= total_ && !end_shown_;
  if (now - shown_ < interval && !ends) return;
  shown_ = now;
  end_shown_ = done >= total_;
  if (terminal_) {
    std::fprintf(stderr, "\r%s\x1b[K", line(line_width()).c_str());
    std::fflush(stderr);
    line_open_ = true;
  } else {
    logger_.info(line(std::string::npos));
  }
}

void Progress::update(int64_t done, const std::string& details, const std::string& time_left) {
  time_left_ = time_left;
  update(done, details);
}

void Progress::finish() {
  if (!line_open_) return;
  std::fprintf(stderr, "\r%s\x1b[K\n", line(line_width()).c_str());
  line_open_ = false;
}

}  // namespace limbeck
