#include "limbeck/train/optimizer.h"

#include "limbeck/core/error.h"
#include "nn/support.h"

namespace limbeck::test {
namespace {

TEST(Schedule, WarmsUpThenFallsByHalfACosine) {
  const ScheduleOptions options{.warmup_steps = 4, .final_ratio = 0.1};
  const auto at = [&](int64_t step) { return schedule_factor(options, step, 12); };
  EXPECT_DOUBLE_EQ(at(0), 0.25);  // no step is wasted on a rate of zero
  EXPECT_DOUBLE_EQ(at(1), 0.5);
  EXPECT_DOUBLE_EQ(at(3), 1);
  EXPECT_DOUBLE_EQ(at(4), 1);
  EXPECT_NEAR(at(6), 0.1 + 0.9 * 0.5 * (1 + std::sqrt(0.5)), 1e-12);
  EXPECT_NEAR(at(8), 0.55, 1e-12);
  EXPECT_NEAR(at(12), 0.1, 1e-12);
  EXPECT_NEAR(at(500), 0.1, 1e-12);
  for (int64_t step = 4; step < 12; ++step) EXPECT_GT(at(step), at(step + 1));
}

TEST(Schedule, WithoutWarmUpAndWithNothingElse) {
  EXPECT_DOUBLE_EQ(schedule_factor({.warmup_steps = 0, .final_ratio = 0}, 0, 10), 1);
  EXPECT_NEAR(schedule_factor({.warmup_steps = 0, .final_ratio = 1}, 7, 10), 1, 1e-12);
  EXPECT_DOUBLE_EQ(schedule_factor({.warmup_steps = 100, .final_ratio = 0}, 4, 10), 0.05);
}

/// Gradients of a real network, whose kernels come in the layouts that convolutions like.
void backward(nn::DenoisingModel& model, uint64_t seed) {
  (model.forward(normal({2, 400}, seed, 0.1), {}).estimate * normal({2, 400}, seed + 1))
      .sum()
      .backward();
}

TEST(AdamW, LeavesAloneWhatHasNoGradient) {
  const auto model = make_model();
  AdamW optimizer({}, {{"model", model.get()}});
  std::map<std::string, at::Tensor> before;
  for (const auto& item : model->named_parameters()) {
    before[item.key()] = item.value().detach().clone();
  }
  // The latent alone: the decoder is not reached.
  model->forward(normal({2, 400}, 1, 0.1), {"latent"}).taps.at("latent").square().sum().backward();
  optimizer.step(1);
  for (const auto& item : model->named_parameters()) {
    const bool reached = item.value().grad().defined();
    EXPECT_EQ(reached, !item.key().starts_with("decoder") && !item.key().starts_with("head") &&
                           !item.key().starts_with("latent_out"))
        << item.key();
    EXPECT_EQ(same_bits(item.value().detach(), before.at(item.key())), !reached) << item.key();
    EXPECT_EQ(optimizer.state().at("model." + item.key() + "/steps").item<double>(),
              reached ? 1 : 0);
  }
}

TEST(AdamW, IsThePlainFormula) {
  const OptimizerOptions o{
      .lr = 0.02, .beta1 = 0.8, .beta2 = 0.9, .epsilon = 1e-6, .weight_decay = 0.1, .clip_norm = 3};
  for (const char* memory_format : {"contiguous", "channels_last"}) {
    SCOPED_TRACE(memory_format);
    const auto model =
        make_model("temporal: {type: gru, hidden: 6}\nactivation: prelu\nmemory_format: " +
                   std::string(memory_format));
    AdamW optimizer(o, {{"model", model.get()}});
    std::map<std::string, at::Tensor> weights, averages, squares;
    for (const auto& item : model->named_parameters()) {
      weights[item.key()] = item.value().detach().to(torch::kDouble).clone();
      averages[item.key()] = torch::zeros_like(weights[item.key()]);
      squares[item.key()] = torch::zeros_like(weights[item.key()]);
    }
    for (int step = 1; step <= 3; ++step) {
      optimizer.zero_grad();
      backward(*model, 50 + static_cast<uint64_t>(step));
      const double factor = 1.0 / step;
      double square_sum = 0;
      for (const auto& p : model->parameters())
        square_sum += p.grad().to(torch::kDouble).square().sum().item<double>();
      const double norm = std::sqrt(square_sum);
      ASSERT_GT(norm, o.clip_norm);
      for (const auto& item : model->named_parameters()) {
        const auto g = item.value().grad().to(torch::kDouble) * (o.clip_norm / norm);
        auto& m = averages[item.key()];
        auto& v = squares[item.key()];
        auto& w = weights[item.key()];
        m = o.beta1 * m + (1 - o.beta1) * g;
        v = o.beta2 * v + (1 - o.beta2) * g * g;
        if (w.dim() >= 2) w = w * (1 - o.lr * factor * o.weight_decay);
        const auto m_hat = m / (1 - std::pow(o.beta1, step));
        const auto v_hat = v / (1 - std::pow(o.beta2, step));
        w = w - o.lr * factor * m_hat / (v_hat.sqrt() + o.epsilon);
      }
      EXPECT_NEAR(optimizer.step(factor).item<double>() / norm, 1, 1e-5);
      for (const auto& item : model->named_parameters()) {
        EXPECT_LT(relative_difference(item.value(), weights[item.key()]), 1e-5)
            << item.key() << " " << step;
      }
    }
  }
}

TEST(AdamW, SmallGradientsAreNotScaled) {
  torch::nn::Module module;
  auto p = module.register_parameter("p", torch::ones({2}));
  AdamW optimizer({.clip_norm = 10}, {{"m", &module}});
  p.mutable_grad() = torch::tensor({3.f, 4.f});
  EXPECT_FLOAT_EQ(optimizer.step(1).item<float>(), 5);
  EXPECT_TRUE(at::equal(p.grad(), torch::tensor({3.f, 4.f})));
}

TEST(AdamW, GoesOnToTheBitFromItsState) {
  const auto a = make_model();
  const auto b = make_model();
  AdamW first({}, {{"model", a.get()}});
  backward(*a, 60);
  first.step(1);
  {
    at::NoGradGuard no_grad;
    const auto from = a->named_parameters();
    for (auto& item : b->named_parameters()) item.value().copy_(from[item.key()]);
  }
  AdamW second({}, {{"model", b.get()}});
  std::map<std::string, at::Tensor> saved;
  for (const auto& [name, tensor] : first.state()) saved[name] = tensor.clone();
  second.load_state(saved, "here");
  a->eval();
  b->eval();
  const auto shared = a->named_buffers();
  {
    at::NoGradGuard no_grad;
    for (auto& item : b->named_buffers()) item.value().copy_(shared[item.key()]);
  }
  for (auto* pair : {&first, &second}) pair->zero_grad();
  backward(*a, 61);
  backward(*b, 61);
  first.step(0.5);
  second.step(0.5);
  const auto others = b->named_parameters();
  for (const auto& item : a->named_parameters())
    EXPECT_TRUE(same_bits(item.value(), others[item.key()])) << item.key();
}

TEST(AdamW, StateThatDoesNotFitIsNamed) {
  torch::nn::Module module;
  module.register_parameter("p", torch::ones({2, 3}));
  AdamW optimizer({}, {{"m", &module}});
  auto state = optimizer.state();
  EXPECT_THAT(state, testing::SizeIs(3));
  auto renamed = state;
  renamed["m.q/square"] = renamed.extract("m.p/square").mapped();
  EXPECT_EQ(message_of<CheckpointError>([&] { optimizer.load_state(renamed, "run"); }),
            "run: m.p/square: missing in the file");
  auto reshaped = state;
  reshaped["m.p/average"] = torch::zeros({3, 2});
  EXPECT_EQ(message_of<CheckpointError>([&] { optimizer.load_state(reshaped, "run"); }),
            "run: m.p/average: [3, 2] in the file, [2, 3] in the network");
  state["surplus"] = torch::zeros({1});
  EXPECT_EQ(message_of<CheckpointError>([&] { optimizer.load_state(state, "run"); }),
            "run: optimizer state of 4 tensors, expected 3");
}

}  // namespace
}  // namespace limbeck::test
