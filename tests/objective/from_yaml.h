#pragma once

#include "limbeck/config/reader.h"
#include "limbeck/nn/initialize.h"
#include "limbeck/objective/adapter.h"
#include "limbeck/objective/distill.h"
#include "limbeck/objective/loss.h"

namespace limbeck::test {

/// The loss that a line of `objective.losses` describes.
inline std::unique_ptr<objective::Loss> loss_from_yaml(const std::string& yaml) {
  const auto config = config::read_text<objective::LossConfig>(yaml, "test");
  return objective::losses().build(config.chosen.name(), *config.chosen);
}

/// The term that a line of `distill.terms` describes, with drawn weights.
inline std::unique_ptr<objective::DistillTerm> term_from_yaml(const std::string& yaml,
                                                              const nn::DenoisingModel& student,
                                                              const nn::DenoisingModel& teacher,
                                                              int64_t batch_size = 3) {
  const auto config = config::read_text<objective::DistillTermConfig>(yaml, "test");
  const objective::ObjectiveConfig objective;
  auto term = objective::distill_terms().build(
      config.chosen.name(), *config.chosen,
      objective::DistillContext{student, teacher, objective, batch_size});
  nn::initialize(*term, SeedKey(5));
  return term;
}

/// The adapter that a term's section `adapter` describes, with drawn weights.
inline std::unique_ptr<objective::Adapter> adapter_from_yaml(const std::string& yaml,
                                                             const objective::AdapterShape& shape) {
  const auto options = config::read_text<objective::AdapterOptions>(yaml, "test");
  auto adapter = objective::adapters().build(options.chosen.name(), *options.chosen, shape);
  nn::initialize(*adapter, SeedKey(5));
  return adapter;
}

}  // namespace limbeck::test
