#include "limbeck/run/event_file.h"

#include <gmock/gmock.h>

#include <chrono>

#include "core/full_disk.h"
#include "data/support.h"
#include "limbeck/core/files.h"
#include "run/event_reader.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class EventFiles : public testing::Test {
 protected:
  EventSummary scalar(const std::string& tag, double value) {
    EventSummary summary;
    summary.scalar(tag, value);
    return summary;
  }
  /// "step tag" of each event after the first.
  std::vector<std::string> told() {
    std::vector<std::string> all;
    size_t rest = 0;
    for (const Event& event : read_events(read_file(file_), &rest)) {
      if (event.file_version.empty()) {
        all.push_back(std::to_string(event.step) + " " + event.values.at(0).tag);
      }
    }
    EXPECT_EQ(rest, 0U);
    return all;
  }
  /// Steps 1 to 3, of which each even one is validated, in this and in that order.
  void put_steps(EventFile& events, int64_t first = 1, int64_t last = 3) {
    for (int64_t step = first; step <= last; ++step) {
      events.add(step, scalar("train/loss", 1.0 / static_cast<double>(step)));
      if (step % 2 == 0) events.add(step, scalar("valid/loss", 2));
    }
  }

  TempDir dir_;
  fs::path file_ = dir_ / "tensorboard/events.out.tfevents.limbeck";
  Logger logger_{Verbosity::quiet};
};

TEST_F(EventFiles, BeginWithTheirVersionAndHoldWhatWasTold) {
  EventFile events(dir_.path(), logger_);
  EXPECT_TRUE(events.empty());
  EventSummary summary;
  summary.scalar("train/loss", 0.5);
  summary.scalar("train/lr", 1e-3);
  events.add(7, summary);
  EXPECT_FALSE(events.empty());
  const auto all = read_events(read_file(file_));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].file_version, "brain.Event:2");
  EXPECT_EQ(all[1].step, 7);
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_NEAR(all[1].wall_time, now, 60);
  ASSERT_EQ(all[1].values.size(), 2U);
  EXPECT_EQ(all[1].values[0].tag, "train/loss");
  EXPECT_EQ(all[1].values[0].scalar(), 0.5F);
  EXPECT_EQ(all[1].values[1].scalar(), 1e-3F);
}

TEST_F(EventFiles, HoldImagesAudioAndHyperparameters) {
  EventFile events(dir_.path(), logger_);
  EventSummary summary;
  summary.image("spectrogram_1/noisy", "PNG", 30, 20);
  summary.audio("audio_1/noisy", "WAV");
  auto config = config::Node::make_map({});
  auto train = config::Node::make_map({});
  train.child("steps", {}) = config::Node::make_scalar("2000", {});
  train.child("on", {}) = config::Node::make_scalar("true", {});
  train.child("name", {}) = config::Node::make_scalar("adamw", {});
  config.child("train", {}) = train;
  summary.hyperparameters(config, {"valid/si_sdr"});
  events.add(0, summary);
  const auto values = read_events(read_file(file_)).at(1).values;
  ASSERT_EQ(values.size(), 4U);
  const auto image = fields_of(values[0].fields.find(4)->second);
  EXPECT_EQ(number_in<int64_t>(image.find(1)->second), 20);
  EXPECT_EQ(number_in<int64_t>(image.find(2)->second), 30);
  EXPECT_EQ(image.find(4)->second, "PNG");
  EXPECT_EQ(sound_in(values[1]), "WAV");
  EXPECT_EQ(values[2].tag, "_hparams_/experiment");
  EXPECT_EQ(values[3].tag, "_hparams_/session_start_info");
  const auto metadata = fields_of(values[3].fields.find(9)->second);
  const auto plugin = fields_of(metadata.find(1)->second);
  EXPECT_EQ(plugin.find(1)->second, "hparams");
  const auto start = fields_of(fields_of(plugin.find(2)->second).find(3)->second);
  std::map<std::string, std::multimap<int, std::string>> options;
  for (auto [entry, end] = start.equal_range(1); entry != end; ++entry) {
    const auto pair = fields_of(entry->second);
    options[pair.find(1)->second] = fields_of(pair.find(2)->second);
  }
  ASSERT_EQ(options.size(), 3U);
  EXPECT_EQ(number_in<double>(options["train.steps"].find(2)->second), 2000);
  EXPECT_EQ(number_in<int64_t>(options["train.on"].find(4)->second), 1);
  EXPECT_EQ(options["train.name"].find(3)->second, "adamw");
}

TEST_F(EventFiles, GoOnFromAStepWithNoEventTwice) {
  const std::vector<std::string> whole = {"1 train/loss", "2 train/loss", "2 valid/loss",
                                          "3 train/loss"};
  for (const int64_t from : {-1, 1, 2, 3}) {
    for (const bool validated : {true, false}) {
      fs::remove(file_);
      {
        EventFile events(dir_.path(), logger_);
        put_steps(events);
        EXPECT_EQ(told(), whole);
      }
      EventFile events(dir_.path(), logger_);
      events.truncate(from, validated);
      if (from == 2 && !validated) events.add(2, scalar("valid/loss", 2));
      put_steps(events, std::max<int64_t>(from, 0) + 1);
      EXPECT_EQ(told(), whole) << from << validated;
      EXPECT_EQ(read_events(read_file(file_)).at(0).file_version, "brain.Event:2");
    }
  }
}

TEST_F(EventFiles, LoseWhatAKilledProcessLeftTorn) {
  {
    EventFile events(dir_.path(), logger_);
    put_steps(events);
  }
  const std::string whole = read_file(file_);
  for (const size_t lost : {size_t{1}, size_t{5}, size_t{17}, whole.size() - 3}) {
    put_text(file_, whole.substr(0, whole.size() - lost));
    EventFile events(dir_.path(), logger_);
    events.truncate(3, true);
    const size_t kept = fs::exists(file_) ? fs::file_size(file_) : 0;
    size_t rest = 0;
    read_events(read_file(file_), &rest);
    EXPECT_EQ(rest, 0U) << lost;
    EXPECT_EQ(whole.substr(0, kept), read_file(file_)) << lost;
    events.add(4, scalar("train/loss", 1));
    EXPECT_EQ(told().back(), "4 train/loss") << lost;
    EXPECT_EQ(read_events(read_file(file_)).at(0).file_version, "brain.Event:2") << lost;
  }
  std::string broken = whole;
  broken[whole.size() - 10] ^= 1;  // in the last record: as it may lie there after a power cut
  put_text(file_, broken);
  EventFile events(dir_.path(), logger_);
  events.truncate(3, true);
  EXPECT_THAT(told(), ElementsAre("1 train/loss", "2 train/loss", "2 valid/loss"));
}

TEST_F(EventFiles, AFullDiskIsWarnedAboutOnce) {
  const std::string said = message_on_full_disk(200, [&] {
    testing::internal::CaptureStderr();
    EventFile events(dir_.path(), logger_);
    for (int64_t step = 1; step <= 40; ++step) events.add(step, scalar("train/loss", 1));
    throw std::runtime_error(testing::internal::GetCapturedStderr());
  });
  EXPECT_THAT(said, testing::StartsWith("warning: " + file_.string() + ": cannot be written: "));
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  size_t rest = 0;
  EXPECT_GE(read_events(read_file(file_), &rest).size(), 3U);
  EXPECT_GT(rest, 0U);
  // The next sitting goes on where that one stopped.
  EventFile events(dir_.path(), logger_);
  events.truncate(40, true);
  events.add(41, scalar("train/loss", 1));
  EXPECT_EQ(told().back(), "41 train/loss");
}

TEST_F(EventFiles, WhatCannotBeReadIsNotWrittenAnew) {
  fs::create_directories(file_);  // a folder in the file's place
  testing::internal::CaptureStderr();
  EventFile events(dir_.path(), logger_);
  events.truncate(1, true);
  events.add(2, scalar("train/loss", 1));
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  EXPECT_THAT(said, HasSubstr(file_.string()));
  EXPECT_TRUE(fs::is_directory(file_));
}

}  // namespace
}  // namespace limbeck::test
