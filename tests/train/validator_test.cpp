#include "train/validator.h"

#include <cmath>

#include "limbeck/core/error.h"
#include "limbeck/metric/metric.h"
#include "nn/support.h"
#include "objective/fake_model.h"
#include "train/support.h"

namespace limbeck::test {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

/// Noise upon noise, every item of another length; one of them silent, or all.
class Noises : public Dataset {
 public:
  explicit Noises(bool all_silent = false, int64_t samples = 400, int64_t more = 10)
      : all_silent_(all_silent), samples_(samples), more_(more) {}
  int64_t size() const override { return 5; }
  int rate_hz() const override { return 16000; }
  int64_t segment_samples() const override { return 0; }
  int64_t samples(int64_t index) const override { return samples_ + more_ * index; }
  Example get(int64_t index, SeedKey) const override {
    Random random(SeedKey(static_cast<uint64_t>(index)));
    Example example;
    for (int64_t i = 0; i < samples(index); ++i) {
      const double clean = all_silent_ || index == 2 ? 0 : random.normal();
      example.clean.push_back(static_cast<float>(clean));
      example.noisy.push_back(static_cast<float>(clean + 0.3 * random.normal()));
    }
    return example;
  }

 private:
  bool all_silent_;
  int64_t samples_, more_;
};

std::vector<NamedValidationSet> sets_of(std::unique_ptr<Dataset> dataset, int64_t batch_size) {
  std::vector<NamedValidationSet> sets;
  sets.push_back({"", ValidationSet(std::move(dataset), 0, 1, batch_size)});
  return sets;
}

ValidationOptions options_of(const std::string& text) {
  return config::read_text<ValidationOptions>("{" + text + "}", "test");
}

Validation validate(objective::LearningTask& task, const std::vector<NamedValidationSet>& sets,
                    const std::string& options = "") {
  Validator validator(task, sets, options_of(options), at::kCPU);
  EXPECT_FALSE(validator.is_pending());
  EXPECT_TRUE(validator.start(4));
  EXPECT_TRUE(validator.is_pending());
  const auto found = validator.finish();
  EXPECT_FALSE(validator.is_pending());
  EXPECT_EQ(found->step, 4);
  return *found;
}

objective::LearningTask make_task() { return {make_model(), nullptr, {}, {}, 2, SeedKey(1)}; }

TEST(Validator, GivesMeansOverItemsHoweverTheyAreBatched) {
  // One by one, by hand.
  const Noises data;
  const auto model = make_model();
  model->eval();
  at::NoGradGuard no_grad;
  double of_estimate = 0, of_noisy = 0;
  for (const int64_t i : {0, 1, 3, 4}) {
    const Example item = data.get(i, SeedKey(1));
    const auto noisy = torch::tensor(item.noisy).unsqueeze(0);
    const auto estimate = model->forward(noisy, {}).estimate.contiguous();
    of_estimate += si_sdr(item.clean, {estimate.const_data_ptr<float>(), item.clean.size()}) / 4;
    of_noisy += si_sdr(item.clean, item.noisy) / 4;
  }
  for (const int64_t batch_size : {1, 2, 5}) {
    SCOPED_TRACE(batch_size);
    auto task = make_task();
    task.model().train();
    const Validation found = validate(task, sets_of(std::make_unique<Noises>(), batch_size));
    EXPECT_NEAR(found.values.at("si_sdr_noisy"), of_noisy, 1e-6);
    EXPECT_NEAR(found.values.at("si_sdr"), of_estimate, 1e-3);
    EXPECT_NEAR(found.values.at("loss"),
                found.values.at("loss_compressed_spectrum") + 0.01 * found.values.at("loss_si_sdr"),
                1e-5);
    EXPECT_EQ(found.values.size(), 5U);
    EXPECT_EQ(found.text, format("  si_sdr %.2f dB (noisy %.2f)  loss %.4g",
                                 found.values.at("si_sdr"), of_noisy, found.values.at("loss")));
    EXPECT_THAT(found.warnings,
                ElementsAre("1 of 5 validation segments have no score of si_sdr and do not count "
                            "in it: SI-SDR: the clean signal is silent (all samples are zero)"));
    EXPECT_FALSE(task.model().is_training());
  }
}

/// Says half of what comes in, but of items of one length something else.
class Breaking : public FakeModel {
 public:
  explicit Breaking(float factor) : FakeModel(grid(1, 4)), factor_(factor) {
    register_parameter("weight", torch::zeros({1}));
  }
  nn::Denoised forward(const at::Tensor& noisy, const std::vector<std::string>&,
                       const std::vector<int64_t>&) override {
    return {noisy * (noisy.size(1) == 410 ? factor_ : 0.5F), {}};
  }

 private:
  float factor_;
};

TEST(Validator, ABrokenEstimateIsTheWorstAndNotLeftOut) {
  const double worst = 10 * std::log10(std::numeric_limits<double>::epsilon());
  const auto sets = sets_of(std::make_unique<Noises>(), 1);
  const auto validate_with = [&](float factor) {
    objective::LearningTask task(std::make_shared<Breaking>(factor), nullptr, {}, {}, 1,
                                 SeedKey(1));
    return validate(task, sets);
  };
  const Validation sound = validate_with(0.5F);
  const double si_sdr_noisy = sound.values.at("si_sdr_noisy");
  EXPECT_NEAR(sound.values.at("si_sdr"), si_sdr_noisy, 1e-9);
  const Example item = Noises().get(1, SeedKey(1));
  const double of_item = si_sdr(item.clean, item.noisy);
  for (const float factor : {0.0F, 1e9F, NAN, INFINITY}) {
    SCOPED_TRACE(factor);
    const Validation broken = validate_with(factor);
    ASSERT_EQ(broken.warnings.size(), 2U);
    EXPECT_THAT(broken.warnings[1],
                StartsWith("1 of 4 estimates of validation segments have no "
                           "score of si_sdr; each counts as -156.54: SI-SDR: "));
    EXPECT_EQ(broken.values.at("si_sdr_noisy"), si_sdr_noisy);
    EXPECT_NEAR(broken.values.at("si_sdr"), si_sdr_noisy + (worst - of_item) / 4, 1e-9);
    // Which ends the training.
    EXPECT_EQ(std::isfinite(broken.values.at("loss")), std::isfinite(factor));
  }
}

TEST(Validator, RefusesASetOfSilence) {
  auto task = make_task();
  const auto sets = sets_of(std::make_unique<Noises>(true), 2);
  EXPECT_EQ(message_of<DataError>([&] { validate(task, sets); }),
            "validation: no segment has a score of si_sdr: SI-SDR: the clean signal is silent (all "
            "samples are zero)");
}

TEST(Validator, AMetricIsOfTheSegmentsThatItCanScore) {
  auto task = make_task();
  const auto sets = [](int64_t samples) {
    return sets_of(std::make_unique<Noises>(false, samples, 700), 2);
  };
  EXPECT_THAT(message_of<DataError>([&] { validate(task, sets(1000), "metrics: [si_sdr, stoi]"); }),
              StartsWith("validation: no segment has a score of stoi: STOI: "));
  // 31 frames at 10 kHz are 6554 samples here: two of the five segments are too short, one is
  // silent.
  const Validation found = validate(task, sets(5000), "metrics: [stoi, si_sdr]");
  EXPECT_THAT(found.warnings,
              ElementsAre(StartsWith("3 of 5 validation segments have no score of stoi and do not "
                                     "count in it: STOI: "),
                          StartsWith("1 of 5 validation segments have no score of si_sdr and")));
  EXPECT_GT(found.values.at("stoi_noisy"), 0.5);
  EXPECT_TRUE(std::isfinite(found.values.at("stoi")));
}

TEST(Validator, TellsOnceOfSegmentsWithoutAScore) {
  auto task = make_task();
  const auto sets = sets_of(std::make_unique<Noises>(), 2);
  Validator validator(task, sets, {}, at::kCPU);
  for (const size_t warnings : {1U, 0U}) {
    validator.start(1);
    EXPECT_EQ(validator.finish()->warnings.size(), warnings);
  }
}

TEST(Validator, ThreadsAndBackgroundChangeNoScore) {
  std::vector<NamedValidationSet> sets = sets_of(std::make_unique<Noises>(false, 8000), 2);
  sets.push_back({"again", ValidationSet(std::make_unique<Noises>(false, 1000), 7, 2, 3)});
  std::optional<Validation> first;
  for (const char* background : {"false", "true"}) {
    for (const int threads : {1, 4}) {
      SCOPED_TRACE(format("%s, %d", background, threads));
      objective::LearningTask task(std::make_shared<Breaking>(0.5F), nullptr, {}, {}, 2,
                                   SeedKey(1));
      at::set_num_threads(threads);
      Validation found =
          validate(task, sets, std::string("metrics: [ssnr, si_sdr], background: ") + background);
      at::set_num_threads(1);
      for (const char* key : {"ssnr", "si_sdr", "again/ssnr", "again/si_sdr"}) {
        EXPECT_EQ(found.values.at(key), first.value_or(found).values.at(key)) << key;
        EXPECT_TRUE(found.values.contains(std::string(key) + "_noisy"));
      }
      if (!first) first = std::move(found);
    }
  }
  EXPECT_NE(first->values.at("ssnr"), first->values.at("again/ssnr"));
}

TEST(Validator, RefusesAMetricThatScoresNothingAtTheRate) {
  for (const std::string& name : metric_registry().names_as_added()) {
    EXPECT_NO_THROW(require_scorable(options_of("metrics: [" + name + "]"), 16000)) << name;
  }
  EXPECT_THAT(message_of<ConfigError>(
                  [] { require_scorable(options_of("metrics: [si_sdr, pesq_wb]"), 48000); }),
              StartsWith("train.validation.metrics: pesq_wb gives no score here: pesq_wb: is "
                         "defined at 16000 Hz, not at 48000 Hz"));
}

}  // namespace
}  // namespace limbeck::test
