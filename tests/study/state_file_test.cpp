#include "study/state_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/scratch.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"

namespace limbeck {
namespace {

TEST(StateFile, SaysWhatWasSaidOfEachNode) {
  const test::Scratch dir;
  EXPECT_TRUE(read_states(dir / "").nodes.empty());
  const NodeRecord running{TaskState::running, 1, 0, 0, ""};
  const NodeRecord failed{TaskState::failed, 2, 137, 1.5, "said \"no\"\n\xff"};
  {
    StateFile file(dir / "");
    file.set("runs/a/seed-1", running);
    file.set("runs/b/seed-1", running);
    file.set("runs/b/seed-1", failed);
    for (const TaskState state : {TaskState::waiting, TaskState::done, TaskState::not_run}) {
      file.set(to_string(state), {.state = state});
    }
  }
  const StudyStates states = read_states(dir / "");
  EXPECT_EQ(states.process, ::getpid());
  EXPECT_FALSE(states.host.empty());
  EXPECT_EQ(states.nodes.size(), 5U);
  EXPECT_EQ(states.nodes.at("runs/a/seed-1"), running);
  EXPECT_EQ(states.nodes.at("runs/b/seed-1").reason, "said \"no\"\n\xEF\xBF\xBD");
  EXPECT_EQ(states.nodes.at("runs/b/seed-1").code, 137);
  for (const TaskState state : {TaskState::waiting, TaskState::done, TaskState::not_run}) {
    EXPECT_EQ(states.nodes.at(to_string(state)).state, state);
  }
  // The next process has them until it knows better, but nothing runs.
  StateFile next(dir / "");
  EXPECT_EQ(read_states(dir / "").nodes.at("runs/b/seed-1").code, 137);
  EXPECT_EQ(read_states(dir / "").nodes.at("runs/a/seed-1").state, TaskState::waiting);
  next.clear();
  EXPECT_TRUE(read_states(dir / "").nodes.empty());
}

TEST(StateFile, IsNamedWhereItIsMalformed) {
  const test::Scratch dir;
  write_file_atomically(dir / "state.json", "{\"process\": 1}");
  EXPECT_THROW(read_states(dir / ""), DataError);
  const StateFile next(dir / "");
  EXPECT_EQ(read_states(dir / "").host, host_name());
}

TEST(LastWords, AreTheErrorOrElseTheLastLine) {
  const test::Scratch dir;
  EXPECT_EQ(last_words(dir / "log"), "");
  write_file_atomically(dir / "log", "");
  EXPECT_EQ(last_words(dir / "log"), "");
  write_file_atomically(dir / "log", "error: old\nbegun\n");
  EXPECT_EQ(last_words(dir / "log"), "old\nbegun");
  EXPECT_EQ(last_words(dir / "log", 11), "begun");
  EXPECT_EQ(last_words(dir / "log", 1000), "");
  write_file_atomically(dir / "log", "begun\nerror: no good:\n  twice\n\n");
  EXPECT_EQ(last_words(dir / "log"), "no good:\n  twice");
}

TEST(LastLines, AreAsManyAsThereAre) {
  EXPECT_EQ(last_lines("", 3), "");
  EXPECT_EQ(last_lines("a\nb\nc\n", 0), "");
  EXPECT_EQ(last_lines("a\nb\nc\n", 2), "b\nc\n");
  EXPECT_EQ(last_lines("a\nb\nc", 1), "c");
  EXPECT_EQ(last_lines("a\nb\nc\n", 9), "a\nb\nc\n");
}

}  // namespace
}  // namespace limbeck
