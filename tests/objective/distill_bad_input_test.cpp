#include "nn/support.h"
#include "objective/from_yaml.h"
#include "objective/tapped_model.h"

namespace limbeck::test {
namespace {

struct Bad {
  const char* label;
  const char* yaml;
  const char* message;
  int64_t batch_size = 3;
};

void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.label; }

class BadTerm : public testing::TestWithParam<Bad> {};

TEST_P(BadTerm, IsAConfigErrorThatSaysWhatToDo) {
  const TappedModel student({{"encoder.0", grid(2, 4)},
                             {"encoder.1", grid(3, 2)},
                             {"latent", grid(3, 2)},
                             {"decoder.0", grid(3, 2)}});
  const TappedModel teacher({{"encoder.0", grid(4, 8)}, {"latent", grid(5, 4)}});
  const auto& bad = GetParam();
  EXPECT_EQ(
      message_of<ConfigError>([&] { term_from_yaml(bad.yaml, student, teacher, bad.batch_size); }),
      bad.message);
}

INSTANTIATE_TEST_SUITE_P(
    All, BadTerm,
    testing::Values(
        Bad{"UnknownStudentTap", "{name: cosine, student: latnet}",
            "student: unknown tap 'latnet'; this network has: encoder.0, encoder.1, latent, "
            "decoder.0"},
        Bad{"UnknownTeacherTap", "{name: attention, teacher: [decoder.0]}",
            "teacher: unknown tap 'decoder.0'; this network has: encoder.0, latent"},
        Bad{"UnequalLists", "{name: fitnet, student: [latent, encoder.0], teacher: latent}",
            "student lists 2 taps (latent, encoder.0) and teacher 1 (latent), but they pair up one "
            "by one"},
        Bad{"NoTaps", "{name: similarity, student: [], teacher: []}",
            "student: needs at least one tap"},
        Bad{"ShapesWithoutAdapter", "{name: fitnet, adapter: {type: none}}",
            "student tap 'latent' [B, 3, T, 2], teacher tap 'latent' [B, 5, T, 4]: adapter 'none' "
            "needs equal channels, but the student has 3 and the teacher 5; use adapter: {type: "
            "linear}"},
        Bad{"UnknownAdapter", "{name: fitnet, adapter: lineer}",
            "test:1:25: adapter: 'lineer' is not one of frame_linear, inverted_bottleneck, "
            "linear, none; did you mean 'linear'?"},
        Bad{"AnotherAdaptersOption", "{name: fitnet, adapter: {type: linear, expansion: 2}}",
            "test:1:40: adapter.expansion: unknown key; known here: type"},
        Bad{"EvenKernel", "{name: fitnet, adapter: {type: inverted_bottleneck, kernel_freq: 4}}",
            "test:1:66: adapter.kernel_freq: must be odd"},
        Bad{"SimilarityOfOne", "{name: similarity}",
            "compares the utterances of a batch with one another, so it needs a batch size of at "
            "least 2; raise the batch size, or use self_similarity, which looks inside each "
            "utterance",
            1},
        Bad{"FrameSimilarityOfOne", "{name: frame_similarity}",
            "compares the utterances of a batch with one another, so it needs a batch size of at "
            "least 2; raise the batch size, or use self_similarity, which looks inside each "
            "utterance",
            1},
        Bad{"ClskdOfOne", "{name: clskd}",
            "compares the utterances of a batch with one another, so it needs a batch size of at "
            "least 2; raise the batch size, or use self_similarity, which looks inside each "
            "utterance",
            1},
        Bad{"ClskdOfUnequalDepths", "{name: clskd}",
            "the student has taps encoder.0, encoder.1, latent, decoder.0 and the teacher "
            "encoder.0, latent, which do not pair up; name those to compare with student: [...] "
            "and teacher: [...]"},
        Bad{"ClskdOfTheLatent",
            "{name: clskd, student: [encoder.0, latent], "
            "teacher: [encoder.0, latent]}",
            "student: fuses taps encoder.i and decoder.i, not 'latent'; this network has: "
            "encoder.0, encoder.1, latent, decoder.0"},
        Bad{"ClskdHalfNamed", "{name: clskd, student: encoder.0}",
            "student lists 1 taps (encoder.0) and teacher 0 (), but they pair up one by one"},
        Bad{"Axis", "{name: self_similarity, axis: channel}",
            "test:1:31: axis: 'channel' is not one of time, frequency"},
        Bad{"Share", "{name: selective_output, share: 1.5}",
            "test:1:33: share: 1.5 is out of range: must be from 0.01 to 1"},
        Bad{"PatchBins", "{name: selective_output, patch_bins: 300}",
            "test:1:38: patch_bins: must not be more than the spectrum has bins"},
        Bad{"NoWeight", "{name: cosine, weight: 0}",
            "test:1:24: weight: 0 is out of range: must be greater than 0"},
        Bad{"NegativeWeight", "{name: output, weight: -1}",
            "test:1:24: weight: -1 is out of range: must be greater than 0"},
        Bad{"TapIsAMap", "{name: cosine, student: {a: 1}}",
            "test:1:25: student: expected a text or a list, found a map"}),
    [](const auto& instance) { return instance.param.label; });

TEST(TapsInYaml, OneTapNeedsNoList) {
  const auto dump = [](const std::string& yaml) {
    return config::to_yaml(
        config::to_node(config::read_text<objective::DistillTermConfig>(yaml, "test")));
  };
  EXPECT_EQ(dump("{name: similarity, student: latent, teacher: latent}"),
            dump("{name: similarity, student: [latent], teacher: [latent]}"));
  EXPECT_NE(dump("{name: similarity, student: [latent, mask], teacher: [latent, mask]}"),
            dump("{name: similarity}"));
  const std::string two = dump("{name: similarity, student: [a, b], teacher: [c, d]}");
  EXPECT_EQ(dump(two), two);
  const std::string one = dump("{name: similarity}");
  EXPECT_EQ(dump(one), one);
}

TEST(AdapterInYaml, ANameStandsForAnAdapterWithoutOptions) {
  const auto dump = [](const std::string& yaml) {
    return config::to_yaml(
        config::to_node(config::read_text<objective::DistillTermConfig>(yaml, "test")));
  };
  EXPECT_EQ(dump("{name: fitnet, adapter: none}"), dump("{name: fitnet, adapter: {type: none}}"));
  EXPECT_THAT(dump("{name: fitnet}"), testing::EndsWith("adapter:\n  type: linear\nweight: 1\n"));
  EXPECT_THAT(dump("{name: fitnet, adapter: inverted_bottleneck}"),
              testing::EndsWith(
                  "type: inverted_bottleneck\n  expansion: 2\n  kernel_freq: 3\nweight: 1\n"));
}

}  // namespace
}  // namespace limbeck::test
