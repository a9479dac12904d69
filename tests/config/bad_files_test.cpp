// Every kind of mistake, with all that is said about it.
#include <gmock/gmock.h>

#include "config/sample.h"
#include "limbeck/core/error.h"

namespace limbeck::config::test {
namespace {

struct BadFile {
  const char* title;
  const char* yaml;
  const char* message;
};

void PrintTo(const BadFile& file, std::ostream* out) { *out << file.title; }

class BadFiles : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadFiles, SayExactlyWhatIsWrong) {
  const BadFile& file = GetParam();
  EXPECT_EQ(error_of<ConfigError>([&] { read_sample(file.yaml); }), file.message) << file.yaml;
}

// Newer versions of yaml-cpp say which.
TEST(BadFile, UnknownAnchor) {
  EXPECT_THAT(
      error_of<ConfigError>([] { read_sample("name: *a\n"); }),
      testing::StartsWith("f.yaml:1:7: not valid YAML: the referenced anchor is not defined"));
}

std::string title_of(const ::testing::TestParamInfo<BadFile>& info) { return info.param.title; }

const BadFile kKeys[] = {
    {"Empty", "", "f.yaml:1:1: name: is required"},
    {"CommentsOnly", "# name: a\n", "f.yaml:1:1: name: is required"},
    {"NotAMap", "- a\n", "f.yaml:1:1: expected a map, found a list"},
    {"TextAlone", "hello\n", "f.yaml:1:1: expected a map, found 'hello'"},
    {"UnknownKeyNearAnother", "name: a\nthread: 4\n",
     "f.yaml:2:1: thread: unknown key; did you mean 'threads'?"},
    {"UnknownKeyNested", "name: a\ntrain:\n  schedule:\n    warmup_step: 4\n",
     "f.yaml:4:5: train.schedule.warmup_step: unknown key; did you mean 'warmup_steps'?"},
    {"UnknownKeyNearNothing", "name: a\ntrain: {schedule: {momentum: 1}}\n",
     "f.yaml:2:20: train.schedule.momentum: unknown key; known here: shape, warmup_steps"},
    {"UnknownKeyInAList", "name: a\ndistill: [{name: distance, ordr: 1}]\n",
     "f.yaml:2:28: distill.0.ordr: unknown key; did you mean 'order'?"},
    {"KeyOfAnotherComponent", "name: a\ndistill:\n  - {name: distance, granularity: frame}\n",
     "f.yaml:3:22: distill.0.granularity: unknown key; known here: name, order, weight"},
    {"DuplicateKey", "name: a\nname: b\n",
     "f.yaml:2:1: name: key given twice; first at f.yaml:1:1"},
    {"DuplicateKeyNested", "name: a\ntrain:\n  lr: 1\n  steps: 500\n  lr: 2\n",
     "f.yaml:5:3: train.lr: key given twice; first at f.yaml:3:3"},
    {"DuplicateSection", "name: a\ntrain: {lr: 1}\ntrain: {lr: 2}\n",
     "f.yaml:3:1: train: key given twice; first at f.yaml:2:1"},
    {"MergeKey", "name: a\ntrain: &t {lr: 1}\nstudent:\n  <<: *t\n",
     "f.yaml:4:3: student: YAML merge keys are not used here; use 'extends'"},
    {"MapAsKey", "name: a\ntrain:\n  ? {lr: 1}\n  : 2\n",
     "f.yaml:3:5: train: a key must be a plain word, not a map"},
    {"NullAsKey", "name: a\n~: 2\n", "f.yaml:2:1: a key must be a plain word, not nothing"},
};

const BadFile kTypes[] = {
    {"MapForAText", "name: {a: 1}\n", "f.yaml:1:7: name: expected a text, found a map"},
    {"NothingForAText", "name:\n", "f.yaml:1:1: name: expected a text, found nothing"},
    {"NullForAText", "name: null\n", "f.yaml:1:7: name: expected a text, found nothing"},
    {"TextForAMap", "name: a\ntrain: fast\n", "f.yaml:2:8: train: expected a map, found 'fast'"},
    {"NothingForAMap", "name: a\ntrain:\n", "f.yaml:2:1: train: expected a map, found nothing"},
    {"ListForASubtree", "name: a\nstudent: [1]\n",
     "f.yaml:2:10: student: expected a map, found a list"},
    {"TextForAList", "name: a\nseeds: 3\n", "f.yaml:2:8: seeds: expected a list, found '3'"},
    {"MapForAList", "name: a\ndistill: {name: cosine}\n",
     "f.yaml:2:10: distill: expected a list, found a map"},
    {"ListForAChoice", "name: a\ndistill: [[cosine]]\n",
     "f.yaml:2:11: distill.0: expected a map, found a list"},
    {"NameAloneUnknown", "name: a\ndistill: [cosin]\n",
     "f.yaml:2:11: distill.0: 'cosin' is not one of cosine, distance; did you mean 'cosine'?"},
    {"TextForANamedMap", "name: a\nteachers: {t: runs/t}\n",
     "f.yaml:2:15: teachers.t: expected a map, found 'runs/t'"},
    {"ListForNamedMaps", "name: a\nteachers: []\n",
     "f.yaml:2:11: teachers: expected a map, found a list"},
    {"TextForAnInteger", "name: a\nthreads: two\n",
     "f.yaml:2:10: threads: expected an integer, found 'two'"},
    {"FractionForAnInteger", "name: a\nthreads: 2.0\n",
     "f.yaml:2:10: threads: expected an integer, found '2.0'"},
    {"ExponentForAnInteger", "name: a\ntrain: {steps: 1e3}\n",
     "f.yaml:2:16: train.steps: expected an integer, found '1e3'"},
    {"HexadecimalForAnInteger", "name: a\nthreads: 0x10\n",
     "f.yaml:2:10: threads: expected an integer, found '0x10'"},
    {"UnderscoresForAnInteger", "name: a\ntrain: {steps: 1_000}\n",
     "f.yaml:2:16: train.steps: expected an integer, found '1_000'"},
    {"QuotedInteger", "name: a\nthreads: '2'\n",
     "f.yaml:2:10: threads: expected an integer, found the text '2'"},
    {"QuotedNumber", "name: a\ntrain: {lr: \"0.1\"}\n",
     "f.yaml:2:13: train.lr: expected a number, found the text '0.1'"},
    {"TwoSigns", "name: a\ntrain: {lr: +-1}\n",
     "f.yaml:2:13: train.lr: expected a number, found '+-1'"},
    {"UnitAfterANumber", "name: a\ntrain: {lr: 3ms}\n",
     "f.yaml:2:13: train.lr: expected a number, found '3ms'"},
    {"YesForABoolean", "name: a\ntrain: {amp: yes}\n",
     "f.yaml:2:14: train.amp: expected true or false, found 'yes'"},
    {"QuotedBoolean", "name: a\ntrain: {amp: 'true'}\n",
     "f.yaml:2:14: train.amp: expected true or false, found the text 'true'"},
    {"WrongItem", "name: a\nseeds: [1, x, 3]\n",
     "f.yaml:2:12: seeds.1: expected an integer, found 'x'"},
    {"ListInAListOfTexts", "name: a\ntags: [x, [y]]\n",
     "f.yaml:2:11: tags.1: expected a text, found a list"},
};

const BadFile kValues[] = {
    {"LeadingZero", "name: a\nthreads: 010\n", "f.yaml:2:10: threads: '010' has a leading zero"},
    {"LeadingZeroInANumber", "name: a\ntrain: {lr: -00.5}\n",
     "f.yaml:2:13: train.lr: '-00.5' has a leading zero"},
    {"LeadingZeroInAList", "name: a\nseeds: [7, 08]\n",
     "f.yaml:2:12: seeds.1: '08' has a leading zero"},
    {"TooLargeAnInteger", "name: a\nthreads: 9223372036854775808\n",
     "f.yaml:2:10: threads: 9223372036854775808 is too large"},
    {"TooSmall", "name: a\nthreads: 0\n",
     "f.yaml:2:10: threads: 0 is out of range: must be at least 1"},
    {"OnAnExcludedBound", "name: a\ntrain: {lr: 0}\n",
     "f.yaml:2:13: train.lr: 0 is out of range: must be greater than 0"},
    {"AboveARange", "name: a\ntrain: {dropout: 1.01}\n",
     "f.yaml:2:18: train.dropout: 1.01 is out of range: must be from 0 to 1"},
    {"ItemOutOfRange", "name: a\ntrain: {betas: [0.9, -0.1]}\n",
     "f.yaml:2:22: train.betas.1: -0.1 is out of range: must be from 0 to 1"},
    {"NotANumber", "name: a\ntrain: {lr: nan}\n", "f.yaml:2:13: train.lr: 'nan' is not finite"},
    {"Infinite", "name: a\ntrain: {lr: inf}\n", "f.yaml:2:13: train.lr: 'inf' is not finite"},
    {"InfiniteInYaml", "name: a\ntrain: {lr: .inf}\n",
     "f.yaml:2:13: train.lr: '.inf' is not finite"},
    {"NegativeInfiniteInYaml", "name: a\ntrain: {lr: -.INF}\n",
     "f.yaml:2:13: train.lr: '-.INF' is not finite"},
    {"TooLargeANumber", "name: a\ntrain: {lr: 1e999}\n",
     "f.yaml:2:13: train.lr: '1e999' is not finite"},
    {"ChoiceNearAnother", "name: a\ntrain: {schedule: {shape: cosin}}\n",
     "f.yaml:2:27: train.schedule.shape: 'cosin' is not one of constant, cosine, linear; "
     "did you mean 'cosine'?"},
    {"ChoiceNearNothing", "name: a\ntrain: {schedule: {shape: 3}}\n",
     "f.yaml:2:27: train.schedule.shape: '3' is not one of constant, cosine, linear"},
    {"UnknownComponent", "name: a\ndistill:\n  - {name: kosine, granularity: frame}\n",
     "f.yaml:3:12: distill.0.name: 'kosine' is not one of cosine, distance; did you mean "
     "'cosine'?"},
    {"MissingComponent", "name: a\ndistill: [{weight: 2}]\n",
     "f.yaml:2:11: distill.0.name: is required"},
    {"CrossFieldAtAKey", "name: a\ntrain: {betas: [0.9]}\n",
     "f.yaml:2:16: train.betas: needs two numbers"},
    {"CrossFieldAtAnAbsentKey", "name: a\ntrain:\n  steps: 10\n",
     "f.yaml:3:3: train.schedule: warm-up is longer than the training"},
};

const BadFile kSyntax[] = {
    {"Tag", "name: !!str 5\n", "f.yaml:1:7: YAML tags are not used here ('tag:yaml.org,2002:str')"},
    {"TagOfAMap", "name: a\ntrain: !Train {lr: 1}\n",
     "f.yaml:2:8: YAML tags are not used here ('!Train')"},
    {"SecondDocument", "name: a\n---\nname: b\n",
     "f.yaml:3:1: a second YAML document; only one is read"},
    {"UnclosedList", "seeds: [1, 2\n",
     "f.yaml:2:1: not valid YAML: end of sequence flow not found"},
    {"UnclosedQuote", "name: \"a\ntrain:\n  lr: 1\n",
     "f.yaml:4:1: not valid YAML: illegal document indicator in scalar"},
    {"UnclosedQuoteAtTheEnd", "name: 'a",
     "f.yaml:2:1: not valid YAML: illegal document indicator in scalar"},
    {"Tab", "train:\n\tlr: 1\n",
     "f.yaml:2:1: YAML does not allow tabs for indentation; use spaces"},
    {"BadIndentation", "name: a\n  train: {lr: 1}\n",
     "f.yaml:2:8: not valid YAML: illegal map value"},
};

const BadFile kSeveral[] = {
    {"AllAtOnce",
     "nam: a\n"
     "threads: 0\n"
     "threads: 1\n"
     "train:\n"
     "  steps: many\n"
     "  lr: -1\n"
     "  schedule: {shape: flat}\n"
     "  amp: 1\n"
     "distill:\n"
     "  - {name: cosine, granularity: frames, weight: -2}\n"
     "  - {order: 1}\n"
     "seeds: [1.5, 02]\n",
     "f.yaml:3:1: threads: key given twice; first at f.yaml:2:1\n"
     "f.yaml:1:1: name: is required\n"
     "f.yaml:2:10: threads: 0 is out of range: must be at least 1\n"
     "f.yaml:12:9: seeds.0: expected an integer, found '1.5'\n"
     "f.yaml:12:14: seeds.1: '02' has a leading zero\n"
     "f.yaml:5:10: train.steps: expected an integer, found 'many'\n"
     "f.yaml:6:7: train.lr: -1 is out of range: must be greater than 0\n"
     "f.yaml:7:21: train.schedule.shape: 'flat' is not one of constant, cosine, linear\n"
     "f.yaml:8:8: train.amp: expected true or false, found '1'\n"
     "f.yaml:10:33: distill.0.granularity: 'frames' is not one of frame, utterance; did you mean "
     "'frame'?\n"
     "f.yaml:10:49: distill.0.weight: -2 is out of range: must be at least 0\n"
     "f.yaml:11:5: distill.1.name: is required\n"
     "f.yaml:1:1: nam: unknown key; did you mean 'name'?"},
    {"UnknownComponentDoesNotHideTheRest",
     "name: a\ndistill: [{name: l2, order: 0, weight: -1}]\nthreads: 0\n",
     "f.yaml:3:10: threads: 0 is out of range: must be at least 1\n"
     "f.yaml:2:18: distill.0.name: 'l2' is not one of cosine, distance\n"
     "f.yaml:2:40: distill.0.weight: -1 is out of range: must be at least 0"},
    {"WrongFieldsSilenceCrossFieldChecks", "name: a\ntrain: {betas: [x], steps: 5}\n",
     "f.yaml:2:17: train.betas.0: expected a number, found 'x'"},
    {"TwoCrossFieldChecks", "name: a\ntrain: {betas: [], steps: 5, schedule: {warmup_steps: 6}}\n",
     "f.yaml:2:16: train.betas: needs two numbers\n"
     "f.yaml:2:40: train.schedule: warm-up is longer than the training"},
};

INSTANTIATE_TEST_SUITE_P(Keys, BadFiles, ::testing::ValuesIn(kKeys), title_of);
INSTANTIATE_TEST_SUITE_P(Types, BadFiles, ::testing::ValuesIn(kTypes), title_of);
INSTANTIATE_TEST_SUITE_P(Values, BadFiles, ::testing::ValuesIn(kValues), title_of);
INSTANTIATE_TEST_SUITE_P(Syntax, BadFiles, ::testing::ValuesIn(kSyntax), title_of);
INSTANTIATE_TEST_SUITE_P(Several, BadFiles, ::testing::ValuesIn(kSeveral), title_of);

TEST(BadFile, ErrorsHaveTheExitCodeOfConfiguration) {
  try {
    read_sample("");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::config);
  }
}

}  // namespace
}  // namespace limbeck::config::test
