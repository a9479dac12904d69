#include <gmock/gmock.h>

#include "limbeck/config/resolve.h"
#include "limbeck/core/error.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/run/checkpoint.h"
#include "limbeck/run/run_view.h"
#include "limbeck/train/make_task.h"
#include "nn/support.h"
#include "paths.h"

namespace limbeck::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// configs/distill/cosine.yaml with a teacher file, and changes.
TrainingConfig distill_config(std::vector<std::string> sets) {
  sets.insert(sets.begin(), {"data.source.speech=s.csv", "data.source.noise=n.csv"});
  return config::load<TrainingConfig>({test::source_dir() / "configs/distill/cosine.yaml"}, sets);
}

std::string refused(std::vector<std::string> sets) {
  return message_of<ConfigError>([&] { distill_config(std::move(sets)); });
}

TEST(TrainingConfig, AcceptsBalancePhasesAndCache) {
  const auto config = distill_config(
      {"distill.balance={mode: gradient_ratio, target: 0.5, steps: 200}",
       "distill.phases=[{steps: 100, task: false}, {distill: false, restart: false}]",
       "data.epochs_unique=4", "distill.cache={dir: cache, precision: float16}",
       "train.steps=101"});
  EXPECT_EQ(config.distill.balance.mode, "gradient_ratio");
  ASSERT_EQ(config.distill.phases.size(), 2u);
  EXPECT_FALSE(config.distill.phases[0].task);
  EXPECT_TRUE(config.distill.phases[0].restart);
  EXPECT_FALSE(config.distill.phases[1].restart);
  EXPECT_EQ(config.distill.steps_before_last_phase(), 100);
  EXPECT_EQ(config.distill.cache.precision, "float16");
}

TEST(TrainingConfig, ChoosesOptimizerScheduleAndClippingByType) {
  const auto standard = distill_config({});
  EXPECT_EQ(standard.train.optimizer.chosen.name(), "adamw");
  EXPECT_EQ(standard.train.schedule.chosen.name(), "cosine");
  EXPECT_EQ(standard.train.clip.chosen.name(), "norm");
  // What the file says of the others does not stay behind.
  const auto other =
      distill_config({"train.optimizer={type: adamw, beta1: 0.8}", "train.optimizer.lr=0.1",
                      "train.schedule.type=cosine", "train.schedule.type=constant",
                      "train.optimizer={type: sgd, momentum: 0.5}", "train.clip=none"});
  const std::string text = config::to_yaml(config::to_node(other.train));
  EXPECT_THAT(text,
              AllOf(HasSubstr("optimizer:\n  type: sgd\n  lr: 0.01\n  momentum: 0.5\n"),
                    HasSubstr("schedule:\n  type: constant\n  warmup_epochs: 0\n  warmup_steps: "),
                    HasSubstr("clip:\n  type: none\n")));
  EXPECT_THAT(refused({"train.optimizer.type=adan"}), HasSubstr("did you mean 'adam'?"));
  EXPECT_THAT(refused({"train.optimizer.clip_norm=5"}),
              HasSubstr("train.optimizer.clip_norm: unknown key"));
}

TEST(TrainingConfig, LengthsAreInStepsOrInEpochs) {
  const auto by_steps = config::read_text<TrainOptions>("{}", "test");
  EXPECT_EQ(by_steps.steps, 2000);
  EXPECT_EQ(by_steps.schedule.warmup_steps, 100);
  const auto options = config::read_text<TrainOptions>(
      "{epochs: 3, batch_size: 4, accumulate: 2, schedule: {warmup_epochs: 0.5}}", "test");
  EXPECT_EQ(options.steps, 0);
  EXPECT_EQ(options.schedule.warmup_steps, 0);
  const std::string text = config::to_yaml(config::to_node(options));
  EXPECT_EQ(config::to_yaml(config::to_node(config::read_text<TrainOptions>(text, "dump"))), text);

  const auto resolved = in_steps(options, 21);  // 21 items are 2.625 steps of 8
  EXPECT_EQ(resolved.steps, 8);                 // 7.875
  EXPECT_EQ(resolved.schedule.warmup_steps, 1);
  EXPECT_EQ(resolved.epochs, 0);
  EXPECT_EQ(resolved.schedule.warmup_epochs, 0);
  EXPECT_EQ(in_steps(options, 16).steps, 6) << "ends with the epoch";
  EXPECT_EQ(in_steps(options, 160).schedule.warmup_steps, 10);
  EXPECT_EQ(in_steps(options, 1).schedule.warmup_steps, 1) << "a warm-up that was asked for";
  EXPECT_EQ(in_steps(by_steps, 1000).steps, 2000);
  EXPECT_EQ(in_steps(by_steps, 1000).schedule.warmup_steps, 100);
  EXPECT_NO_THROW(in_steps(options, 16, 5));
  EXPECT_THAT(message_of<ConfigError>([&] { in_steps(options, 16, 6); }),
              HasSubstr("take 6 of 6 steps; shorten them, or raise train.epochs"));

  EXPECT_THAT(
      refused({"train.steps=300", "train.epochs=2"}),
      HasSubstr("train.steps: given twice, as steps: 300 and as epochs: 2; leave out one of them"));
  EXPECT_THAT(refused({"train.steps=2000", "train.epochs=2"}),
              HasSubstr("train.steps: given twice, as steps: 2000 and as epochs: 2"));
  EXPECT_THAT(refused({"train.steps=0"}), HasSubstr("must be at least 1, or epochs be given"));
  EXPECT_THAT(
      refused({"train.schedule={warmup_steps: 100, warmup_epochs: 0.5}"}),
      HasSubstr("warmup_steps: given twice, as warmup_steps: 100 and as warmup_epochs: 0.5"));
  EXPECT_NO_THROW(distill_config({"train.steps=0", "train.epochs=2"}));
  // Before the size of the data set is known, nothing can be said of phases.
  EXPECT_NO_THROW(distill_config(
      {"train.steps=0", "train.epochs=2", "distill.phases=[{steps: 300, task: false}, {}]"}));
}

TEST(TrainingConfig, RefusesWhatCannotTrainAndSaysWhatToDo) {
  EXPECT_THAT(refused({"teacher.checkpoint="}),
              HasSubstr("name a trained teacher, or leave out the terms"));
  for (const char* weight : {"0", "-1"}) {
    EXPECT_THAT(refused({std::string("distill.terms.0.weight=") + weight}),
                AllOf(HasSubstr("distill.terms.0.weight"), HasSubstr("greater than 0")));
  }
  EXPECT_THAT(refused({"distill.phases=[{task: false}]"}),
              HasSubstr("no phase trains the denoising task"));
  EXPECT_THAT(refused({"distill.phases=[{distill: false}]"}),
              HasSubstr("no phase uses the terms; give one of them distill: true"));
  EXPECT_THAT(refused({"distill.phases=[{}, {}]"}),
              HasSubstr("phase 1 needs steps: only the last phase lasts to the end"));
  EXPECT_THAT(refused({"distill.phases=[{steps: 3}, {steps: 4}]"}),
              HasSubstr("phase 2 is the last and lasts to the end: leave out its steps"));
  EXPECT_THAT(refused({"distill.phases=[{steps: 3, task: false, distill: false}, {}]"}),
              HasSubstr("phase 1 trains nothing"));
  EXPECT_THAT(refused({"distill.terms=[]", "distill.phases=[{steps: 3, task: false}, {}]"}),
              HasSubstr("phase 1 has neither task nor terms"));
  EXPECT_THAT(
      refused({"distill.phases=[{steps: 300, task: false}, {}]", "train.steps=300"}),
      HasSubstr("the last of the phases would never begin: those before it take 300 of 300"));
  EXPECT_THAT(refused({"distill.cache.dir=x"}), HasSubstr("set data.epochs_unique"));
  EXPECT_THAT(refused({"distill.balance.mode=auto"}),
              HasSubstr("one of constant, warmup, gradient_ratio"));
  EXPECT_THAT(refused({"distill.balance.target=0"}), HasSubstr("greater than 0"));
}

TEST(TrainingConfig, SelectsAmongTheValuesOfValidation) {
  const std::string metrics = "train.validation.metrics=[si_sdr, pesq_wb, 'ssnr']";
  const std::string sets =
      "data.valid_sets=[{name: vbd, source: {type: pairs, manifest: pairs.csv}}]";
  for (const char* key : {"loss", "pesq_wb", "vbd/pesq_wb", "vbd/loss"}) {
    EXPECT_EQ(distill_config({metrics, sets, std::string("train.select=") + key}).train.select,
              key);
  }
  EXPECT_THAT(refused({"train.select=pesq_wb"}),
              HasSubstr("train.select: validation gives no value 'pesq_wb', but loss, si_sdr; add "
                        "it to train.validation.metrics"));
  EXPECT_THAT(refused({metrics, sets, "train.select=vbd/pesqwb"}),
              AllOf(HasSubstr("but loss, si_sdr, pesq_wb, ssnr, vbd/loss, "),
                    HasSubstr("did you mean 'vbd/pesq_wb'?")));
  EXPECT_THAT(refused({metrics, "train.select=vbd/stoi"}), HasSubstr("no value 'vbd/stoi'"));
  EXPECT_THAT(refused({"train.validation.metrics=[pesq_wb]"}),
              HasSubstr("train.select: validation gives no value 'si_sdr', but loss, pesq_wb"));
  EXPECT_THAT(refused({"train.validation.metrics=[pesqwb]"}), HasSubstr("did you mean 'pesq_wb'?"));
  EXPECT_THAT(refused({"train.early_stop.patience=-1"}), HasSubstr("at least 0"));
}

TEST(TrainingConfig, PretrainingTakesNoTeacherAndNoTerms) {
  const auto alone = [](const std::vector<std::string>& sets) {
    return config::load<TrainingConfig>({test::source_dir() / "configs/pretrain/demo_student.yaml"},
                                        sets);
  };
  const auto refusal = [&](const std::string& set) {
    return message_of<ConfigError>([&] { require_no_teacher(alone({set})); });
  };
  EXPECT_THAT(refusal("teacher.checkpoint=x"),
              AllOf(HasSubstr("teacher.checkpoint: "), HasSubstr("limbeck-distill")));
  EXPECT_THAT(refusal("distill.phases=[{steps: 3}, {}]"),
              AllOf(HasSubstr("distill.phases: "), HasSubstr("limbeck-distill")));
  // What a pretraining keeps as its configuration can be given to it again.
  const auto text = config::to_yaml(config::to_node(alone({})));
  EXPECT_NO_THROW(require_no_teacher(config::read_text<TrainingConfig>(text, "config.yaml")));
}

TEST(MakeTask, ATeacherThatCannotBeReadIsAnErrorOfTheConfiguration) {
  const TempDir dir;
  const auto message = [&](const std::filesystem::path& teacher) {
    const auto config = distill_config({"teacher.checkpoint=" + teacher.string()});
    return message_of<ConfigError>([&] { make_task(config, at::kCPU); });
  };
  const auto remedy = HasSubstr("; name a run folder, checkpoint folder or model file");
  EXPECT_THAT(message(dir / "none"),
              AllOf(HasSubstr("teacher.checkpoint: "), HasSubstr("no such model file"), remedy));
  std::filesystem::create_directories(dir / "run");
  EXPECT_THAT(message(dir / "run"), AllOf(HasSubstr("no such model file"), remedy));
  put_text(dir / "run" / "config.yaml", "");
  EXPECT_THAT(message(dir / "run"), AllOf(HasSubstr("is a run without identity.json"), remedy));
  put_text(dir / "run" / "identity.json", Identity("training", 1).text());
  EXPECT_THAT(message(dir / "run"), AllOf(HasSubstr("no checkpoint yet"), remedy));

  // A model file says what it is itself; a weight that does not fit that is found by name.
  const auto model = make_model();
  SafeTensors file = parse_safetensors(nn::serialize_model(*model), "test");
  write_safetensors(dir / "whole.safetensors", file);
  distill_config({"teacher.checkpoint=" + (dir / "whole.safetensors").string()});
  const std::string whole = read_file(dir / "whole.safetensors");
  put_text(dir / "torn.safetensors", whole.substr(0, whole.size() / 2));
  EXPECT_THAT(message(dir / "torn.safetensors"), AllOf(HasSubstr("torn.safetensors"), remedy));
  file.tensors["latent.weight"] = torch::zeros({3, 3, 1, 1});
  write_safetensors(dir / "shape.safetensors", file);
  EXPECT_THAT(message(dir / "shape.safetensors"),
              AllOf(HasSubstr("latent.weight: [3, 3, 1, 1] Float in the file"), remedy));
  file.metadata["limbeck"] = R"({"format": 1, "model": "name: transformer\n"})";
  write_safetensors(dir / "other.safetensors", file);
  EXPECT_THAT(message(dir / "other.safetensors"), AllOf(HasSubstr("transformer"), remedy));
  file.metadata.clear();
  write_safetensors(dir / "foreign.safetensors", file);
  EXPECT_THAT(message(dir / "foreign.safetensors"),
              AllOf(HasSubstr("not a Limbeck model"), remedy));

  // One bit of the weights: only the checkpoint's manifest can tell.
  CheckpointStore store(dir / "run");
  store.save(1, {{"model.safetensors", whole}, {"state.json", "{}"}}, true);
  const auto checkpoint = *RunView(dir / "run").checkpoint("best");
  put_text(checkpoint / "state.json", "x");  // no business of a teacher
  make_task(distill_config({"teacher.checkpoint=" + (dir / "run").string()}), at::kCPU);
  std::string flipped = whole;
  flipped[flipped.size() - 3] = static_cast<char>(flipped[flipped.size() - 3] ^ 1);
  put_text(checkpoint / "model.safetensors", flipped);
  EXPECT_THAT(message(dir / "run"),
              AllOf(HasSubstr("damaged: model.safetensors: another content"), remedy));
}

TEST(MakeTask, ATeacherThatTheDiskDoesNotGiveIsNoFaultOfTheModel) {
  const TempDir dir;
  const std::filesystem::path file = dir / "teacher.safetensors";
  nn::write_model(file, *make_model());
  const auto config = distill_config({"teacher.checkpoint=" + file.string()});
  const auto teacher = find_teacher(config);
  std::filesystem::remove(file);
  std::filesystem::create_symlink("teacher.safetensors", file);  // a ring: root cannot open it
  const std::string message = file.string() + ": is a ring of symbolic links";
  EXPECT_EQ(message_of<DataError>([&] { make_task(config, teacher, at::kCPU); }), message);
  EXPECT_THAT(message_of<DataError>([&] { find_teacher(config); }), HasSubstr("Too many levels"));
}

TEST(MakeTask, ACacheBelongsToTheTeachersWeights) {
  const TempDir dir;
  for (const uint64_t seed : {1, 2}) {
    nn::write_model(dir / (std::to_string(seed) + ".safetensors"), *make_model("", seed));
  }
  const auto make = [&](const std::string& name) {
    make_task(distill_config({"teacher.checkpoint=" + (dir / name).string(), "data.epochs_unique=1",
                              "distill.cache.dir=" + (dir / "cache").string()}),
              at::kCPU);
    return std::distance(std::filesystem::directory_iterator(dir / "cache"), {});
  };
  EXPECT_EQ(make("1.safetensors"), 1);
  EXPECT_EQ(make("1.safetensors"), 1);
  EXPECT_EQ(make("2.safetensors"), 2);
}

}  // namespace
}  // namespace limbeck::test
