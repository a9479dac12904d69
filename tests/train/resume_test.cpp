// What a training that ended early leaves, and how it goes on.

#include <csignal>

#include "limbeck/core/interrupt.h"
#include "limbeck/run/run_view.h"
#include "train/shared_dir.h"
#include "train/tiny_run.h"
#include "train/trainer.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Four examples, of which one call, from 0, does something else: calls 4 to 7 are those of the
/// second validation.
std::unique_ptr<Dataset> validation(int64_t call, std::function<void(Example&)> special) {
  return std::make_unique<Tones>(call, std::move(special));
}

TEST(Resume, WhatValidationCannotReadCostsNoStep) {
  TempDir dir;
  train(dir / "whole", Tones(), 10);
  const auto gone = [](Example&) { throw DataError("the disk is gone"); };
  EXPECT_THROW(train(dir / "parts", Tones(), 10, 0, "", validation(5, gone)), DataError);
  EXPECT_EQ(RunView(dir / "parts").checkpoint("last")->filename(), "step-00000008");
  EXPECT_EQ(RunView(dir / "parts").checkpoint("best")->filename(), "step-00000004");
  // And again: it is validation that is repeated, not a step.
  const Tones untouchable(0, [](Example&) { throw std::logic_error("was trained"); });
  EXPECT_THROW(train(dir / "parts", untouchable, 10, 0, "", validation(0, gone)), DataError);
  train(dir / "parts", Tones(), 10);
  expect_same_run(dir / "whole", dir / "parts", 10);
}

TEST(Resume, ARunIsFinishedOnceItsLastStepIsValidated) {
  TempDir dir;
  train(dir / "whole", Tones(), 8);
  const auto gone = [](Example&) { throw DataError("the disk is gone"); };
  EXPECT_THROW(train(dir / "parts", Tones(), 8, 0, "", validation(5, gone)), DataError);
  EXPECT_FALSE(RunView(dir / "parts").finished());
  const Tones untouchable(0, [](Example&) { throw std::logic_error("was trained"); });
  train(dir / "parts", untouchable, 8);
  EXPECT_TRUE(RunView(dir / "parts").finished());
  expect_same_run(dir / "whole", dir / "parts", 8);
}

TEST(Resume, WithoutAUsableCheckpointNothingIsStartedOver) {
  TempDir dir;
  const Tones broken(call_of(7), [](Example&) { throw DataError("gone"); });
  EXPECT_THROW(train(dir / "run", broken, 10), DataError);
  const fs::path checkpoint = dir / "run/checkpoints/step-00000004";
  const std::string model = read_file(checkpoint / "model.safetensors");
  const auto rows = metrics(dir / "run");
  ASSERT_EQ(rows.size(), 7U);
  const auto refused = [&](const std::string& why) {
    const auto message = message_of<CheckpointError>([&] { train(dir / "run", Tones(), 10); });
    EXPECT_THAT(message, HasSubstr("none of its checkpoints can be used"));
    EXPECT_THAT(message, HasSubstr("step-00000004: " + why));
    EXPECT_THAT(message, HasSubstr("--restart"));
    EXPECT_EQ(metrics(dir / "run"), rows);
  };
  put_text(checkpoint / "model.safetensors", "torn");
  refused("model.safetensors: another size");
  EXPECT_EQ(read_file(checkpoint / "model.safetensors"), "torn");
  fs::rename(checkpoint, dir / "kept");
  refused("manifest.json: missing");  // which last.json points to
  fs::rename(dir / "kept", checkpoint);
  put_text(checkpoint / "model.safetensors", model);
  train(dir / "whole", Tones(), 10);
  train(dir / "run", Tones(), 10);
  expect_same_run(dir / "whole", dir / "run", 10);
}

/// Trains in a process of its own, in which a SIGINT comes, and expects that it ends by it.
void expect_interrupted(const std::function<void()>& body) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        catch_interrupts();
        try {
          body();
        } catch (const Interrupted& e) {
          std::_Exit(e.exit_code());
        }
      },
      testing::ExitedWithCode(130), "");
}

TEST(ResumeDeathTest, AnInterruptEndsValidationAtOnceWhichIsRepeated) {
  const SharedDir dir;
  expect_interrupted([&] {
    auto items = validation(4, [](Example&) { std::raise(SIGINT); });
    train(dir / "parts", Tones(), 10, 0, "", std::move(items));
  });
  EXPECT_EQ(RunView(dir / "parts").checkpoint("last")->filename(), "step-00000008");
  EXPECT_EQ(metrics(dir / "parts").back()["split"], "train");
  train(dir / "parts", Tones(), 10);
  train(dir / "whole", Tones(), 10);
  expect_same_run(dir / "whole", dir / "parts", 10);
}

}  // namespace
}  // namespace limbeck::test
