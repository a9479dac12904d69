#include <algorithm>
#include <cmath>
#include <filesystem>

#include "limbeck/config/resolve.h"
#include "limbeck/nn/model.h"
#include "limbeck/objective/task.h"
#include "limbeck/train/config.h"
#include "nn/support.h"
#include "paths.h"
#include "train/optimizer.h"

namespace limbeck::test {
namespace {

const std::filesystem::path kConfigs = test::source_dir() / "configs";

std::vector<std::string> shipped(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(kConfigs / folder))
    files.push_back(entry.path().filename().string());
  std::sort(files.begin(), files.end());
  return files;
}

class ShippedDistillation : public testing::TestWithParam<std::string> {
 protected:
  TrainingConfig config_ =
      config::load<TrainingConfig>({(kConfigs / "distill" / GetParam()).string()}, {});
};

TEST_P(ShippedDistillation, ReadsBackToTheSame) {
  const std::string text = config::to_yaml(config::to_node(config_));
  const auto again = config::read_text<TrainingConfig>(text, "dump");
  EXPECT_EQ(config::to_yaml(config::to_node(again)), text);
  EXPECT_EQ(config_.teacher.checkpoint.empty(), config_.distill.terms.empty());
  EXPECT_NE(config_.run.dir, "");
}

TEST_P(ShippedDistillation, FitsTheTeacherThatIsShippedWithIt) {
  const bool demo = !GetParam().starts_with("voicebank_demand");
  const auto teacher = config::load<TrainingConfig>(
      {(kConfigs / "pretrain" / (demo ? "demo_teacher.yaml" : "voicebank_demand_teacher.yaml"))
           .string()},
      {});
  objective::LearningTask task(nn::build_model(config_.model, SeedKey(1)),
                               nn::build_model(teacher.model, SeedKey(2)), config_.objective,
                               config_.distill, config_.train.batch_size, SeedKey(1));
  const auto clean = normal({2, 8000}, 1, 0.1);
  const auto report = task.forward({clean + normal({2, 8000}, 2, 0.1), clean, {8000, 6000}});
  const auto& o = config_.distill;
  const bool with_task = o.phases.empty() || o.phases.front().task;
  const size_t lambdas = with_task && o.balance.mode != "constant" ? o.terms.size() : 0;
  EXPECT_EQ(report.parts.size(),
            o.terms.size() + lambdas + (with_task ? config_.objective.losses.size() : 0));
  for (const auto& part : report.parts)
    EXPECT_TRUE(std::isfinite(part.value.item<double>())) << part.name;
  report.total.backward();
  for (const auto& item : task.helpers().named_parameters())
    EXPECT_TRUE(item.value().grad().defined()) << item.key();
}

/// Of what a parameter is, as its name tells: the last part, and the module that it belongs to.
bool is_weight_matrix(const std::string& name) {
  const size_t dot = name.rfind('.');
  const std::string last = name.substr(dot + 1);
  const size_t before = name.rfind('.', dot - 1);
  const std::string module = name.substr(before + 1, dot - before - 1);
  const bool scales = module.ends_with("norm") || module.ends_with("activation");
  return last.starts_with("weight") && !scales;
}

void expect_decays_by_name(torch::nn::Module& module) {
  for (const TrainedParameter& parameter : trained_parameters({{"m", &module}})) {
    EXPECT_EQ(parameter.decays(), is_weight_matrix(parameter.name)) << parameter.name;
  }
}

TEST(ShippedModels, DecayTheirMatricesAndKernelsAlone) {
  const auto files = shipped("model");
  ASSERT_GE(files.size(), 11U);
  for (const std::string& file : files) {
    SCOPED_TRACE(file);
    for (const char* norm : {"batch", "instance"}) {
      for (const char* activation : {"prelu", "relu6"}) {
        const auto config = config::load<TrainingConfig>(
            {(kConfigs / "model" / file).string()},
            {"run.dir=x", "data.source={type: pairs, manifest: x}",
             std::string("model.norm=") + norm, std::string("model.activation=") + activation});
        expect_decays_by_name(*nn::build_model(config.model, SeedKey(1)));
      }
    }
  }
}

TEST_P(ShippedDistillation, DecaysTheMatricesOfAdaptersAlone) {
  objective::LearningTask task(nn::build_model(config_.model, SeedKey(1)),
                               nn::build_model(config_.model, SeedKey(2)), config_.objective,
                               config_.distill, config_.train.batch_size, SeedKey(1));
  expect_decays_by_name(task.helpers());
}

INSTANTIATE_TEST_SUITE_P(All, ShippedDistillation, testing::ValuesIn(shipped("distill")),
                         [](const auto& instance) {
                           return instance.param.substr(0, instance.param.find('.'));
                         });

}  // namespace
}  // namespace limbeck::test
