#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "corpus/made_voicebank.h"
#include "limbeck/core/error.h"
#include "limbeck/corpus/voicebank_demand.h"

namespace limbeck::test {

/// A small VoiceBank-DEMAND, and what preparing it gives.
class VoiceBank : public ::testing::Test {
 protected:
  VoiceBankReport prepare(bool allow_partial = true) {
    VoiceBankOptions options;
    options.source = source();
    options.out = out();
    options.allow_partial = allow_partial;
    options.threads = 2;
    return prepare_voicebank_demand(options, logger_);
  }

  std::filesystem::path source() const { return dir_ / "source"; }
  std::filesystem::path out() const { return dir_ / "out"; }

  std::string refusal() {
    return message_of<DataError>([&] { prepare(false); });
  }

  std::string text(const std::string& name) const { return read_file(out() / name); }

  /// "file below the source: reason"
  std::vector<std::string> problems(const VoiceBankReport& report) const {
    std::vector<std::string> all;
    for (const Problem& problem : report.problems) {
      all.push_back(std::filesystem::path(problem.file).lexically_relative(source()).string() +
                    ": " + problem.reason);
    }
    return all;
  }

  TempDir dir_;
  MadeVoiceBank corpus_;
  Logger logger_{Verbosity::quiet};
};

}  // namespace limbeck::test
