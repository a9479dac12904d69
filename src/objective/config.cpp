#include "limbeck/objective/config.h"

#include <algorithm>

#include "limbeck/objective/adapter.h"
#include "limbeck/objective/distill.h"
#include "limbeck/objective/loss.h"

namespace limbeck::objective {

ObjectiveConfig::ObjectiveConfig() {
  for (const auto& [name, weight] :
       {std::pair("compressed_spectrum", 1.0), std::pair("si_sdr", 0.01)}) {
    LossConfig& loss = losses.emplace_back();
    loss.chosen = {objective::losses(), name};
    loss.weight = weight;
  }
}

void LossConfig::describe(config::Visitor& v) {
  v.choice("name", chosen, losses(), "loss");
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

void AdapterOptions::describe(config::Visitor& v) {
  v.choice("type", chosen, adapters(), "what maps the student's feature to the teacher's channels");
}

void DistillTermConfig::describe(config::Visitor& v) {
  v.choice("name", chosen, distill_terms(), "distillation term");
  v.value("weight", weight,
          "factor of this term beside the denoising loss; to do without a term, leave it out",
          config::above(0));
}

void DistillOptions::describe(config::Visitor& v) {
  v.list("terms", terms,
         "what draws the student to the teacher; none: the student is trained from scratch");
  v.section("balance", balance, "how strong the terms are beside the denoising loss");
  v.list("phases", phases,
         "what is trained when, one phase after the other; none: both, from the first step on");
  v.section("cache", cache, "what the teacher says, kept on disk");
  const auto trains_task = [](const PhaseOptions& phase) { return phase.task; };
  const auto distills = [](const PhaseOptions& phase) { return phase.distill; };
  v.require(phases.empty() || std::any_of(phases.begin(), phases.end(), trains_task), "phases",
            "no phase trains the denoising task, so the student would never learn to denoise; "
            "add a phase with task: true");
  v.require(phases.empty() || terms.empty() || std::any_of(phases.begin(), phases.end(), distills),
            "phases",
            "no phase uses the terms; give one of them distill: true, or leave out distill.terms");
  for (size_t i = 0; i < phases.size(); ++i) {
    const bool is_last = i + 1 == phases.size();
    const std::string name = "phase " + std::to_string(i + 1);
    v.require(is_last || phases[i].steps > 0, "phases",
              name + " needs steps: only the last phase lasts to the end");
    v.require(!is_last || phases[i].steps == 0, "phases",
              name + " is the last and lasts to the end: leave out its steps");
    v.require(phases[i].task || phases[i].distill, "phases",
              name + " trains nothing; give it task: true or distill: true");
    v.require(phases[i].task || !terms.empty(), "phases",
              name + " has neither task nor terms to train; give distill.terms, or task: true");
  }
}

int64_t DistillOptions::steps_before_last_phase() const {
  int64_t steps = 0;
  for (size_t i = 0; i + 1 < phases.size(); ++i) steps += phases[i].steps;
  return steps;
}

void BalanceOptions::describe(config::Visitor& v) {
  v.value("mode", mode,
          "what a term's weight is multiplied by: constant: 1; warmup: a ramp from 0 to 1; "
          "gradient_ratio: what makes the term's gradient `target` times that of the denoising "
          "loss, over the student's parameters that both reach",
          config::one_of({"constant", "warmup", "gradient_ratio"}));
  v.value("target", target, "ratio of the gradients' norms (gradient_ratio)", config::above(0));
  v.value("steps", steps,
          "length of the ramp (warmup), or the first steps over which gradients are measured, "
          "after which the factor is frozen (gradient_ratio)",
          config::at_least(1));
}

void PhaseOptions::describe(config::Visitor& v) {
  v.value("steps", steps, "optimizer steps; the last phase has none and lasts to the end",
          config::at_least(0));
  v.value("task", task, "the denoising loss takes part");
  v.value("distill", distill, "the distillation terms take part");
  v.value("restart", restart,
          "the phase has a warm-up and a schedule of its own and an optimizer that remembers "
          "nothing; false: it goes on where the one before ended");
}

void TeacherCacheOptions::describe(config::Visitor& v) {
  v.value("dir", dir,
          "folder that keeps what the teacher said of each batch, for later epochs and other "
          "students; needs data.epochs_unique; empty: the teacher is run in every step",
          config::any().no_effect());
  v.value("precision", precision,
          "what the teacher says is rounded to; float16 halves the folder and changes results",
          config::one_of({"float32", "float16"}));
  v.value(
      "max_gb", max_gb,
      "gigabytes that dir may take, with all that lies in it; for what finds no room the teacher "
      "is run; 0: no bound",
      config::at_least(0).no_effect());
}

}  // namespace limbeck::objective
