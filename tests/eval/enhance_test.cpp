#include "eval/enhance.h"

#include "eval/support.h"
#include "nn/support.h"

namespace limbeck::test {
namespace {

TEST(Estimates, PaddingCannotLeakInABatch) {
  // Lookahead and recurrence carry what follows an utterance into it, were it padded by frames.
  const nn::Enhancer enhancer(
      make_model("lookahead_frames: 2\ntemporal: {type: gru, hidden: 4}", 3), at::kCPU);
  std::vector<std::vector<float>> noisy;
  for (const int64_t samples : {3170, 3200, 3169, 3185}) noisy.push_back(white(samples, 7));
  const auto together = estimates_of(enhancer, noisy, 16000);
  for (size_t i = 0; i < noisy.size(); ++i) {
    const auto alone = estimates_of(enhancer, {noisy[i]}, 16000).front();
    ASSERT_EQ(together[i].size(), noisy[i].size());
    for (size_t n = 0; n < alone.size(); ++n) {
      ASSERT_NEAR(together[i][n], alone[n], 1e-6) << i << " " << n;
    }
  }
}

TEST(Estimates, BatchesHoldOneFrameCountEach) {
  const nn::Enhancer enhancer(make_model(), at::kCPU);  // hop 32
  const std::vector<int64_t> samples = {320, 6400, 310, 6401, 289, 321};
  // On a CPU every utterance is a batch, longest first.
  const auto batches = batches_for(enhancer, samples, 8);
  ASSERT_EQ(batches.size(), samples.size());
  EXPECT_EQ(batches[0], std::vector<size_t>{3});
  EXPECT_EQ(batches[1], std::vector<size_t>{1});
  EXPECT_EQ(batches[2], std::vector<size_t>{5});
}

}  // namespace
}  // namespace limbeck::test
