#include "limbeck/core/progress.h"

#include <unistd.h>

#include <cstdio>

#include "limbeck/core/format.h"

namespace limbeck {

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

std::string Progress::line(const std::string& details) const {
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  const int64_t counted = done_ - first_;
  std::string text = format("%s %d/%d", label_, done_, total_);
  if (!details.empty()) text += "  " + details;
  if (counted > 0 && elapsed > 0) {
    const double rate = static_cast<double>(counted) / elapsed;
    text += format("  %.3g %s/s", rate, unit_);
    if (done_ < total_) {
      text += "  ETA " + duration_text(static_cast<double>(total_ - done_) / rate);
    } else {
      text += "  in " + duration_text(elapsed);
    }
  }
  return text;
}

void Progress::update(int64_t done, const std::string& details) {
  done_ = done;
  details_ = details;
  if (logger_.verbosity() == Verbosity::quiet) return;
  const auto now = Clock::now();
  const auto interval =
      terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(10000);
  if (now - shown_ < interval && done < total_) return;
  shown_ = now;
  if (terminal_) {
    std::fprintf(stderr, "\r%s\x1b[K", line(details).c_str());
    std::fflush(stderr);
    line_open_ = true;
  } else {
    logger_.info(line(details));
  }
}

void Progress::finish() {
  if (!line_open_) return;
  std::fprintf(stderr, "\r%s\x1b[K\n", line(details_).c_str());
  line_open_ = false;
}

}  // namespace limbeck
