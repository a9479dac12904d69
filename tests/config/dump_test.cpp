#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "config/sample.h"
#include "limbeck/core/error.h"
#include "limbeck/core/random.h"

namespace limbeck::config::test {
namespace {

/// Equality written out by hand: compared through to_node(), a field that it forgets would go
/// unseen.
bool same(const Term& a, const Term& b) {
  if (a.weight != b.weight || a.chosen.name() != b.chosen.name()) return false;
  if (a.chosen.name() == "cosine") {
    const auto& x = dynamic_cast<const Cosine&>(*a.chosen);
    const auto& y = dynamic_cast<const Cosine&>(*b.chosen);
    return x.granularity == y.granularity && x.centred == y.centred;
  }
  return dynamic_cast<const Distance&>(*a.chosen).order ==
         dynamic_cast<const Distance&>(*b.chosen).order;
}

/// A text that was not quoted may be after a dump; what it says is the same.
Node unquoted_words(Node node) {
  const std::string& text = node.scalar;
  const bool is_number = text.find_first_of("0123456789.+-") == 0 &&
                         text.find_first_not_of("0123456789.eE+-") == std::string::npos;
  if (node.kind == Node::Kind::scalar && !is_number && text != "true" && text != "false") {
    node.quoted = true;
  }
  for (Node& item : node.items) item = unquoted_words(item);
  for (auto& entry : node.entries) entry.value = unquoted_words(entry.value);
  return node;
}

bool same(const Node& a, const Node& b) {
  return tree(unquoted_words(a)) == tree(unquoted_words(b));
}

bool same(const Sample& a, const Sample& b) {
  const Train& t = a.train;
  const Train& u = b.train;
  return a.name == b.name && a.note == b.note && a.threads == b.threads && a.seeds == b.seeds &&
         a.tags == b.tags && t.steps == u.steps && t.lr == u.lr && t.dropout == u.dropout &&
         t.betas == u.betas && t.schedule.shape == u.schedule.shape &&
         t.schedule.warmup_steps == u.schedule.warmup_steps && t.amp == u.amp &&
         std::equal(a.distill.begin(), a.distill.end(), b.distill.begin(), b.distill.end(),
                    [](const Term& x, const Term& y) { return same(x, y); }) &&
         same(a.student, b.student) &&
         std::equal(a.teachers.begin(), a.teachers.end(), b.teachers.begin(), b.teachers.end(),
                    [](const auto& x, const auto& y) {
                      return x.first == y.first && same(x.second, y.second);
                    });
}

const std::vector<std::string> kAwkward = {"",
                                           "null",
                                           "Null",
                                           "NULL",
                                           "~",
                                           "true",
                                           "false",
                                           "True",
                                           "yes",
                                           "off",
                                           "0",
                                           "010",
                                           "1e5",
                                           "-1",
                                           "+1",
                                           ".5",
                                           "5.",
                                           ".inf",
                                           "nan",
                                           "0x1F",
                                           "1_000",
                                           "1:30",
                                           "2001-01-01",
                                           " lead",
                                           "trail ",
                                           "  ",
                                           "a: b",
                                           "a:",
                                           ":a",
                                           "a #b",
                                           "#a",
                                           "it's",
                                           "say \"hi\"",
                                           "back\\slash",
                                           "\\n",
                                           "\n",
                                           "two\nlines",
                                           "end\n",
                                           "\n\nstart",
                                           "tab\there",
                                           "\r",
                                           "a\r\nb",
                                           "\x01\x1F\x7F",
                                           "{a}",
                                           "[a]",
                                           "a, b",
                                           "a,b",
                                           "{a: 1}",
                                           "[1, 2]",
                                           "- a",
                                           "-",
                                           "---",
                                           "...",
                                           "? a",
                                           "!tag",
                                           "&anchor",
                                           "*alias",
                                           "|",
                                           ">",
                                           "%dir",
                                           "@at",
                                           "`tick",
                                           "'",
                                           "\"",
                                           "<<",
                                           "extends",
                                           "=",
                                           "größe",
                                           "日本語",
                                           "\U0001F600",
                                           "± 3 dB",
                                           "\u00a0",
                                           "\u2028",
                                           "\u0085",
                                           "a/b.yaml",
                                           "./a",
                                           "../a b",
                                           "runs/*",
                                           "$HOME",
                                           "a  b",
                                           "\\x41"};

std::string random_text(Random& random) {
  if (random.below(2) == 0) return kAwkward[random.below(kAwkward.size())];
  std::string text;
  for (uint64_t n = random.below(4); n > 0; --n) text += kAwkward[random.below(kAwkward.size())];
  return text;
}

double random_number(Random& random, double low, double high) {
  return random.below(4) == 0 ? low + (high - low) * 0.5 : random.uniform(low, high);
}

Node random_tree(Random& random, int depth) {
  Node node = Node::make_map({});
  for (uint64_t n = random.below(4); n > 0; --n) {
    const std::string key = random_text(random);
    if (node.find(key)) continue;
    std::function<Node(int)> any_node = [&](int below) {
      Node value;
      switch (random.below(below > 0 ? 5 : 3)) {
        case 0:
          value = Node::make_scalar(random_text(random), {});
          value.quoted = true;
          break;
        case 1:
          value = Node::make_scalar(limbeck::shortest(random.uniform(-1e3, 1e3)), {});
          break;
        case 2:
          break;  // null
        case 3:
          value = random_tree(random, below - 1);
          break;
        default:
          value.kind = Node::Kind::list;
          for (uint64_t i = random.below(4); i > 0; --i) value.items.push_back(any_node(below - 1));
      }
      return value;
    };
    node.child(key, {}) = any_node(depth);
  }
  return node;
}

Sample random_sample(Random& random) {
  Sample sample;
  sample.name = random_text(random);
  sample.note = random_text(random);
  sample.threads = static_cast<int64_t>(1 + random.below(INT64_MAX));
  sample.seeds.resize(random.below(4));
  for (auto& seed : sample.seeds)
    seed = static_cast<int64_t>(random.below(1ULL << random.below(63)));
  sample.tags.resize(random.below(4));
  for (auto& tag : sample.tags) tag = random_text(random);
  sample.train.steps = static_cast<int64_t>(1000 + random.below(1000000));
  sample.train.lr = std::exp(random.uniform(-700, 700));
  sample.train.dropout = random_number(random, 0, 1);
  sample.train.betas = {random_number(random, 0, 1), random_number(random, 0, 1)};
  sample.train.schedule.shape = random.below(2) ? "linear" : "constant";
  sample.train.schedule.warmup_steps = static_cast<int64_t>(random.below(1000));
  sample.train.amp = random.below(2) == 0;
  sample.distill.resize(random.below(3));
  for (Term& term : sample.distill) {
    const std::string name = random.below(2) ? "cosine" : "distance";
    term.chosen.set(name, terms().make_options(name));
    if (auto* cosine = dynamic_cast<Cosine*>(term.chosen.get())) {
      cosine->granularity = random.below(2) ? "frame" : "utterance";
      cosine->centred = random.below(2) == 0;
    } else {
      dynamic_cast<Distance&>(*term.chosen.get()).order = 1 + random.uniform();
    }
    term.weight = random_number(random, 0, 10);
  }
  if (random.below(3) > 0) sample.student = random_tree(random, 3);
  for (uint64_t n = random.below(3); n > 0; --n)
    sample.teachers[random_text(random)] = random_tree(random, 2);
  return sample;
}

TEST(Dump, ParsesBackToAnEqualStruct) {
  Random random{SeedKey(1).with("dump")};
  for (int round = 0; round < 400; ++round) {
    const Sample sample = random_sample(random);
    const std::string yaml = to_yaml(to_node(sample));
    Sample back;
    ASSERT_NO_THROW(back = read_sample(yaml)) << yaml;
    ASSERT_TRUE(same(sample, back)) << yaml << "\nbecame\n" << to_yaml(to_node(back));
  }
}

TEST(Dump, KeepsEveryAwkwardText) {
  for (const std::string& text : kAwkward) {
    Sample sample;
    sample.name = text;
    sample.tags = {text, "x", text};
    sample.teachers[text] = Node::make_map({});
    const std::string yaml = to_yaml(to_node(sample));
    Sample back;
    ASSERT_NO_THROW(back = read_sample(yaml)) << yaml;
    EXPECT_EQ(back.name, text) << yaml;
    EXPECT_EQ(back.tags, sample.tags) << yaml;
    EXPECT_EQ(back.teachers.count(text), 1U) << yaml;
  }
}

TEST(Dump, IsReadable) {
  Sample sample = read_sample(
      "{name: demo, seeds: [1, 2], distill: [{name: distance, weight: 0.5}],"
      " student: {model: {width: 8}}, teachers: {}}");
  EXPECT_EQ(to_yaml(to_node(sample)),
            "name: demo\n"
            "note: \"\"\n"
            "threads: 2\n"
            "seeds: [1, 2]\n"
            "tags: []\n"
            "train:\n"
            "  steps: 1000\n"
            "  lr: 3e-04\n"
            "  dropout: 0\n"
            "  betas: [0.9, 0.999]\n"
            "  schedule:\n"
            "    shape: cosine\n"
            "    warmup_steps: 100\n"
            "  amp: false\n"
            "distill:\n"
            "  - name: distance\n"
            "    order: 2\n"
            "    weight: 0.5\n"
            "student:\n"
            "  model:\n"
            "    width: 8\n"
            "teachers: {}\n");
}

TEST(Dump, LeavesOutASubtreeThatWasNotWritten) {
  const std::string yaml = to_yaml(to_node(read_sample("name: a")));
  EXPECT_EQ(yaml.find("student"), std::string::npos) << yaml;
  EXPECT_NO_THROW(read_sample(yaml)) << yaml;
}

TEST(Dump, UnquotedTextOfASubtreeStaysOneText) {
  const Sample sample = read_sample(
      "name: a\nstudent:\n  list:\n    - a, b\n    - c] d\n  map: {k: \"x\"}\n  text: one, {two}\n "
      " time: 1:30\n");
  const Sample back = read_sample(to_yaml(to_node(sample)));
  EXPECT_TRUE(same(sample.student, back.student)) << to_yaml(back.student);
  EXPECT_EQ(back.student.find("list")->items.size(), 2U);
}

TEST(Dump, NestedListsParseBack) {
  const Node node = sound("a: [[1, [2, []]], [], [{b: [[3]]}, null]]\n");
  EXPECT_EQ(tree(sound(to_yaml(node))), tree(node)) << to_yaml(node);
}

Node quoted(Node node) {
  node.quoted = node.kind == Node::Kind::scalar;
  for (Node& item : node.items) item = quoted(item);
  for (auto& entry : node.entries) entry.value = quoted(entry.value);
  return node;
}

TEST(Dump, AWordThatLooksLikeAMarkStaysOne) {
  for (const char* yaml :
       {"[-]\n", "a: {b: -, c: d}\n", " ---\n", " ...\n", "- ---\n", "a: ---\n", "[---, ...]\n"}) {
    const Node node = sound(yaml);
    EXPECT_EQ(tree(quoted(sound(to_yaml(node)))), tree(quoted(node))) << yaml;
    EXPECT_EQ(tree(quoted(sound(to_flow_yaml(node)))), tree(quoted(node))) << yaml;
  }
}

TEST(Dump, OfResultsLeavesOutWhatDoesNotChangeThem) {
  Sample a = read_sample("name: a\nthreads: 1\n");
  Sample b = read_sample("name: a\nthreads: 8\n");
  EXPECT_EQ(to_node(a, true).find("threads"), nullptr);
  EXPECT_NE(to_node(a).find("threads"), nullptr);
  EXPECT_NE(to_node(a, true).find("train"), nullptr);
  EXPECT_TRUE(differences(to_node(a, true), to_node(b, true)).empty());
  EXPECT_EQ(differences(to_node(a), to_node(b)), std::vector<std::string>{"threads: 1 → 8"});
  b.train.schedule.warmup_steps = 7;
  EXPECT_EQ(differences(to_node(a, true), to_node(b, true)),
            std::vector<std::string>{"train.schedule.warmup_steps: 100 → 7"});
}

TEST(Dump, FollowsAListOfStructs) {
  const Sample a = read_sample("name: a\ndistill: [{name: cosine}]\n");
  const Sample b = read_sample("name: a\ndistill: [{name: cosine, weight: 2}]\n");
  EXPECT_EQ(differences(to_node(a), to_node(b)),
            std::vector<std::string>{"distill.0.weight: 1 → 2"});
}

TEST(Choice, ANameAloneStandsForItsDefaults) {
  const auto alone = read_text<Sample>("name: a\ndistill: [cosine]\n", "f");
  const auto spelled = read_text<Sample>("name: a\ndistill: [{name: cosine}]\n", "f");
  EXPECT_EQ(to_yaml(to_node(alone)), to_yaml(to_node(spelled)));
}

}  // namespace
}  // namespace limbeck::config::test
