#include "limbeck/objective/config.h"

#include <algorithm>

#include "limbeck/objective/distill.h"
#include "limbeck/objective/loss.h"

namespace limbeck::objective {

ObjectiveConfig::ObjectiveConfig() {
  for (const auto& [name, weight] :
       {std::pair("compressed_spectrum", 1.0), std::pair("si_sdr", 0.01)}) {
    LossConfig& loss = losses.emplace_back();
    loss.chosen.set(name, objective::losses().make_options(name));
    loss.weight = weight;
  }
}

void LossConfig::describe(config::Visitor& v) {
  v.choice(chosen, losses(), "loss");
  v.value("weight", weight, "factor of this part in the sum", config::at_least(0));
}

void ObjectiveConfig::describe(config::Visitor& v) {
  v.list("losses", losses, "parts of the denoising loss");
  v.require(std::any_of(losses.begin(), losses.end(), [](const auto& l) { return l.weight > 0; }),
            "losses", "needs at least one loss with a weight above 0");
  for (size_t i = 0; i < losses.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      v.require(losses[i].chosen.name() != losses[j].chosen.name(), "losses",
                "'" + losses[i].chosen.name() + "' is listed twice");
    }
  }
}

void DistillTermConfig::describe(config::Visitor& v) {
  v.choice(chosen, distill_terms(), "distillation term");
  v.value("weight", weight,
          "factor of this term beside the denoising loss; to do without a term, leave it out",
          config::above(0));
}

void DistillOptions::describe(config::Visitor& v) {
  v.list("terms", terms,
         "what draws the student to the teacher; none: the student is trained from scratch");
}

}  // namespace limbeck::objective
