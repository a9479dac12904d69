#include <gmock/gmock.h>

#include "config/sample.h"

namespace limbeck::config::test {
namespace {

TEST(Help, ListsEveryKeyWithTypeRangeDefaultAndMeaning) {
  EXPECT_EQ(help_text<Sample>(),
            "name: text; required\n"
            "    of the run\n"
            "note: text; default ''\n"
            "    for the reader\n"
            "threads: integer, at least 1; default 2\n"
            "    of the processor (may change on resume)\n"
            "seeds: list of integers, at least 0; default [1]\n"
            "    one run each\n"
            "tags: list of texts; default []\n"
            "    free words\n"
            "\n"
            "# train: the training\n"
            "train.steps: integer, at least 1; default 1000\n"
            "    optimizer steps\n"
            "train.lr: number, greater than 0; default 3e-04\n"
            "    peak learning rate\n"
            "train.dropout: number, from 0 to 1; default 0\n"
            "    share of zeroed features\n"
            "train.betas: list of numbers, from 0 to 1; default [0.9, 0.999]\n"
            "    of Adam's averages\n"
            "\n"
            "# train.schedule: learning rate over time\n"
            "train.schedule.shape: text, one of constant, cosine, linear; default 'cosine'\n"
            "    of the decay\n"
            "train.schedule.warmup_steps: integer, at least 0; default 100\n"
            "    linear warm-up\n"
            "train.amp: true or false; default false\n"
            "    16-bit forward pass\n"
            "\n"
            "# distill[]: terms added to the loss; default: 0 items\n"
            "distill[].name: text, one of cosine, distance; required\n"
            "    distillation term\n"
            "#   with name: cosine (angle between features)\n"
            "distill[].granularity: text, one of frame, utterance; default 'frame'\n"
            "    what is compared\n"
            "distill[].centred: true or false; default false\n"
            "    subtract the mean first\n"
            "#   with name: distance (norm of the difference)\n"
            "distill[].order: number, at least 1; default 2\n"
            "    of the norm\n"
            "distill[].weight: number, at least 0; default 1\n"
            "    factor of the term\n"
            "student: map; default {}\n"
            "    the student's model\n"
            "teachers.NAME: map; default {}\n"
            "    teachers by name\n");
}

/// Every leaf of a dump must have its line, whatever is added to a schema later.
void check_leaves(const Node& node, const std::string& path, const std::string& help) {
  for (const auto& entry : node.entries) {
    const std::string key = path + entry.key;
    if (entry.value.is_map() && !entry.value.entries.empty()) {
      check_leaves(entry.value, key + ".", help);
    } else if (entry.value.kind == Node::Kind::list && !entry.value.items.empty() &&
               entry.value.items[0].is_map()) {
      for (const Node& item : entry.value.items) check_leaves(item, key + "[].", help);
    } else {
      EXPECT_NE(("\n" + help).find("\n" + key + (key == "teachers" ? ".NAME: " : ": ")),
                std::string::npos)
          << key;
    }
  }
}

TEST(Help, MissesNothingThatADumpHolds) {
  const Sample sample =
      read_sample("{name: a, distill: [{name: cosine}, {name: distance}], student: {}}");
  check_leaves(to_node(sample), "", help_text<Sample>());
}

TEST(Rule, SaysWhatItAllows) {
  EXPECT_EQ(any().text(), "");
  EXPECT_EQ(at_least(0.5).text(), "at least 0.5");
  EXPECT_EQ(above(0).text(), "greater than 0");
  EXPECT_EQ(between(-1, 1).text(), "from -1 to 1");
  EXPECT_EQ(one_of({"a", "b"}).text(), "one of a, b");
  EXPECT_EQ(at_least(1).required().no_effect().text(), "at least 1");
}

TEST(Rule, QualifiersLeaveTheOriginalAlone) {
  const Rule plain = at_least(1);
  EXPECT_TRUE(plain.required().is_required);
  EXPECT_FALSE(plain.no_effect().changes_results);
  EXPECT_FALSE(plain.is_required);
  EXPECT_TRUE(plain.changes_results);
}

}  // namespace
}  // namespace limbeck::config::test
