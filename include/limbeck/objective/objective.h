#pragma once

#include <memory>
#include <string>
#include <vector>

#include "limbeck/objective/loss.h"

namespace limbeck::objective {

/// A scalar with its name in logs, detached from the graph.
struct LossPart {
  std::string name;
  at::Tensor value;
};

/// What one batch gave: `total` carries the gradient, `parts` (unweighted) are for people.
struct LossReport {
  at::Tensor total;
  at::Tensor denoising;  ///< the denoising losses alone, weighted and detached
  at::Tensor estimate;   ///< [B, L], detached
  std::vector<LossPart> parts;

  /// total += weight · factor · value; an undefined factor is 1.
  void add(const std::string& name, double weight, const at::Tensor& value,
           const at::Tensor& factor = {});
};

/// Weighted sum of named denoising losses.
class Objective : public torch::nn::Module {
 public:
  explicit Objective(const ObjectiveConfig& config);
  void add_to(LossReport& report, const LossInput& input);

 private:
  struct Part {
    std::string name;
    double weight;
    std::shared_ptr<Loss> loss;
  };
  std::vector<Part> parts_;
};

}  // namespace limbeck::objective
