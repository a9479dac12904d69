#include "train/validator.h"

#include <cmath>

#include "limbeck/core/error.h"
#include "limbeck/metric/metric.h"
#include "nn/support.h"
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
    const Validation means = Validator(task, set, at::kCPU)(3);
    EXPECT_NEAR(means.si_sdr_noisy, of_noisy, 1e-6);
    EXPECT_NEAR(means.si_sdr, of_estimate, 1e-3);
    EXPECT_NEAR(means.loss, means.parts.at("compressed_spectrum") + 0.01 * means.parts.at("si_sdr"),
                1e-5);
    EXPECT_FALSE(task.model().is_training());
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
