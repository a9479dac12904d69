#include "limbeck/run/identity.h"

#include <gmock/gmock.h>

#include "core/scratch.h"
#include "limbeck/config/resolve.h"
#include "limbeck/core/error.h"

namespace limbeck::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

config::Node yaml(const std::string& text) {
  config::Diagnostics diagnostics;
  config::Node node = config::parse_yaml(text, "test", diagnostics);
  diagnostics.throw_if_any();
  return node;
}

Identity made() {
  Identity identity("training", 1,
                    yaml("train: {steps: 100, optimizer: {lr: 0.003, amsgrad: false}}\n"
                         "losses: [{name: si_sdr, weight: 1}, {name: mse, weight: 1e-08}]\n"
                         "notes: []\n"));
  identity.set("data.speech", "9205b130");
  return identity;
}

TEST(Identity, ReadsWhatItWrites) {
  Identity identity = made();
  identity.set("name", "a \"quoted\" é\nline");
  identity.set("digits", "5");
  identity.set("metrics", std::vector<std::string>{"pesq", "5"});
  identity.set("count", 7);
  identity.set("weight", 0.1);
  identity.set("fast", true);
  const Identity read = Identity::parse(identity.text(), "identity.json");
  EXPECT_EQ(read, identity);
  EXPECT_EQ(read.hash(), identity.hash());
  EXPECT_THAT(identity.differences(read), IsEmpty());
  EXPECT_EQ(read.kind(), "training");
  EXPECT_EQ(read.format_version(), 1);
}

TEST(Identity, NamesWhatDiffersWithBothValues) {
  Identity planned = made();
  planned.set("train.optimizer.lr", 0.001);
  planned.set("losses", yaml("[{name: si_sdr, weight: 1}, {name: mse, weight: 0.5}]"));
  planned.set("data.speech", "other");
  planned.set("data.noise", "12ab");
  EXPECT_THAT(made().differences(planned),
              ElementsAre("data.speech: \"9205b130\" → other", "data.noise: (not set) → \"12ab\"",
                          "losses.1.weight: 1e-08 → 0.5", "train.optimizer.lr: 0.003 → 0.001"));
  EXPECT_NE(planned, made());
  EXPECT_NE(planned.hash(), made().hash());
  EXPECT_THAT(made().differences(Identity("evaluation", 2, made().facts())),
              ElementsAre("kind: training → evaluation", "format: 1 → 2"));
}

TEST(Identity, HoldsFactsWhateverTheirOrder) {
  Identity other("training", 1, yaml("notes: []\nnothing: {}\ndata: {speech: old, empty: null}\n"));
  other.set("data.speech", "9205b130");
  other.set("losses",
            made().facts().find("losses") ? *made().facts().find("losses") : config::Node());
  other.set("train.optimizer", yaml("{amsgrad: false, lr: 3e-3}"));
  other.set("train.steps", 100);
  EXPECT_EQ(other, made());
  EXPECT_EQ(other.hash(), made().hash());
}

TEST(Identity, TellsTextsFromNumbers) {
  Identity number("a", 1), text("a", 1);
  number.set("x", 5);
  text.set("x", "5");
  EXPECT_NE(number, text);
  EXPECT_THAT(number.differences(text), ElementsAre("x: 5 → \"5\""));
  text.set("x", yaml("5"));
  EXPECT_EQ(number, text);
  text.set("x", config::Node());
  EXPECT_EQ(text, Identity("a", 1));
}

TEST(Identity, KeepsNamesThatAreNoUtf8AsWellAsItCan) {
  Identity identity("a", 1);
  identity.set("name", "caf\xe9");
  EXPECT_EQ(Identity::parse(identity.text(), "x"), identity);
}

TEST(Identity, RefusesWhatItCannotUnderstand) {
  for (const char* text : {"{", "[]", "{}", R"({"kind": "a", "format": 1})",
                           R"({"kind": "a", "format": 1, "facts": [1]})",
                           R"({"kind": 3, "format": 1, "facts": {}})"}) {
    EXPECT_TRUE(error_of<DataError>([&] {
                  Identity::parse(text, "r/identity.json");
                }).starts_with("r/identity.json: is no identity: "))
        << text;
  }
}

}  // namespace
}  // namespace limbeck::test
