#pragma once

// A made-up configuration that uses everything a schema can say.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/scratch.h"
#include "limbeck/config/resolve.h"
#include "limbeck/core/registry.h"

namespace limbeck::config::test {

using limbeck::test::error_of;
using limbeck::test::Scratch;

struct Cosine : Component<Cosine> {
  std::string granularity = "frame";
  bool centred = false;

  void describe(Visitor& v) override {
    v.value("granularity", granularity, "what is compared", one_of({"frame", "utterance"}));
    v.value("centred", centred, "subtract the mean first");
  }
};

struct Distance : Component<Distance> {
  double order = 2;

  void describe(Visitor& v) override { v.value("order", order, "of the norm", at_least(1)); }
};

struct Nothing {};
template <class Own>
std::unique_ptr<Nothing> build_nothing(const Own&) {
  return std::make_unique<Nothing>();
}

inline const Registry<ComponentOptions, Nothing>& terms() {
  static const auto all = [] {
    Registry<ComponentOptions, Nothing> registry("term");
    registry.add<Cosine>("cosine", "angle between features", build_nothing<Cosine>);
    registry.add<Distance>("distance", "norm of the difference", build_nothing<Distance>);
    return registry;
  }();
  return all;
}

struct Term {
  Chosen chosen;
  double weight = 1;

  void describe(Visitor& v) {
    v.choice("name", chosen, terms(), "distillation term");
    v.value("weight", weight, "factor of the term", at_least(0));
  }
};

struct Schedule {
  std::string shape = "cosine";
  int64_t warmup_steps = 100;

  void describe(Visitor& v) {
    v.value("shape", shape, "of the decay", one_of({"constant", "cosine", "linear"}));
    v.value("warmup_steps", warmup_steps, "linear warm-up", at_least(0));
  }
};

struct Train {
  int64_t steps = 1000;
  double lr = 3e-4;
  double dropout = 0;
  std::vector<double> betas = {0.9, 0.999};
  Schedule schedule;
  bool amp = false;

  void describe(Visitor& v) {
    v.value("steps", steps, "optimizer steps", at_least(1));
    v.value("lr", lr, "peak learning rate", above(0));
    v.value("dropout", dropout, "share of zeroed features", between(0, 1));
    v.value("betas", betas, "of Adam's averages", between(0, 1));
    v.section("schedule", schedule, "learning rate over time");
    v.value("amp", amp, "16-bit forward pass");
    v.require(betas.size() == 2, "betas", "needs two numbers");
    v.require(schedule.warmup_steps <= steps, "schedule", "warm-up is longer than the training");
  }
};

struct Sample {
  std::string name;
  std::string note;
  int64_t threads = 2;
  std::vector<int64_t> seeds = {1};
  std::vector<std::string> tags;
  Train train;
  std::vector<Term> distill;
  Node student;
  std::map<std::string, Node> teachers;

  void describe(Visitor& v) {
    v.value("name", name, "of the run", any().required());
    v.value("note", note, "for the reader");
    v.value("threads", threads, "of the processor", at_least(1).no_effect());
    v.value("seeds", seeds, "one run each", at_least(0));
    v.value("tags", tags, "free words");
    v.section("train", train, "the training");
    v.list("distill", distill, "terms added to the loss");
    v.value("student", student, "the student's model");
    v.named("teachers", teachers, "teachers by name");
  }
};

inline Sample read_sample(const std::string& yaml) { return read_text<Sample>(yaml, "f.yaml"); }

/// The tree without places, in a form that tells text from number and null from empty.
inline std::string tree(const Node& node) {
  std::string text;
  switch (node.kind) {
    case Node::Kind::null:
      return "null";
    case Node::Kind::scalar:
      return (node.quoted ? "text " : "plain ") + std::to_string(node.scalar.size()) + ":" +
             node.scalar;
    case Node::Kind::list:
      for (const Node& item : node.items) text += tree(item) + ",";
      return "[" + text + "]";
    case Node::Kind::map:
      for (const auto& entry : node.entries) text += entry.key + "=" + tree(entry.value) + ",";
      return "{" + text + "}";
  }
  return text;
}

/// Parses a text that must be sound.
inline Node sound(const std::string& yaml, const std::string& source = "f.yaml") {
  Diagnostics diagnostics;
  Node node = parse_yaml(yaml, source, diagnostics);
  EXPECT_TRUE(diagnostics.empty()) << limbeck::join(diagnostics.messages(), "\n") << "\nin\n"
                                   << yaml;
  return node;
}

}  // namespace limbeck::config::test
