#include "study/search.h"

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/run/trained_model.h"
#include "study/demo_study.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using test::at;
using test::message_of;
using test::put_text;
using test::searched;
using test::with;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// The search of method none in the first scenario: three learning rates, two seeds.
class StudySearchRuns : public test::PutStudy {
 protected:
  explicit StudySearchRuns() : all_(study(with(searched(), {"study.search.seeds=[101, 102]"}))) {}

  static std::string id(size_t point, int64_t seed) {
    return format("search/narrower-latent/none/point-%d/seed-%d", point + 1, seed);
  }

  /// Leaves a point's run with its best value of validation; NaN: diverged.
  void put_point(size_t point, int64_t seed, double value, const std::string& by = "si_sdr") {
    const fs::path run = put(all_, id(point, seed));
    if (std::isnan(value)) {
      return put_text(run / "metrics.jsonl", R"({"step": 10, "diverged": "loss is nan"})"
                                             "\n");
    }
    const nlohmann::json found = {
        {"select", by}, {"best_step", 10}, {"best_value", value}, {"value", value}};
    CheckpointStore(run).add_validation(10, found.dump(), true);
  }
  void put_points(const std::vector<double>& first, const std::vector<double>& second,
                  const std::string& by = "si_sdr") {
    for (size_t p = 0; p < 3; ++p) {
      put_point(p, 101, first[p], by);
      put_point(p, 102, second[p], by);
    }
  }

  SearchOutcome outcome() const {
    return search_outcome(all_.config, all_.plan, 0, 0,
                          [&](const StudyNode& node) { return all_.plan.dir / node.id; });
  }
  fs::path choice() const { return all_.plan.dir / "search/narrower-latent/none/choice.json"; }
  std::string rate() const {
    const auto& node = all_.plan.nodes[at(all_.plan, kStudent)];
    const TrainingConfig config = node_config(all_.config, all_.plan, node);
    return config::to_node(config.train.optimizer).find("lr")->scalar;
  }

  static constexpr const char* kStudent = "runs/narrower-latent/none/seed-1";
  Study all_;
};

TEST_F(StudySearchRuns, TakeTheBestMeanOverSeeds) {
  put_points({5, 6, 9}, {5, 8, 3});
  const SearchOutcome found = outcome();
  EXPECT_EQ(found.by, "si_sdr");
  EXPECT_TRUE(found.higher_is_better);
  EXPECT_EQ(found.chosen, 1U);  // 5, 7, 6
  EXPECT_THAT(found.points.at(2).values, ElementsAre(9, 3));
  EXPECT_EQ(found.points.at(1).name, "train.optimizer.lr=0.002");
  EXPECT_EQ(rate(), "0.002");
}

TEST_F(StudySearchRuns, TakeTheFirstOfEqualPointsAndTheLowestLoss) {
  put_points({5, 6, 6}, {5, 6, 6});
  EXPECT_EQ(outcome().chosen, 1U);
  put_points({0.5, 0.25, 0.25}, {0.5, 0.5, 0.25}, "loss");
  EXPECT_FALSE(outcome().higher_is_better);
  EXPECT_EQ(outcome().chosen, 2U);
}

TEST_F(StudySearchRuns, CountADivergedTrainingAsWorst) {
  put_points({-50, 60, 7}, {-60, NAN, NAN});
  EXPECT_EQ(outcome().chosen, 0U);
  EXPECT_TRUE(std::isnan(outcome().points.at(1).values.at(1)));
  EXPECT_EQ(rate(), "0.001");
  EXPECT_EQ(state(all_, id(1, 102)), "diverged");
  EXPECT_EQ(state(all_, kStudent), "to run");
}

TEST_F(StudySearchRuns, AreNoChoiceIfAllDiverged) {
  put_points({NAN, 6, 7}, {5, NAN, NAN});
  EXPECT_EQ(outcome().chosen, std::nullopt);
  EXPECT_THAT(message_of<DataError>([&] { rate(); }),
              HasSubstr("scenario 'narrower latent', method 'none': no point has a training that "
                        "did not diverge"));
  EXPECT_EQ(state(all_, kStudent), "damaged");
}

TEST_F(StudySearchRuns, HaveToBeDoneFirst) {
  EXPECT_EQ(state(all_, kStudent), "waiting");
  put_points({5, 6, 9}, {5, 8, 3});
  EXPECT_EQ(state(all_, kStudent), "to run");
  put(all_, id(1, 101), "", 4);
  fs::remove_all(fs::canonical(all_.plan.dir / id(1, 101)) / "checkpoints/step-00000010");
  EXPECT_EQ(state(all_, id(1, 101)), "to resume");
  EXPECT_EQ(state(all_, kStudent), "waiting");
  EXPECT_THAT(message_of<DataError>([&] { rate(); }),
              HasSubstr("the search has not ended: this training is interrupted"));
}

TEST_F(StudySearchRuns, ChangeAStudentBySettingsAlone) {
  put_points({5, 6, 9}, {5, 8, 3});
  put(all_, kStudent, "", 10, 1);
  EXPECT_EQ(state(all_, kStudent), "done");
  put_point(2, 102, 30);  // another point is better now
  const NodeStanding standing = this->standing(all_, kStudent);
  EXPECT_EQ(standing.state, NodeState::changed);
  EXPECT_THAT(standing.reasons, ElementsAre("train.optimizer.lr: 0.002 → 0.004"));
}

TEST_F(StudySearchRuns, ChooseAnewOnceAPointThatDivergedConverges) {
  put_points({5, 6, 3}, {5, NAN, 3});
  RunStates states(all_.config, all_.plan);
  const auto rate = [&] {
    const NodeStanding student = states.of(at(all_.plan, kStudent));
    return student.identity->facts().find("train")->find("optimizer")->find("lr")->scalar;
  };
  EXPECT_EQ(rate(), "0.001");
  fs::remove(fs::canonical(all_.plan.dir / id(1, 102)) / "metrics.jsonl");
  put_point(1, 102, 8);
  EXPECT_EQ(rate(), "0.002");
}

TEST_F(StudySearchRuns, EndWithTheirTrainingsBeforeTheProcesses) {
  put_points({5, 6, 9}, {5, 8, 3});
  const DirectoryLock lock(fs::canonical(all_.plan.dir / id(1, 101)));
  EXPECT_EQ(outcome().chosen, 1U);
}

TEST_F(StudySearchRuns, OfMorePointsLeaveOpenWhetherAStudentIsChanged) {
  put_points({5, 6, 9}, {5, 8, 3});
  put(all_, kStudent, "", 10, 1);
  const auto unsure = [&] {
    return trained_by_open_search(all_.plan, RunStates(all_.config, all_.plan).all());
  };
  EXPECT_THAT(unsure(), IsEmpty());
  fs::remove_all(fs::canonical(all_.plan.dir / id(2, 102)));
  EXPECT_THAT(unsure(), ElementsAre("narrower latent, none, seed 1"));
  fs::remove(all_.plan.dir / kStudent);
  EXPECT_THAT(unsure(), IsEmpty());
}

TEST_F(StudySearchRuns, AreWrittenDownWithAllPoints) {
  write_choices(all_.config, all_.plan);
  EXPECT_FALSE(fs::exists(choice()));
  put_points({5, 6, 9}, {5, 8, NAN});
  write_choices(all_.config, all_.plan);
  const auto written = nlohmann::json::parse(read_file(choice()));
  EXPECT_EQ(written.at("chosen"), 2);
  EXPECT_EQ(written.at("by"), "si_sdr");
  const auto& points = written.at("points");
  ASSERT_EQ(points.size(), 3U);
  EXPECT_EQ(points[1].at("settings").at("train.optimizer.lr"), "0.002");
  EXPECT_EQ(points[1].at("mean"), 7);
  EXPECT_EQ(points[2].at("values"), nlohmann::json::parse("[9, null]"));
  EXPECT_TRUE(points[2].at("mean").is_null());
}

}  // namespace
}  // namespace limbeck
