#include "golden/golden.h"
#include "limbeck/core/format.h"
#include "limbeck/nn/model_file.h"
#include "objective/fake_model.h"
#include "objective/from_yaml.h"
#include "train/support.h"

namespace limbeck::test {
namespace {

std::unique_ptr<objective::Loss> make_loss(const nlohmann::json& o) {
  if (o["name"] == "si_sdr") return loss_from_yaml("{name: si_sdr}");
  return loss_from_yaml("{name: compressed_spectrum, power: " + o["power"].dump() +
                        ", complex_weight: " + o["complex_weight"].dump() +
                        ", stft: {window_samples: " + o["window"].dump() + ", hop_samples: " +
                        o["hop"].dump() + ", fft_samples: " + o["window"].dump() + "}}");
}

TEST(GoldenLosses, ValueAndGradientWithAndWithoutPadding) {
  const Golden golden("losses");
  ASSERT_EQ(golden.cases().size(), 4u);
  for (const auto& [name, o] : golden.cases().items()) {
    SCOPED_TRACE(name);
    auto estimate = golden.at(name + "/estimate").clone().requires_grad_();
    objective::LossInput input{estimate, golden.at(name + "/clean"), {}};
    const auto valid = o["valid"].get<std::vector<int64_t>>();
    if (valid[1] < estimate.size(1)) {
      input.mask = torch::zeros_like(estimate.detach());
      for (int64_t b = 0; b < 2; ++b)
        input.mask[b].narrow(0, 0, valid[static_cast<size_t>(b)]).fill_(1);
    }
    const auto loss = make_loss(o)->forward(input);
    EXPECT_LT(relative_difference(loss, golden.at(name + "/loss")), kForward);
    loss.backward();
    EXPECT_LT(relative_difference(estimate.grad(), golden.at(name + "/grad")), kGradient);
  }
}

nn::TapInfo tap_info(const nlohmann::json& o) {
  return {o["channels"], o["edges"].get<std::vector<double>>(), o["hop"], o["centre"]};
}

TEST(GoldenCosine, ValueAndGradient) {
  const Golden golden("cosine");
  ASSERT_EQ(golden.cases().size(), 9u);
  for (const auto& [name, o] : golden.cases().items()) {
    SCOPED_TRACE(name);
    const FakeModel student(tap_info(o["student"]));
    const FakeModel teacher(tap_info(o["teacher"]));
    const auto term =
        term_from_yaml("{name: cosine, granularity: " + o["granularity"].get<std::string>() +
                           ", adapter: " + o["adapter"].get<std::string>() + "}",
                       student, teacher);
    std::map<std::string, at::Tensor> state;
    for (const auto& [key, value] : golden.group(name + "/state")) state["adapter." + key] = value;
    nn::load_state(*term, state, name);

    auto z = golden.at(name + "/student").clone().requires_grad_();
    auto mask = torch::zeros({2, z.size(2)});
    for (int64_t b = 0; b < 2; ++b)
      mask[b].narrow(0, 0, o["valid_frames"][static_cast<size_t>(b)]).fill_(1);
    const nn::Taps student_taps{{"latent", z}};
    const nn::Taps teacher_taps{{"latent", golden.at(name + "/teacher")}};
    const auto loss = term->forward({student_taps, teacher_taps, mask});
    EXPECT_LT(relative_difference(loss, golden.at(name + "/loss")), kForward);
    loss.backward();
    EXPECT_LT(relative_difference(z.grad(), golden.at(name + "/grad_student")), kGradient);
    std::map<std::string, at::Tensor> gradients;
    for (const auto& [key, value] : golden.group(name + "/grad"))
      gradients["adapter." + key] = value;
    expect_gradients(*term, gradients);
  }
}

TEST(GoldenAdamW, FiveStepsWithDecayClippingAndSchedule) {
  const Golden golden("adamw");
  const auto& o = golden.cases().at("adamw");
  torch::nn::Module module;
  for (const auto& [name, value] : golden.group("adamw/state"))
    module.register_parameter(name, value.clone());
  const auto optimizer = make_optimizer(
      format("type: adamw, lr: %g, beta1: %g, beta2: %g, epsilon: %g, weight_decay: %g",
             o["lr"].get<double>(), o["beta1"].get<double>(), o["beta2"].get<double>(),
             o["epsilon"].get<double>(), o["weight_decay"].get<double>()),
      {{"model", &module}});
  const auto clip = make_clip(format("type: norm, max_norm: %g", o["clip_norm"].get<double>()));
  const auto schedule =
      make_schedule(format("type: cosine, warmup_steps: %d, final_ratio: %g",
                           o["warmup_steps"].get<int64_t>(), o["final_ratio"].get<double>()));
  for (int64_t step = 0; step < o["steps"].get<int64_t>(); ++step) {
    const std::string number = std::to_string(step);
    for (auto& item : module.named_parameters()) {
      item.value().mutable_grad() = golden.at("adamw/grad" + number + "/" + item.key()).clone();
    }
    const double factor = schedule.factor(step, o["steps"]);
    EXPECT_NEAR(factor, o["factors"][static_cast<size_t>(step)].get<double>(), 1e-12);
    const auto gradients = optimizer->gradients().at("model");
    const auto norm = joint_norm(gradients);
    clip->apply(gradients, norm);
    optimizer->step(optimizer->peak_lr() * factor);
    EXPECT_NEAR(norm.item<double>() / o["norms"][static_cast<size_t>(step)].get<double>(), 1,
                kForward);
    for (const auto& [name, value] : golden.group("adamw/after" + number)) {
      EXPECT_LT(relative_difference(module.named_parameters()[name], value), kForward)
          << name << " " << step;
    }
  }
}

}  // namespace
}  // namespace limbeck::test
