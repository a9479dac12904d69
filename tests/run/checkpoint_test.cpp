#include "limbeck/run/checkpoint.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "data/support.h"
#include "limbeck/core/format.h"
#include "limbeck/run/run_view.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;

class Checkpoints : public testing::Test {
 protected:
  void save(int64_t step, bool is_best = false) {
    store_.save(
        step,
        {{"state.json", "{\"step\": " + std::to_string(step) + "}"}, {"model.bin", "weights"}},
        is_best);
  }
  fs::path folder(const std::string& name) const { return dir_ / "checkpoints" / name; }
  std::vector<std::string> folders() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(dir_ / "checkpoints"))
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

  TempDir dir_;
  CheckpointStore store_{dir_.path()};
  RunView run_{dir_.path()};
};

TEST_F(Checkpoints, NoneYet) {
  EXPECT_FALSE(run_.checkpoint("last"));
  EXPECT_FALSE(run_.checkpoint("best"));
}

TEST_F(Checkpoints, WhatWasSavedIsFoundAndSound) {
  save(5, true);
  EXPECT_EQ(run_.checkpoint("last"), folder("step-00000005"));
  EXPECT_EQ(run_.checkpoint("best"), folder("step-00000005"));
  EXPECT_EQ(check_checkpoint(folder("step-00000005")), "");
  EXPECT_EQ(read_file(folder("step-00000005") / "state.json"), "{\"step\": 5}");
  const auto manifest = nlohmann::json::parse(read_file(folder("step-00000005") / "manifest.json"));
  EXPECT_EQ(manifest["step"], 5);
  EXPECT_EQ(manifest["files"]["model.bin"]["bytes"], 7);
  EXPECT_EQ(manifest["files"]["model.bin"]["xxh3_128"], hash_bytes("weights", 7));
  EXPECT_EQ(nlohmann::json::parse(read_file(dir_ / "last.json"))["step"], 5);
}

TEST_F(Checkpoints, BestAndLastAreKeptTheOthersGo) {
  save(1);
  save(2, true);
  save(3);
  save(4);
  EXPECT_THAT(folders(), testing::ElementsAre("step-00000002", "step-00000004"));
  EXPECT_EQ(run_.checkpoint("best"), folder("step-00000002"));
  EXPECT_EQ(run_.checkpoint("last"), folder("step-00000004"));
  save(5, true);
  EXPECT_THAT(folders(), testing::ElementsAre("step-00000005"));
}

TEST_F(Checkpoints, ATornOneIsIgnored) {
  save(1, true);
  save(2);
  // A crash in the middle of writing leaves a hidden folder, or one without manifest.
  fs::create_directories(folder(".step-00000003.tmp"));
  put_text(folder(".step-00000003.tmp") / "model.bin", "weig");
  put_text(folder("step-00000004") / "model.bin", "weights");
  EXPECT_EQ(run_.checkpoint("last"), folder("step-00000002"));
  fs::remove(dir_ / "last.json");
  EXPECT_EQ(run_.checkpoint("last"), folder("step-00000002"));
  save(3);  // the leftovers are in nobody's way
  EXPECT_EQ(run_.checkpoint("last"), folder("step-00000003"));
  put_text(folder("step-00000004") / "model.bin", "weights");  // of the very step that is next
  save(4);
  EXPECT_EQ(run_.checkpoint("last"), folder("step-00000004"));
  EXPECT_TRUE(fs::exists(folder("step-00000004") / "state.json"));
}

TEST_F(Checkpoints, EveryDamageIsSeenAndTheNewestSoundOneTaken) {
  const std::vector<std::pair<std::function<void(const fs::path&)>, std::string>> damages = {
      {[](const fs::path& f) { fs::remove(f / "model.bin"); }, "model.bin: missing"},
      {[](const fs::path& f) { put_text(f / "model.bin", "weigh"); }, "model.bin: another size"},
      {[](const fs::path& f) { put_text(f / "model.bin", "Weights"); },
       "model.bin: another content"},
      {[](const fs::path& f) { put_text(f / "manifest.json", "{\"format\": 1"); },
       "manifest.json: "},
      {[](const fs::path& f) { put_text(f / "manifest.json", "{\"format\": 2, \"files\": {}}"); },
       "manifest.json: another format version"},
      {[](const fs::path& f) {
         put_text(f / "manifest.json", R"({"format": 1, "files": {"../../state.json": {}}})");
       },
       "manifest.json: '../../state.json' is no file of the checkpoint"},
      {[](const fs::path& f) { put_text(f / "manifest.json", std::string(1 << 20, '[')); },
       "manifest.json: nested deeper than 100 levels"},
      {[](const fs::path& f) { fs::remove(f / "manifest.json"); }, "manifest.json: "}};
  for (const auto& [damage, message] : damages) {
    save(1, true);
    save(2);
    damage(folder("step-00000002"));
    EXPECT_THAT(check_checkpoint(folder("step-00000002")), testing::StartsWith(message));
    EXPECT_THAT(
        check_checkpoint(folder("step-00000002"), "none.bin"),
        testing::AnyOf("none.bin: not in manifest.json", testing::StartsWith("manifest.json: ")));
    EXPECT_EQ(run_.checkpoint("last"), folder("step-00000001")) << message;
  }
  damages[0].first(folder("step-00000001"));
  EXPECT_FALSE(run_.checkpoint("best"));
  EXPECT_FALSE(run_.checkpoint("last"));
}

TEST_F(Checkpoints, ADamagedPointerFallsBackToTheNewest) {
  save(1, true);
  save(2);
  put_text(dir_ / "last.json", "{\"check");
  EXPECT_EQ(run_.checkpoint("last"), folder("step-00000002"));
  put_text(dir_ / "last.json", R"({"checkpoint": "step-00000009"})");
  EXPECT_EQ(run_.checkpoint("last"), folder("step-00000002"));
  fs::create_directories(dir_ / "elsewhere");
  fs::copy(folder("step-00000001"), dir_ / "elsewhere/step-00000001", fs::copy_options::recursive);
  put_text(dir_ / "last.json", R"({"checkpoint": "../elsewhere/step-00000001"})");
  EXPECT_EQ(run_.checkpoint("last"), folder("step-00000002"));
}

TEST_F(Checkpoints, WhatValidationFindsIsPutBesideTheManifest) {
  save(1, true);
  save(2);
  EXPECT_FALSE(validation_of(folder("step-00000002")));
  store_.add_validation(2, "{\"best_step\": 2}", true);
  EXPECT_EQ(validation_of(folder("step-00000002")), "{\"best_step\": 2}");
  EXPECT_EQ(check_checkpoint(folder("step-00000002")), "");
  EXPECT_EQ(run_.checkpoint("best"), folder("step-00000002"));
  EXPECT_THAT(folders(), testing::ElementsAre("step-00000002"));
  put_text(folder("step-00000002") / "validation.json", "{\"best");
  EXPECT_FALSE(validation_of(folder("step-00000002")));
}

TEST_F(Checkpoints, NothingIsRemovedWhileAPointerCannotBeUnderstood) {
  save(1, true);
  save(2);
  put_text(dir_ / "best.json", "{\"check");
  save(3);
  EXPECT_THAT(folders(), testing::ElementsAre("step-00000001", "step-00000002", "step-00000003"));
  store_.settle(3, 1);  // as training knows
  EXPECT_EQ(run_.checkpoint("best"), folder("step-00000001"));
  EXPECT_THAT(folders(), testing::ElementsAre("step-00000001", "step-00000003"));
}

TEST_F(Checkpoints, LastBestAndEveryAreKept) {
  store_ = CheckpointStore(dir_.path(), {.last = 2, .best = 3, .every = 4});
  const double values[] = {5, 1, 7, 2, 7, 0, 3, 1, 6, 2};
  double best = -1;
  for (int64_t step = 1; step <= 10; ++step) {
    const double value = values[step - 1];
    save(step);
    store_.add_validation(step, nlohmann::json{{"value", value}}.dump(), value > best);
    best = std::max(best, value);
  }
  save(11);  // not validated
  EXPECT_EQ(run_.checkpoint("best"), folder("step-00000003"));
  EXPECT_THAT(folders(), testing::ElementsAre("step-00000003", "step-00000004", "step-00000005",
                                              "step-00000008", "step-00000009", "step-00000010",
                                              "step-00000011"));
  // What best and last point to stays, whatever is kept.
  CheckpointStore(dir_.path()).settle(11, 3);
  EXPECT_THAT(folders(), testing::ElementsAre("step-00000003", "step-00000011"));
}

TEST_F(Checkpoints, WhateverLiesInTheWayMakesWay) {
  const std::vector<std::function<void(const fs::path&)>> obstacles = {
      [](const fs::path& path) { put_text(path, "a file"); },
      [](const fs::path& path) { fs::create_directory_symlink("nowhere", path); },
      [this](const fs::path& path) {
        fs::create_directories(dir_ / "other");
        fs::create_directory_symlink(dir_ / "other", path);
      },
      [](const fs::path& path) {
        put_text(path / "deep" / "model.bin", "weig");
        fs::permissions(path / "deep", fs::perms::owner_read);
        fs::permissions(path, fs::perms::owner_read);
      }};
  save(1, true);
  int64_t step = 2;
  for (const auto& put : obstacles) {
    put(folder(format("step-%08d", step)));
    save(step);
    EXPECT_EQ(run_.checkpoint("last"), folder(format("step-%08d", step))) << step;
    EXPECT_FALSE(fs::is_symlink(folder(format("step-%08d", step))));
    EXPECT_EQ(folders().size(), 2U) << step;
    ++step;
  }
  EXPECT_TRUE(fs::exists(dir_ / "other"));
}

TEST_F(Checkpoints, TheNewestIsTheLastEvenIfNothingPointsToItYet) {
  save(1, true);
  fs::copy(dir_ / "last.json", dir_ / "kept");
  save(2);
  fs::rename(dir_ / "kept", dir_ / "last.json");  // killed before it was written
  EXPECT_EQ(run_.checkpoint("last"), folder("step-00000002"));
  store_.settle(2, 1);
  EXPECT_EQ(nlohmann::json::parse(read_file(dir_ / "last.json"))["step"], 2);
  EXPECT_THAT(folders(), testing::ElementsAre("step-00000001", "step-00000002"));
}

TEST_F(Checkpoints, AreInTheOrderOfTheirSteps) {
  save(99999999, true);
  save(100000000);
  EXPECT_EQ(run_.checkpoint("last"), folder("step-100000000"));
}

TEST_F(Checkpoints, SavingTheSameStepAgainReplacesIt) {
  save(1);
  store_.save(1, {{"other", "x"}}, false);
  EXPECT_EQ(check_checkpoint(folder("step-00000001")), "");
  EXPECT_FALSE(fs::exists(folder("step-00000001") / "model.bin"));
  EXPECT_EQ(read_file(folder("step-00000001") / "other"), "x");
}

}  // namespace
}  // namespace limbeck::test
