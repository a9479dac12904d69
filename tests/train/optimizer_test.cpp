#include "limbeck/core/error.h"
#include "nn/support.h"
#include "train/support.h"

namespace limbeck::test {
namespace {

/// A row for every optimizer: options under which all of it is at work.
const std::map<std::string, std::string> kExamples = {
    {"adam", "type: adam, lr: 0.02, beta1: 0.8, beta2: 0.9, weight_decay: 0.1"},
    {"adamw", "type: adamw, lr: 0.02, beta1: 0.8, beta2: 0.9, weight_decay: 0.1"},
    {"sgd", "type: sgd, lr: 0.05, momentum: 0.8, nesterov: true, weight_decay: 0.1"}};

/// Gradients of a real network, whose kernels come in the layouts that convolutions like.
void backward(nn::DenoisingModel& model, uint64_t seed) {
  (model.forward(normal({2, 400}, seed, 0.1), {}).estimate * normal({2, 400}, seed + 1))
      .sum()
      .backward();
}

std::map<std::string, at::Tensor> copies(const std::map<std::string, at::Tensor>& tensors) {
  std::map<std::string, at::Tensor> all;
  for (const auto& [name, tensor] : tensors) all[name] = tensor.detach().clone();
  return all;
}

std::map<std::string, at::Tensor> parameters(const torch::nn::Module& module) {
  std::map<std::string, at::Tensor> all;
  for (const auto& item : module.named_parameters()) all[item.key()] = item.value();
  return copies(all);
}

class EveryOptimizer : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Optimizer> make(torch::nn::Module& module) const {
    const auto example = kExamples.find(GetParam());
    if (example == kExamples.end()) {
      throw std::logic_error("optimizer " + GetParam() + " needs a row in kExamples");
    }
    return make_optimizer(example->second, {{"model", &module}});
  }
};

INSTANTIATE_TEST_SUITE_P(All, EveryOptimizer, testing::ValuesIn(optimizers().names()),
                         [](const auto& instance) { return instance.param; });

TEST_P(EveryOptimizer, LeavesAloneWhatHasNoGradient) {
  const auto model = make_model();
  const auto optimizer = make(*model);
  backward(*model, 30);  // so that there is a state
  optimizer->step(optimizer->peak_lr());
  optimizer->zero_grad();
  EXPECT_TRUE(optimizer->gradients().empty());
  const auto before = parameters(*model);
  const auto state = copies(optimizer->state());
  // The latent alone: the decoder is not reached.
  model->forward(normal({2, 400}, 1, 0.1), {"latent"}).taps.at("latent").square().sum().backward();
  optimizer->step(optimizer->peak_lr());
  size_t moved = 0;
  for (const auto& item : model->named_parameters()) {
    const bool reached = item.value().grad().defined();
    moved += reached;
    EXPECT_EQ(reached, !item.key().starts_with("decoder") && !item.key().starts_with("head") &&
                           !item.key().starts_with("latent_out"))
        << item.key();
    EXPECT_EQ(same_bits(item.value().detach(), before.at(item.key())), !reached) << item.key();
    for (const auto& [name, tensor] : optimizer->state()) {
      if (reached || !name.starts_with("model." + item.key() + "/")) continue;
      EXPECT_TRUE(same_bits(tensor, state.at(name))) << name;
    }
  }
  EXPECT_EQ(optimizer->gradients().at("model").size(), moved);
}

TEST_P(EveryOptimizer, RemembersNothingAfterAReset) {
  torch::nn::Module module, other;
  auto p = module.register_parameter("p", normal({3, 2}, 1));
  auto q = other.register_parameter("p", torch::zeros({3, 2}));
  const auto used = make(module);
  const auto fresh = make(other);
  for (int step = 0; step < 3; ++step) {
    p.mutable_grad() = normal({3, 2}, 10 + static_cast<uint64_t>(step));
    used->step(used->peak_lr());
  }
  used->reset_state();
  for (const auto& [name, tensor] : used->state()) {
    EXPECT_EQ(tensor.abs().max().item<double>(), 0) << name;
  }
  {
    at::NoGradGuard no_grad;
    q.copy_(p);
  }
  for (auto* parameter : {&p, &q}) parameter->mutable_grad() = normal({3, 2}, 20);
  used->step(used->peak_lr());
  fresh->step(fresh->peak_lr());
  EXPECT_TRUE(same_bits(p.detach(), q.detach()));
}

TEST_P(EveryOptimizer, ALearningRateOfZeroMovesNothing) {
  const auto model = make_model();
  const auto optimizer = make(*model);
  const auto before = parameters(*model);
  backward(*model, 40);
  optimizer->step(0);
  for (const auto& [name, tensor] : parameters(*model)) {
    EXPECT_TRUE(same_bits(tensor, before.at(name))) << name;
  }
}

TEST_P(EveryOptimizer, FindsTheBottomOfABowl) {
  torch::nn::Module module;
  auto p = module.register_parameter("p", torch::tensor({3.f, -2.f}));
  const auto optimizer = make(module);
  const auto target = torch::tensor({1.f, 1.f});
  for (int step = 0; step < 300; ++step) {
    optimizer->zero_grad();
    (p - target).square().sum().backward();
    optimizer->step(optimizer->peak_lr());
  }
  EXPECT_LT((p - target).abs().max().item<double>(), 0.05);
}

TEST_P(EveryOptimizer, GoesOnToTheBitFromItsState) {
  const auto a = make_model();
  const auto b = make_model();
  const auto first = make(*a);
  backward(*a, 60);
  first->step(first->peak_lr());
  {
    at::NoGradGuard no_grad;
    const auto from = a->named_parameters();
    for (auto& item : b->named_parameters()) item.value().copy_(from[item.key()]);
    const auto shared = a->named_buffers();
    for (auto& item : b->named_buffers()) item.value().copy_(shared[item.key()]);
  }
  const auto second = make(*b);
  const auto saved = copies(first->state());
  second->load_state(saved, "here");
  for (const auto& [name, tensor] : second->state()) {
    EXPECT_TRUE(same_bits(tensor, saved.at(name))) << name;
  }
  a->eval();
  b->eval();
  for (auto* optimizer : {first.get(), second.get()}) optimizer->zero_grad();
  backward(*a, 61);
  backward(*b, 61);
  first->step(0.5 * first->peak_lr());
  second->step(0.5 * second->peak_lr());
  const auto others = parameters(*b);
  for (const auto& [name, tensor] : parameters(*a)) {
    EXPECT_TRUE(same_bits(tensor, others.at(name))) << name;
  }
}

TEST_P(EveryOptimizer, RefusesAStateThatDoesNotFitByName) {
  torch::nn::Module module;
  module.register_parameter("p", torch::ones({2, 3}));
  const auto optimizer = make(module);
  const auto state = optimizer->state();
  const auto message = [&](const std::map<std::string, at::Tensor>& other) {
    return message_of<CheckpointError>([&] { optimizer->load_state(other, "run"); });
  };
  auto surplus = state;
  surplus["surplus"] = torch::zeros({1});
  EXPECT_EQ(message(surplus), format("run: optimizer state of %d tensors, expected %d",
                                     state.size() + 1, state.size()));
  for (const auto& [name, tensor] : state) {
    EXPECT_TRUE(name.starts_with("model.p/")) << name;
    auto renamed = state;
    renamed["model.q"] = renamed.extract(name).mapped();
    EXPECT_EQ(message(renamed), "run: " + name + ": missing in the file");
    auto reshaped = state;
    reshaped[name] = torch::zeros({3, 2});
    EXPECT_THAT(message(reshaped), testing::StartsWith("run: " + name + ": [3, 2] in the file, "));
  }
}

TEST_P(EveryOptimizer, ASkippedStepChangesNothing) {
  torch::nn::Module module, other;
  auto p = module.register_parameter("p", normal({3, 2}, 1));
  auto q = other.register_parameter("p", normal({3, 2}, 1));
  const auto optimizer = make(module);
  const auto without = make(other);
  const auto skipped = torch::ones({});
  for (uint64_t step = 0; step < 4; ++step) {
    p.mutable_grad() = normal({3, 2}, 10 + step);
    q.mutable_grad() = p.grad().clone();
    if (step == 2) {
      const auto before = p.detach().clone();
      const auto state = copies(optimizer->state());
      for (const double broken : {double(NAN), double(INFINITY)}) {
        p.mutable_grad().fill_(broken);
        optimizer->step(optimizer->peak_lr(), skipped);
        EXPECT_TRUE(same_bits(p.detach(), before));
        for (const auto& [name, tensor] : optimizer->state()) {
          EXPECT_TRUE(same_bits(tensor, state.at(name))) << name;
        }
      }
      continue;
    }
    optimizer->step(optimizer->peak_lr(), torch::zeros({}));
    without->step(without->peak_lr());
  }
  EXPECT_TRUE(same_bits(p.detach(), q.detach()));
}

TEST_P(EveryOptimizer, AParameterMayHaveARateOfItsOwn) {
  torch::nn::Module module, other;
  auto p = module.register_parameter("p", normal({3, 2}, 1));
  auto q = module.register_parameter("q", normal({3, 2}, 2));
  auto r = other.register_parameter("r", normal({3, 2}, 2));
  const auto config = config::read_text<OptimizerConfig>("{" + kExamples.at(GetParam()) + "}", "t");
  auto parameters = trained_parameters({{"model", &module}});
  for (auto& parameter : parameters) {
    if (parameter.name == "model.q") parameter.lr_factor = 0.25;
  }
  const auto optimizer =
      optimizers().build(config.chosen.name(), *config.chosen, std::move(parameters));
  const auto slow = make(other);
  for (uint64_t step = 0; step < 3; ++step) {
    p.mutable_grad() = normal({3, 2}, 20 + step);
    for (auto* parameter : {&q, &r}) parameter->mutable_grad() = normal({3, 2}, 30 + step);
    optimizer->step(0.1);
    slow->step(0.1 * 0.25);
  }
  EXPECT_TRUE(same_bits(q.detach(), r.detach()));
}

TEST(Adam, IsThePlainFormulaWithDecayInTheGradientOrBeside) {
  const double lr = 0.02, beta1 = 0.8, beta2 = 0.9, epsilon = 1e-6, weight_decay = 0.1;
  for (const auto& [type, memory_format] :
       {std::pair("adamw", "contiguous"), {"adamw", "channels_last"}, {"adam", "channels_last"}}) {
    SCOPED_TRACE(std::string(type) + " " + memory_format);
    const bool coupled = type == std::string("adam");
    const auto model =
        make_model("temporal: {type: gru, hidden: 6}\nactivation: prelu\nmemory_format: " +
                   std::string(memory_format));
    const auto optimizer =
        make_optimizer(std::string("type: ") + type +
                           ", lr: 0.02, beta1: 0.8, beta2: 0.9, epsilon: 1e-6, weight_decay: 0.1",
                       {{"model", model.get()}});
    EXPECT_EQ(optimizer->peak_lr(), lr);
    std::map<std::string, at::Tensor> weights, averages, squares;
    for (const auto& item : model->named_parameters()) {
      weights[item.key()] = item.value().detach().to(torch::kDouble).clone();
      averages[item.key()] = torch::zeros_like(weights[item.key()]);
      squares[item.key()] = torch::zeros_like(weights[item.key()]);
    }
    for (int step = 1; step <= 3; ++step) {
      optimizer->zero_grad();
      backward(*model, 50 + static_cast<uint64_t>(step));
      const double now = lr / step;
      for (const auto& item : model->named_parameters()) {
        auto g = item.value().grad().to(torch::kDouble);
        auto& m = averages[item.key()];
        auto& v = squares[item.key()];
        auto& w = weights[item.key()];
        const double decay = w.dim() >= 2 ? weight_decay : 0;
        if (coupled) g = g + decay * w;
        m = beta1 * m + (1 - beta1) * g;
        v = beta2 * v + (1 - beta2) * g * g;
        if (!coupled) w = w * (1 - now * decay);
        const auto m_hat = m / (1 - std::pow(beta1, step));
        const auto v_hat = v / (1 - std::pow(beta2, step));
        w = w - now * m_hat / (v_hat.sqrt() + epsilon);
      }
      optimizer->step(now);
      for (const auto& item : model->named_parameters()) {
        EXPECT_LT(relative_difference(item.value(), weights[item.key()]), 1e-5)
            << item.key() << " " << step;
        EXPECT_EQ(optimizer->state().at("model." + item.key() + "/steps").item<double>(), step);
      }
    }
  }
}

TEST(Sgd, IsPyTorchs) {
  // By hand, after torch.optim.SGD: velocity = momentum * velocity + gradient, from gradients of
  // 0.5 and 0.2 at a learning rate of 0.1.
  const struct {
    const char* options;
    std::vector<int64_t> shape;
    double first, second;
  } cases[] = {
      {"momentum: 0", {1}, 0.95, 0.93},
      {"momentum: 0.9", {1}, 0.95, 0.885},                         // 0.1 * (0.9 * 0.5 + 0.2)
      {"momentum: 0.9, nesterov: true", {1}, 0.905, 0.8265},       // + 0.9 * velocity: 0.95, 0.785
      {"momentum: 0, weight_decay: 0.1", {1, 1}, 0.94, 0.9106},    // gradients of 0.6, 0.294
      {"momentum: 0, weight_decay: 0.1", {1}, 0.95, 0.93},         // a bias does not decay
      {"momentum: 0.9, weight_decay: 0.1", {1, 1}, 0.94, 0.8566},  // 0.6, 0.54 + 0.294
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.options);
    torch::nn::Module module;
    auto p = module.register_parameter("p", torch::ones(c.shape));
    const auto optimizer =
        make_optimizer(std::string("type: sgd, lr: 0.1, ") + c.options, {{"m", &module}});
    for (const auto& [gradient, wanted] : {std::pair(0.5, c.first), std::pair(0.2, c.second)}) {
      p.mutable_grad() = torch::full(c.shape, gradient);
      optimizer->step(0.1);
      EXPECT_NEAR(p.item<double>(), wanted, 1e-6);
    }
  }
}

TEST(Sgd, NesterovNeedsMomentum) {
  torch::nn::Module module;
  EXPECT_THAT(message_of<ConfigError>([&] {
                make_optimizer("type: sgd, momentum: 0, nesterov: true", {{"m", &module}});
              }),
              testing::HasSubstr("nesterov: needs a momentum"));
}

/// A row for every way to clip.
const std::map<std::string, std::string> kClips = {{"none", "type: none"},
                                                   {"norm", "type: norm, max_norm: 2"}};

TEST(EveryClip, KeepsTheDirectionAndMakesNothingLarger) {
  for (const std::string& name : clips().names()) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(kClips.count(name)) << "needs a row in kClips";
    const auto clip = make_clip(kClips.at(name));
    for (const double scale : {0.0, 1e-3, 1.0, 1e6}) {
      const std::vector<at::Tensor> before = {normal({3, 2}, 1, scale), normal({4}, 2, scale)};
      const std::vector<at::Tensor> after = {before[0].clone(), before[1].clone()};
      const double norm = joint_norm(after).item<double>();
      clip->apply(after, joint_norm(after));
      const double clipped = joint_norm(after).item<double>();
      ASSERT_TRUE(std::isfinite(clipped));
      EXPECT_LE(clipped, norm * (1 + 1e-6));
      for (size_t i = 0; i < 2; ++i) {
        EXPECT_TRUE(at::allclose(after[i] * norm, before[i] * clipped, 1e-5, 1e-12 * norm));
      }
    }
  }
}

TEST(ClipNorm, ScalesWhatIsLargerAndLeavesTheRest) {
  const auto clip = make_clip("type: norm, max_norm: 2.5");
  const std::vector<at::Tensor> small = {torch::tensor({1.5f}), torch::tensor({2.f})};
  EXPECT_FLOAT_EQ(joint_norm(small).item<float>(), 2.5f);
  clip->apply(small, joint_norm(small));
  EXPECT_FLOAT_EQ(small[0].item<float>(), 1.5f);
  const std::vector<at::Tensor> large = {torch::tensor({3.f}), torch::tensor({4.f})};
  clip->apply(large, joint_norm(large));
  EXPECT_FLOAT_EQ(large[0].item<float>(), 1.5f);
  EXPECT_FLOAT_EQ(large[1].item<float>(), 2.f);
}

}  // namespace
}  // namespace limbeck::test
