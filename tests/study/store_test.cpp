#include "study/store.h"

#include <gmock/gmock.h>

#include <thread>

#include "limbeck/core/files.h"
#include "study/demo_study.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using test::at;
using test::kNone;
using test::made_identity;
using test::message_of;
using test::put_run;
using test::put_text;
using ::testing::HasSubstr;

class StudyStore : public test::PutStudy {
 protected:
  StudyStore() : all_(study()) {}

  const StudyNode& node(const char* id = kNone) const { return all_.plan.nodes[at(all_.plan, id)]; }
  fs::path link() const { return all_.plan.dir / kNone; }
  size_t in_store() const {
    size_t count = 0;
    for (const auto& entry : fs::directory_iterator(all_.plan.store)) count += entry.exists();
    return count;
  }

  Study all_;
};

TEST_F(StudyStore, NamesAFolderByItsIdentityAndLinksIt) {
  const fs::path folder = enter_store(all_.plan, node(), made_identity());
  EXPECT_EQ(folder, dir_ / "store" / made_identity().hash());
  EXPECT_TRUE(fs::is_directory(folder));
  EXPECT_EQ(fs::canonical(link()), fs::canonical(folder));
  EXPECT_TRUE(fs::read_symlink(link()).is_relative());
  EXPECT_EQ(enter_store(all_.plan, node(), made_identity()), folder);
}

TEST_F(StudyStore, KeepsWhatALinkLedTo) {
  const fs::path before = enter_store(all_.plan, node(), made_identity(10));
  put_run(before, 10, 10, made_identity(10));
  const fs::path after = enter_store(all_.plan, node(), made_identity(20));
  EXPECT_NE(after, before);
  EXPECT_EQ(fs::canonical(link()), fs::canonical(after));
  EXPECT_TRUE(RunView(before).exists());
  leave_store(all_.plan, node());
  EXPECT_FALSE(fs::exists(fs::symlink_status(link())));
  EXPECT_TRUE(RunView(before).exists());
  leave_store(all_.plan, node());  // nothing is there any more
}

TEST_F(StudyStore, TakesOverTheRunsOfOlderStudies) {
  put_run(link(), 10, 10, made_identity(10));
  EXPECT_EQ(enter_store(all_.plan, node(), made_identity(10)), link());
  EXPECT_FALSE(fs::exists(all_.plan.store));
  const fs::path folder = enter_store(all_.plan, node(), made_identity(20));
  EXPECT_EQ(fs::canonical(link()), fs::canonical(folder));
  EXPECT_TRUE(RunView(store_folder(all_.plan, made_identity(10))).exists());
  EXPECT_EQ(in_store(), 2U);
  // One that lies there already, and one of which nothing is known.
  for (const bool is_known : {true, false}) {
    fs::remove(link());
    put_run(link(), 10, 10, made_identity(10));
    if (!is_known) fs::remove(link() / "identity.json");
    leave_store(all_.plan, node());
  }
  EXPECT_TRUE(RunView(store_folder(all_.plan, made_identity(10)).string() + ".2").exists());
  EXPECT_TRUE(RunView(all_.plan.store / "unknown").exists());
}

TEST_F(StudyStore, MakesWayWhereAnIdHasBecomeAFolder) {
  enter_store(all_.plan, node("teachers/t"), made_identity(10));
  const Study several = study({"study.teacher_seeds=[1, 2]"});
  const StudyNode& teacher = several.plan.nodes[at(several.plan, "teachers/t/seed-2")];
  const fs::path folder = enter_store(several.plan, teacher, made_identity(20));
  EXPECT_EQ(fs::canonical(several.plan.dir / "teachers/t/seed-2"), fs::canonical(folder));
  EXPECT_TRUE(fs::is_empty(store_folder(several.plan, made_identity(10))));
}

TEST_F(StudyStore, MakesWayWhereAFolderHasBecomeAnId) {
  const Study several = study({"study.teacher_seeds=[1, 2]"});
  enter_store(several.plan, several.plan.nodes[at(several.plan, "teachers/t/seed-2")],
              made_identity(20));
  const fs::path teacher = all_.plan.dir / "teachers/t";
  const fs::path folder = enter_store(all_.plan, node("teachers/t"), made_identity(10));
  EXPECT_EQ(fs::canonical(teacher), fs::canonical(folder));
  // What is no link is nobody's to remove.
  fs::remove(teacher);
  put_text(teacher / "notes.txt", "mine");
  EXPECT_THROW(enter_store(all_.plan, node("teachers/t"), made_identity(10)), DataError);
  EXPECT_TRUE(fs::exists(teacher / "notes.txt"));
}

TEST_F(StudyStore, TakesNoFolderForARunByItsName) {
  const Study odd = study({"scenarios.0.name=checkpoints"});
  for (const char* method : {"none", "cosine"}) {
    const std::string id = std::string("runs/checkpoints/") + method + "/seed-1";
    enter_store(odd.plan, odd.plan.nodes[at(odd.plan, id)], made_identity());
  }
  EXPECT_TRUE(fs::is_directory(odd.plan.dir / "runs/checkpoints/none/seed-1"));
  EXPECT_EQ(in_store(), 1U);
}

TEST_F(StudyStore, LeavesALinkThatLeadsToTheSameRunElsewhere) {
  const fs::path run = enter_store(all_.plan, node(), made_identity());
  put_run(run, 10, 10, made_identity());
  const Study moved = study({"study.store=" + (dir_ / "elsewhere").string()});
  EXPECT_EQ(enter_store(moved.plan, node(), made_identity()), fs::canonical(run));
  EXPECT_EQ(fs::canonical(link()), fs::canonical(run));
}

TEST_F(StudyStore, ReplacesALinkThatLeadsNowhere) {
  fs::create_directories(link().parent_path());
  fs::create_directory_symlink("nowhere", link());
  const fs::path folder = enter_store(all_.plan, node(), made_identity());
  EXPECT_EQ(fs::canonical(link()), fs::canonical(folder));
}

TEST_F(StudyStore, LetsTwoStudiesEnterAtOnce) {
  const Study other = study({}, "other");
  const auto enter = [](const Study& one) {
    for (int64_t i = 0; i < 200; ++i) {
      enter_store(one.plan, one.plan.nodes[at(one.plan, kNone)], made_identity(i % 5));
    }
  };
  std::thread first(enter, all_), second(enter, other), third(enter, other);
  for (auto* thread : {&first, &second, &third}) thread->join();
  EXPECT_EQ(in_store(), 5U);
  EXPECT_EQ(fs::canonical(other.plan.dir / kNone), fs::canonical(link()));
}

TEST_F(StudyStore, RefusesTheFolderOfAnotherStudy) {
  EXPECT_NO_THROW(require_own_folder(all_.config, all_.plan));
  put_text(all_.plan.dir / "study.yaml", "study: {name: demo}\n");
  EXPECT_NO_THROW(require_own_folder(all_.config, all_.plan));
  put_text(all_.plan.dir / "study.yaml", "study: {name: other}\n");
  EXPECT_THAT(message_of<ConfigError>([&] { require_own_folder(all_.config, all_.plan); }),
              HasSubstr("is the folder of study 'other', not of 'demo'; give another study.dir"));
}

}  // namespace
}  // namespace limbeck
