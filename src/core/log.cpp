// The only file that sees spdlog. It is compiled without LibTorch's include folder, whose bundled
// fmt is of another version than the one spdlog was built with.
#include "limbeck/core/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <unistd.h>

#include <cstdio>
#include <mutex>

#include "limbeck/core/error.h"
#include "limbeck/core/line_file.h"
#include "limbeck/core/utf8.h"

namespace limbeck {
namespace {

/// A file whose lines wait where it cannot be written, which is told once for each reason.
class LineSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit LineSink(LineFile file) : file_(std::move(file)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    std::string line(text.data(), text.size());
    line.resize(line.find_last_not_of("\r\n") + 1);
    std::string failed = file_.append(line);
    failed.swap(failed_);
    if (!failed_.empty() && failed_ != failed) throw spdlog::spdlog_ex(failed_);
  }
  void flush_() override {}  // what is written is in the file

 private:
  LineFile file_;
  std::string failed_;
};

}  // namespace

struct Logger::Sinks {
  std::shared_ptr<spdlog::sinks::stderr_color_sink_mt> terminal =
      std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  spdlog::logger logger{"limbeck", terminal};
};

Logger::Logger(Verbosity verbosity) : verbosity_(verbosity), sinks_(std::make_unique<Sinks>()) {
  sinks_->logger.set_level(spdlog::level::debug);
  // A progress line may be open on a terminal, which is shown again below the message.
  const std::string front = ::isatty(STDERR_FILENO) != 0 ? "\r\x1b[K" : "";
  sinks_->logger.set_error_handler([front](const std::string& what) {
    std::fprintf(stderr, "%swarning: %s; what is said is kept for it\n", front.c_str(),
                 what.c_str());
  });
  sinks_->terminal->set_pattern(front + "%v");
  sinks_->terminal->set_level(verbosity == Verbosity::quiet     ? spdlog::level::warn
                              : verbosity == Verbosity::verbose ? spdlog::level::debug
                                                                : spdlog::level::info);
}

Logger::~Logger() = default;

void Logger::debug(const std::string& message) { sinks_->logger.debug(displayable(message)); }
void Logger::info(const std::string& message) { sinks_->logger.info(displayable(message)); }
void Logger::warn(const std::string& message) {
  sinks_->logger.warn("warning: " + displayable(message));
}
void Logger::error(const std::string& message) {
  sinks_->logger.error("error: " + displayable(message));
}

void Logger::add_file(const std::filesystem::path& path) {
  LineFile lines(path);
  if (const std::string failed = lines.open(); !failed.empty()) throw DataError(failed);
  auto file = std::make_shared<LineSink>(std::move(lines));
  file->set_pattern("%Y-%m-%d %H:%M:%S.%e %v");
  sinks_->logger.sinks().push_back(std::move(file));
}

}  // namespace limbeck
