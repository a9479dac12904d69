#include "train/training_events.h"

#include "limbeck/audio/io.h"
#include "run/event_reader.h"
#include "train/tiny_run.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;

void train_told(const fs::path& run, const Dataset& dataset, int64_t steps) {
  train(run, dataset, steps, 0, "", std::make_unique<Tones>(),
        "log_every: 3, tensorboard: {enabled: true, examples: 2}");
}

std::vector<Event> events_of(const fs::path& run) {
  size_t rest = 1;
  auto events = read_events(read_file(run / "tensorboard/events.out.tfevents.limbeck"), &rest);
  EXPECT_EQ(rest, 0U);
  return events;
}

TEST(TrainingEvents, HoldEveryValueOfTheMetrics) {
  TempDir dir;
  train_told(dir / "run", Tones(), 10);
  std::map<std::pair<int64_t, std::string>, float> told;
  for (const Event& event : events_of(dir / "run")) {
    for (const EventValue& value : event.values) {
      if (value.fields.count(2) == 0) continue;
      EXPECT_TRUE(told.emplace(std::pair(event.step, value.tag), value.scalar()).second)
          << event.step << " " << value.tag;
    }
  }
  size_t values = 0;
  for (const auto& line : metrics(dir / "run")) {
    for (const auto& [key, value] : line.items()) {
      if (!value.is_number() || key == "step" || key == "steps") continue;
      const std::pair place(line["step"].get<int64_t>(),
                            line["split"].get<std::string>() + "/" + key);
      ASSERT_EQ(told.count(place), 1U) << place.second;
      EXPECT_EQ(told[place], value.get<float>()) << place.second;
      ++values;
    }
  }
  EXPECT_GT(values, 30U);
  EXPECT_EQ(told.count({3, "timing/steps_per_second"}), 1U);
}

TEST(TrainingEvents, ShowFixedExamplesBesideWhatTheNetworkMakesOfThem) {
  TempDir dir;
  train_told(dir / "run", Tones(), 10);
  std::map<std::string, std::vector<int64_t>> steps;
  std::map<std::string, Waveform> heard;
  for (const Event& event : events_of(dir / "run")) {
    for (const EventValue& value : event.values) {
      if (const auto image = value.fields.find(4); image != value.fields.end()) {
        EXPECT_TRUE(fields_of(image->second).find(4)->second.starts_with("\x89PNG")) << value.tag;
        steps[value.tag].push_back(event.step);
      }
      if (const std::string sound = sound_in(value); !sound.empty()) {
        heard[value.tag] = read_audio_bytes(sound, value.tag);
        steps[value.tag].push_back(event.step);
      }
    }
  }
  EXPECT_EQ(steps.size(), 12U);
  for (const auto& [tag, all] : steps) {
    EXPECT_EQ(all, tag.ends_with("estimate") ? (std::vector<int64_t>{4, 8, 10})
                                             : (std::vector<int64_t>{0}))
        << tag;
  }
  const ValidationSet valid(std::make_unique<Tones>(), 4, 9, kBatch);
  const Batch first = valid.example(1);
  ASSERT_EQ(heard["audio_1/clean"].size(), first.samples);
  for (size_t i = 0; i < first.clean.size(); ++i) {
    ASSERT_NEAR(heard["audio_1/clean"].samples[i], first.clean[i], 1.0 / 32000) << i;
  }
  EXPECT_NE(heard["audio_1/estimate"].samples, heard["audio_1/noisy"].samples);
}

TEST(TrainingEvents, ChangeNothingOfTheTrainingAndAreToldOnceByAResumedOne) {
  TempDir dir;
  train(dir / "silent", Tones(), 10, 0, "", std::make_unique<Tones>(), "log_every: 3");
  EXPECT_FALSE(fs::exists(dir / "silent/tensorboard"));
  train_told(dir / "whole", Tones(), 10);
  const Tones broken(call_of(7), [](Example&) { throw DataError("the disk is gone"); });
  EXPECT_THROW(train_told(dir / "parts", broken, 10), DataError);
  train_told(dir / "parts", Tones(), 10);
  expect_same_run(dir / "silent", dir / "whole", 10);
  expect_same_run(dir / "whole", dir / "parts", 10);
  const auto whole = events_of(dir / "whole");
  const auto parts = events_of(dir / "parts");
  ASSERT_EQ(whole.size(), parts.size());
  for (size_t i = 0; i < whole.size(); ++i) {
    EXPECT_EQ(whole[i].step, parts[i].step);
    ASSERT_EQ(whole[i].values.size(), parts[i].values.size());
    for (size_t k = 0; k < whole[i].values.size(); ++k) {
      const std::string& tag = whole[i].values[k].tag;
      if (tag.starts_with("timing/") || tag.starts_with("_hparams_")) continue;
      EXPECT_EQ(whole[i].values[k].fields, parts[i].values[k].fields) << tag;
    }
  }
}

TEST(TrainingEvents, ThatCannotBeWrittenDoNotEndATraining) {
  TempDir dir;
  put_text(dir / "run/identity.json", Identity("training", 1).text());
  put_text(dir / "run/tensorboard", "a file in the folder's place");
  testing::internal::CaptureStderr();
  train_told(dir / "run", Tones(), 10);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, testing::HasSubstr("TensorBoard is told nothing more"));
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  train(dir / "silent", Tones(), 10, 0, "", std::make_unique<Tones>(), "log_every: 3");
  expect_same_run(dir / "silent", dir / "run", 10);
}

}  // namespace
}  // namespace limbeck::test
