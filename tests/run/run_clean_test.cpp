#include "limbeck/run/run_clean.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "limbeck/core/error.h"
#include "limbeck/core/leftovers.h"
#include "limbeck/core/lock.h"
#include "limbeck/run/run_view.h"
#include "run/support.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// A temporary sibling of a process that is gone.
fs::path left_by_the_dead(const fs::path& path) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string name = temporary_sibling(path).string();
    ::_exit(::write(ends[1], name.data(), name.size()) < 0 ? 1 : 0);
  }
  ::waitpid(child, nullptr, 0);
  char name[4096] = "";
  const ssize_t size = ::read(ends[0], name, sizeof name);
  ::close(ends[0]);
  ::close(ends[1]);
  return std::string(name, static_cast<size_t>(size));
}

class CleanedRun : public testing::Test {
 protected:
  /// best is step 4, last is step 8; others of the same contents.
  CleanedRun() {
    put_run(path_, 4, 10);
    put_run(path_, 8, 10, made_identity(), false);
    for (const char* other : {"step-00000002", "step-00000006"}) {
      fs::copy(path_ / "checkpoints/step-00000004", path_ / "checkpoints" / other);
    }
  }
  std::vector<std::string> checkpoints() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path_ / "checkpoints")) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  std::vector<std::string> removable(bool empty = false) const {
    std::vector<std::string> names;
    for (const Removable& item : find_removable(path_, empty).items) {
      names.push_back(item.path.filename().string());
    }
    return names;
  }
  uint64_t clean(bool empty = false) {
    return clean_run(path_, find_removable(path_, empty).items, empty, logger_);
  }

  TempDir dir_;
  fs::path path_ = dir_ / "run";
  Logger logger_{Verbosity::quiet};
};

TEST_F(CleanedRun, KeepsBestAndLast) {
  const RunCleaning found = find_removable(path_, false);
  EXPECT_EQ(found.kept, "");
  ASSERT_EQ(found.items.size(), 2U);
  EXPECT_EQ(found.items[0].path, path_ / "checkpoints/step-00000002");
  EXPECT_EQ(found.items[0].why, "neither best nor last");
  EXPECT_GT(found.items[0].bytes, 0U);
  EXPECT_EQ(checkpoints().size(), 4U);  // looking removes nothing
  EXPECT_EQ(clean(), found.items[0].bytes + found.items[1].bytes);
  EXPECT_THAT(checkpoints(), ElementsAre("step-00000004", "step-00000008"));
  EXPECT_EQ(RunView(path_).checkpoint("best"), path_ / "checkpoints/step-00000004");
  EXPECT_EQ(RunView(path_).checkpoint("last"), path_ / "checkpoints/step-00000008");
  EXPECT_EQ(clean(), 0U);
  EXPECT_FALSE(is_locked(path_));
}

TEST_F(CleanedRun, KeepsAllWhereBestOrLastIsNotSound) {
  const fs::path last = path_ / "checkpoints/step-00000008/model.safetensors";
  const fs::path best = path_ / "checkpoints/step-00000004/model.safetensors";
  for (const fs::path& file : {last, best}) {
    std::string bytes = read_file(file);
    bytes.back() ^= 1;  // no size tells
    put_text(file, bytes);
    const RunCleaning found = find_removable(path_, true);
    EXPECT_THAT(found.items, IsEmpty()) << file;
    EXPECT_THAT(found.kept, StartsWith("all its checkpoints are kept, as its "));
    EXPECT_THAT(found.kept, HasSubstr("checkpoint is damaged: model.safetensors: another content"));
    EXPECT_EQ(clean(), 0U);
    bytes.back() ^= 1;
    put_text(file, bytes);
  }
  for (const char* pointer : {"last.json", "best.json"}) {
    const std::string kept = read_file(path_ / pointer);
    put_text(path_ / pointer, "{");
    EXPECT_THAT(find_removable(path_, false).kept,
                HasSubstr(std::string(pointer) + " is missing or malformed"));
    fs::remove(path_ / pointer);
    EXPECT_THAT(find_removable(path_, false).kept,
                HasSubstr(std::string(pointer) + " is missing or malformed"));
    EXPECT_THAT(removable(), IsEmpty());
    put_text(path_ / pointer, kept);
  }
  EXPECT_EQ(removable().size(), 2U);
}

TEST_F(CleanedRun, KeepsANewerOneThanIsPointedTo) {
  fs::copy(path_ / "checkpoints/step-00000008", path_ / "checkpoints/step-00000009");
  EXPECT_THAT(removable(), ElementsAre("step-00000002", "step-00000006"));
}

TEST_F(CleanedRun, NeedsNoBestBeforeTheFirstValidation) {
  fs::remove(path_ / "best.json");
  for (const auto& entry : fs::directory_iterator(path_ / "checkpoints")) {
    fs::remove(entry.path() / "validation.json");
  }
  EXPECT_THAT(removable(), ElementsAre("step-00000002", "step-00000004", "step-00000006"));
}

TEST_F(CleanedRun, IsLeftAloneInTraining) {
  const auto items = find_removable(path_, false).items;
  const DirectoryLock training(path_);
  EXPECT_THAT(message_of<ConfigError>([&] { clean_run(path_, items, false, logger_); }),
              HasSubstr("another process is using"));
  EXPECT_EQ(checkpoints().size(), 4U);
}

TEST_F(CleanedRun, LosesNothingThatWasNotListedOrIsNoLongerRemovable) {
  auto items = find_removable(path_, false).items;
  fs::copy(path_ / "checkpoints/step-00000004", path_ / "checkpoints/step-00000005");
  put_text(path_ / "best.json", R"({"checkpoint": "step-00000006"})");  // in the meantime
  clean_run(path_, items, false, logger_);
  EXPECT_THAT(checkpoints(),
              ElementsAre("step-00000004", "step-00000005", "step-00000006", "step-00000008"));
}

TEST_F(CleanedRun, LosesWhatTheDeadLeft) {
  clean();
  const fs::path in_run = left_by_the_dead(path_ / "config.yaml");
  const fs::path folder = left_by_the_dead(path_ / "checkpoints/step-00000012");
  const fs::path inside = left_by_the_dead(path_ / "checkpoints/step-00000008/validation.json");
  const fs::path scores = left_by_the_dead(path_ / "eval/test/summary.json");
  const fs::path living = temporary_sibling(path_ / "eval/test/summary.json");
  for (const fs::path& file : {in_run, folder / "model.safetensors", inside, scores, living}) {
    put_text(file, "half");
  }
  EXPECT_THAT(stale_entries(path_), ElementsAre(in_run));
  EXPECT_EQ(removable().size(), 4U);
  EXPECT_EQ(clean(), 16U);
  for (const fs::path& gone : {in_run, folder, inside, scores}) EXPECT_FALSE(fs::exists(gone));
  EXPECT_TRUE(fs::exists(living));
}

TEST_F(CleanedRun, GoesAsAWholeOnlyWhereItNeverHadACheckpoint) {
  EXPECT_EQ(removable(true), removable(false));
  fs::remove_all(path_ / "checkpoints");
  for (const char* pointer : {"last.json", "best.json"}) {
    EXPECT_THAT(removable(true), IsEmpty());
    EXPECT_THAT(find_removable(path_, true).kept,
                StartsWith("has no checkpoint, but is kept, as " + std::string(pointer)));
    fs::remove(path_ / pointer);
  }
  EXPECT_THAT(removable(false), IsEmpty());
  const auto items = find_removable(path_, true).items;
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].path, path_);
  EXPECT_TRUE(items[0].whole_run);
  EXPECT_THAT(items[0].why, StartsWith("the whole run: no checkpoint, step "));
  fs::rename(path_ / "identity.json", dir_ / "kept");  // it may be anything now
  EXPECT_THAT(removable(true), IsEmpty());
  fs::rename(dir_ / "kept", path_ / "identity.json");
  put_run(path_ / "more/inner", 4, 10);
  EXPECT_THAT(removable(true), IsEmpty());
  EXPECT_THAT(find_removable(path_, true).kept,
              HasSubstr("holds another run, " + (path_ / "more/inner").string()));
  fs::remove_all(path_ / "more");
  EXPECT_GT(clean(true), 0U);
  EXPECT_TRUE(fs::is_empty(dir_.path()));
}

}  // namespace
}  // namespace limbeck::test
