#include "train/start.h"

#include "limbeck/core/error.h"
#include "limbeck/run/run_view.h"
#include "train/tiny_session.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;

class Start : public TinySessions {
 protected:
  StartRecord begun(const TinySession& session) {
    train(config(session));
    return start_of(session.run);
  }
  StartRecord start_of(const std::string& run) const { return RunView(dir_ / run).start().value(); }
};

TEST_F(Start, IsTheSameForAllMethodsOfASeed) {
  const StartRecord none = begun({.run = "none", .distill = "terms: []"});
  EXPECT_EQ(none.steps, 5);
  EXPECT_EQ(none.batch_size, 2);
  EXPECT_EQ(none.accumulate, 1);
  for (const auto& [name, distill] : std::map<std::string, std::string>{
           {"cosine", "terms: [{name: cosine}]"},
           {"balanced", "terms: [{name: cosine}], balance: {mode: gradient_ratio, steps: 3}"},
           {"fitnet", "terms: [{name: fitnet, adapter: {type: linear}}]"},
           {"two_step",
            "terms: [{name: self_similarity}], phases: [{steps: 2, task: false}, {distill: "
            "false}]"},
           {"clskd",
            "terms: [{name: clskd, width: 4, student: [encoder.0, decoder.0], teacher: [encoder.0, "
            "decoder.1]}]"},
           {"output", "terms: [{name: output}, {name: cosine}]"}}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(begun({.run = name, .distill = distill}), none);
    EXPECT_NE(weights(config({.run = name})), weights(config({.run = "none"})));
  }
  // What changes nothing of how it begins may be searched.
  EXPECT_EQ(begun({.run = "lr", .train = "optimizer: {lr: 0.01}"}), none);
}

TEST_F(Start, TellsSeedsAndBudgetsApart) {
  const StartRecord one = begun({});
  StartRecord other = begun({.run = "other", .seed = 2});
  EXPECT_NE(other.weights, one.weights);
  EXPECT_NE(other.batches, one.batches);
  other = begun({.run = "longer", .steps = 6});
  EXPECT_EQ(other.weights, one.weights);
  EXPECT_EQ(other.batches, one.batches);
  EXPECT_EQ(other.steps, 6);
  other = begun({.run = "accumulated", .train = "accumulate: 2"});
  EXPECT_EQ(other.weights, one.weights);
  EXPECT_EQ(other.accumulate, 2);
  TrainingConfig shorter = config({.run = "shorter"});
  shorter.data.segment_seconds = 0.05;
  train(shorter);
  other = start_of("shorter");
  EXPECT_EQ(other.weights, one.weights);
  EXPECT_NE(other.batches, one.batches);
}

TEST_F(Start, StaysWhenARunGoesOn) {
  const StartRecord begun_with = begun({});
  const auto before = read_file(dir_ / "run/start.json");
  train(config({}));
  EXPECT_EQ(read_file(dir_ / "run/start.json"), before);
  // As one that was begun by another version would have it.
  StartRecord known = begun_with;
  known.weights = "known";
  put_text(dir_ / "run/start.json", known.text());
  train(config({.steps = 8}), {.extend = true});
  EXPECT_EQ(start_of("run").weights, "known");
  EXPECT_EQ(start_of("run").steps, 8);
  // A run that was begun without it gets it, and it is the same.
  fs::remove(dir_ / "run/start.json");
  train(config({.steps = 8}), {.extend = true});
  EXPECT_EQ(start_of("run").weights, begun_with.weights);
  EXPECT_EQ(start_of("run").batches, begun_with.batches);
  train(config({.seed = 2}), {.restart = true});
  EXPECT_NE(start_of("run").weights, begun_with.weights);
}

TEST_F(Start, OfAForkIsWhatItIsForkedFrom) {
  const StartRecord one = begun({});
  train(config({.run = "fork", .distill = "terms: [{name: cosine, weight: 2}]", .steps = 7}),
        {.fork = (dir_ / "run").string()});
  const StartRecord fork = start_of("fork");
  EXPECT_NE(fork.weights, one.weights);
  EXPECT_EQ(fork.batches, one.batches);
  fs::remove(dir_ / "fork/start.json");
  train(config({.run = "fork", .distill = "terms: [{name: cosine, weight: 2}]", .steps = 7}));
  EXPECT_FALSE(RunView(dir_ / "fork").start());  // no longer known
}

TEST_F(Start, IsOfTheWeightsThatTrainingIsGiven) {
  const StartRecord one = begun({});
  const std::string init = format("init: '%s'", dir_ / "run");
  EXPECT_NE(begun({.run = "init", .train = init}).weights, one.weights);
  EXPECT_EQ(begun({.run = "init too", .distill = "terms: []", .train = init}), start_of("init"));
}

}  // namespace
}  // namespace limbeck::test
