// The only file that sees spdlog. It is compiled without LibTorch's include folder, whose bundled
// fmt is of another version than the one spdlog was built with.
#include "limbeck/core/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include "limbeck/core/error.h"

namespace limbeck {

struct Logger::Sinks {
  std::shared_ptr<spdlog::sinks::stderr_color_sink_mt> terminal =
      std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  spdlog::logger logger{"limbeck", terminal};
};

Logger::Logger(Verbosity verbosity) : verbosity_(verbosity), sinks_(std::make_unique<Sinks>()) {
  sinks_->logger.set_level(spdlog::level::debug);
  sinks_->terminal->set_pattern("%v");
  sinks_->terminal->set_level(verbosity == Verbosity::quiet     ? spdlog::level::warn
                              : verbosity == Verbosity::verbose ? spdlog::level::debug
                                                                : spdlog::level::info);
}

Logger::~Logger() = default;

void Logger::debug(const std::string& message) { sinks_->logger.debug(message); }
void Logger::info(const std::string& message) { sinks_->logger.info(message); }
void Logger::warn(const std::string& message) { sinks_->logger.warn("warning: " + message); }
void Logger::error(const std::string& message) { sinks_->logger.error("error: " + message); }

void Logger::add_file(const std::filesystem::path& path) {
  try {
    auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string());
    file->set_pattern("%Y-%m-%d %H:%M:%S.%e %v");
    sinks_->logger.sinks().push_back(std::move(file));
    sinks_->logger.flush_on(spdlog::level::debug);
  } catch (const spdlog::spdlog_ex& e) {
    throw DataError(path.string() + ": cannot be written: " + e.what());
  }
}

}  // namespace limbeck
