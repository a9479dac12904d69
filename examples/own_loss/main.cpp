#include <torch/optim/adam.h>
#include <torch/types.h>

#include <algorithm>
#include <iostream>
#include <numbers>
#include <numeric>

#include "limbeck/config/reader.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/objective/loss.h"

// Trains a tiny network with a loss that the library does not have.
//
//     own_loss MODEL_OUT ["{name: charbonnier, epsilon: 0.01, steps: 60}"]
//
// Built here with the tests; elsewhere with find_package(Limbeck) and
// target_link_libraries(own_loss limbeck::limbeck).

namespace limbeck {
namespace objective {
void add_charbonnier(LossRegistry& registry);
}

namespace {

/// The library's losses and ours.
const objective::LossRegistry& all_losses() {
  static const objective::LossRegistry registry = [] {
    objective::LossRegistry all = objective::losses();
    add_charbonnier(all);
    return all;
  }();
  return registry;
}

/// What the command line may set: a loss by name, its own options beside it, and how long to train.
struct Options {
  config::Chosen loss{all_losses(), "charbonnier"};
  int64_t steps = 60;
  void describe(config::Visitor& v) {
    v.choice("name", loss, all_losses(), "loss");
    v.value("steps", steps, "optimizer steps", config::at_least(1));
  }
};

/// [B, L]: sines of other pitches, with pauses.
at::Tensor clean_signals(int64_t items, int64_t samples) {
  const auto time = at::arange(samples, torch::kFloat) / 16000;
  const auto pitch = 150 * at::pow(2, torch::rand({items, 1}) * 2);  // Hz
  const auto syllables = (at::sin(2 * std::numbers::pi * 4 * time) > 0).to(torch::kFloat);
  return 0.3 * at::sin(2 * std::numbers::pi * pitch * time) * syllables;
}

/// Largest difference between the loss's gradient and central differences, as a share of the
/// largest element.
double gradient_error(const Options& options) {
  const auto loss = all_losses().build(options.loss.name(), *options.loss);
  loss->to(torch::kDouble);
  const auto clean = clean_signals(2, 80).to(torch::kDouble) + 0.01;
  const auto mask = at::ones_like(clean);
  mask[1].narrow(0, 50, 30).zero_();
  auto estimate = (0.8 * clean + 0.05 * torch::randn_like(clean)).requires_grad_();
  const auto value = [&] { return loss->forward({estimate, clean, mask}); };
  value().backward();
  const at::NoGradGuard no_grad;
  const auto expected = torch::zeros_like(clean);
  constexpr double kStep = 1e-6;
  for (int64_t i = 0; i < clean.numel(); ++i) {
    const auto x = estimate.view({-1})[i];
    const double kept = x.item<double>();
    const auto value_at = [&](double moved) {
      x.fill_(moved);
      return value().item<double>();
    };
    expected.view({-1})[i].fill_((value_at(kept + kStep) - value_at(kept - kStep)) / (2 * kStep));
    x.fill_(kept);
  }
  return ((estimate.grad() - expected).abs().max() / expected.abs().max()).item<double>();
}

/// The mean of the loss over the first and the last ten steps.
std::pair<double, double> train(nn::DenoisingModel& model, const Options& options) {
  const std::shared_ptr<objective::Loss> loss =
      all_losses().build(options.loss.name(), *options.loss);
  torch::optim::Adam optimizer(model.parameters(), torch::optim::AdamOptions(3e-3));
  std::vector<double> values;
  for (int64_t step = 0; step < options.steps; ++step) {
    const auto clean = clean_signals(4, 8000);
    const auto noisy = clean + 0.1 * torch::randn_like(clean);
    optimizer.zero_grad();
    const auto value = loss->forward({model.forward(noisy, {}).estimate, clean, {}});
    value.backward();
    optimizer.step();
    values.push_back(value.item<double>());
  }
  const auto few = static_cast<long>(std::min<size_t>(10, values.size()));
  const auto mean = [&](auto first) {
    return std::accumulate(first, first + few, 0.0) / static_cast<double>(few);
  };
  return {mean(values.begin()), mean(values.end() - few)};
}

int run(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    print("usage: own_loss MODEL_OUT [\"{name: charbonnier, epsilon: 0.01, steps: 60}\"]\n");
    return static_cast<int>(ExitCode::config);
  }
  const auto options = config::read_text<Options>(argc == 3 ? argv[2] : "{}", "options");
  torch::manual_seed(1);
  const double error = gradient_error(options);
  print("%s: gradient within %.1e of finite differences\n", options.loss.name(), error);

  const auto config = config::read_text<nn::ModelConfig>(
      "name: denoising_autoencoder\nstem: {channels: 8, stride: 2, kernel_freq: 5}\n"
      "encoder: [{channels: 8, stride: 2}, {channels: 8, stride: 2, kernel_time: 3}]\n"
      "latent: {channels: 8, in_channels: 8}\n",
      "network");
  const auto model = nn::build_model(config, SeedKey(1));
  print("%s\n", nn::cost_text(*model));
  const auto [first, last] = train(*model, options);
  print("loss: %.5f in the first steps, %.5f in the last\n", first, last);
  nn::write_model(argv[1], *model);
  return error < 1e-5 && last < first ? 0 : static_cast<int>(ExitCode::internal);
}

}  // namespace
}  // namespace limbeck

int main(int argc, char** argv) {
  try {
    return limbeck::run(argc, argv);
  } catch (const limbeck::Error& e) {
    std::cerr << "own_loss: " << e.what() << "\n";
    return static_cast<int>(e.code());
  }
}
