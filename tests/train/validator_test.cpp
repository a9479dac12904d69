#include "train/validator.h"

#include <cmath>

#include "limbeck/core/error.h"
#include "limbeck/metric/metric.h"
#include "nn/support.h"
#include "objective/fake_model.h"
#include "train/support.h"

namespace limbeck::test {
namespace {

/// Noise upon noise, every item of another length; one of them silent, or all.
class Noises : public Dataset {
 public:
  explicit Noises(bool all_silent = false) : all_silent_(all_silent) {}
  int64_t size() const override { return 5; }
  int rate_hz() const override { return 16000; }
  int64_t segment_samples() const override { return 0; }
  int64_t samples(int64_t index) const override { return 400 + 10 * index; }
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
};

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
    const ValidationSet set(std::make_unique<Noises>(), 0, 1, batch_size);
    const Validation means = *Validator(task, set, at::kCPU)(3);
    EXPECT_EQ(means.scored, 4);
    EXPECT_EQ(means.broken, 0);
    EXPECT_NEAR(means.si_sdr_noisy, of_noisy, 1e-6);
    EXPECT_NEAR(means.si_sdr, of_estimate, 1e-3);
    EXPECT_NEAR(means.loss, means.parts.at("compressed_spectrum") + 0.01 * means.parts.at("si_sdr"),
                1e-5);
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
  EXPECT_DOUBLE_EQ(kWorstSiSdrDb, 10 * std::log10(std::numeric_limits<double>::epsilon()));
  const ValidationSet set(std::make_unique<Noises>(), 0, 1, 1);
  const auto validate = [&](float factor) {
    objective::LearningTask task(std::make_shared<Breaking>(factor), nullptr, {}, {}, 1,
                                 SeedKey(1));
    return *Validator(task, set, at::kCPU)(0);
  };
  const Validation sound = validate(0.5F);
  EXPECT_NEAR(sound.si_sdr, sound.si_sdr_noisy, 1e-9);
  const Example item = Noises().get(1, SeedKey(1));
  const double of_item = si_sdr(item.clean, item.noisy);
  for (const float factor : {0.0F, 1e9F, NAN, INFINITY}) {
    SCOPED_TRACE(factor);
    const Validation broken = validate(factor);
    EXPECT_EQ(broken.scored, 4);
    EXPECT_EQ(broken.broken, 1);
    EXPECT_EQ(broken.si_sdr_noisy, sound.si_sdr_noisy);
    EXPECT_NEAR(broken.si_sdr, sound.si_sdr + (kWorstSiSdrDb - of_item) / 4, 1e-9);
    // Which ends the training.
    EXPECT_EQ(std::isfinite(broken.loss), std::isfinite(factor));
  }
}

TEST(Validator, RefusesASetOfSilence) {
  auto task = make_task();
  const ValidationSet set(std::make_unique<Noises>(true), 0, 1, 2);
  const Validator validator(task, set, at::kCPU);
  EXPECT_EQ(message_of<DataError>([&] { validator(0); }), "validation: every segment is silent");
}

}  // namespace
}  // namespace limbeck::test
