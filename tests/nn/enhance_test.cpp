#include "limbeck/nn/enhance.h"

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <thread>

#include "limbeck/config/resolve.h"
#include "limbeck/core/error.h"
#include "nn/presets.h"
#include "nn/random_model.h"

namespace limbeck::test {
namespace {

constexpr double kJoins = 1e-5;

/// Small, at the lowest rate, so that a piece has few samples.
std::shared_ptr<nn::DenoisingModel> small_model(const std::string& changes = "") {
  const auto model = make_model("rate_hz: 4000\n" + changes, 5);
  shake_statistics(*model);
  return model;
}

at::Tensor whole(nn::DenoisingModel& model, const at::Tensor& noisy) {
  at::NoGradGuard no_grad;
  return model.forward(noisy, {}).estimate;
}

at::Tensor through(nn::EnhanceStream& stream, const at::Tensor& signal, int64_t chunk) {
  std::vector<at::Tensor> done;
  for (const auto& piece : signal.split(chunk, 1)) done.push_back(stream.process(piece));
  done.push_back(stream.flush());
  return at::cat(done, 1);
}

/// Counts what tensors take on this thread.
class Peak : public c10::MemoryReportingInfoBase {
 public:
  using Base = c10::MemoryReportingInfoBase;
  void reportMemoryUsage(void*, int64_t bytes, size_t, size_t, c10::Device) override {
    now_ += bytes;
    most = std::max(most, now_);
  }
  bool memoryProfilingEnabled() const override { return true; }
  int64_t most = 0;

 private:
  int64_t now_ = 0;
};

template <class Body>
int64_t peak_bytes(const Body& body) {
  const auto peak = std::make_shared<Peak>();
  const c10::DebugInfoGuard counted(c10::DebugInfoKind::PROFILER_STATE, peak);
  body();
  return peak->most;
}

TEST(Enhance, WhatFitsIntoAPieceIsThePassOfTheWholeToTheBit) {
  const auto model = small_model("lookahead_frames: 2\ntemporal: {type: gru, hidden: 6}");
  const nn::Enhancer enhance(model, at::kCPU);
  for (const int64_t samples : {int64_t{1}, int64_t{999}, nn::Enhancer::kPieceSeconds * 4000}) {
    const auto noisy = normal({2, samples}, 1, 0.1);
    EXPECT_TRUE(same_bits(enhance(noisy), whole(*model, noisy))) << samples;
  }
}

class EnhanceKinds : public testing::TestWithParam<std::string> {};

TEST_P(EnhanceKinds, PiecesJoinAsTheWhole) {
  const auto model = small_model(GetParam());
  const nn::Enhancer enhance(model, at::kCPU);
  const auto noisy = normal({2, nn::Enhancer::kPieceSeconds * 4000 * 5 / 2 + 7}, 2, 0.1);
  const auto expected = whole(*model, noisy);
  EXPECT_LT(relative_difference(enhance(noisy), expected), kJoins);
  const auto stream = enhance.stream(2);
  for (const int64_t chunk : {1000, 4001, 400000}) {
    EXPECT_LT(relative_difference(through(*stream, noisy, chunk), expected), kJoins) << chunk;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, EnhanceKinds,
    testing::Values("lookahead_frames: 0", "lookahead_frames: 2",
                    "lookahead_frames: 2\nnorm: instance\ntemporal: {type: gru, hidden: 6}",
                    "lookahead_frames: 1\nskips: concat\ntemporal: {type: dual_path, hidden: 6}"));

TEST(Enhance, MemoryDoesNotDependOnTheLength) {
  const auto model = small_model("lookahead_frames: 2\ntemporal: {type: gru, hidden: 6}");
  const nn::Enhancer enhance(model, at::kCPU);
  const auto noisy = normal({1, 600 * 4000}, 4, 0.1);  // 10 min
  const auto part = noisy.narrow(1, 0, 60 * 4000);
  const auto bytes_of = [](const at::Tensor& x) { return static_cast<int64_t>(x.nbytes()); };
  const int64_t a_minute = peak_bytes([&] { enhance(part); });
  EXPECT_GT(peak_bytes([&] { whole(*model, noisy); }), 3 * a_minute) << "shows nothing";
  // The estimate, in parts and joined.
  EXPECT_LT(peak_bytes([&] { enhance(noisy); }), a_minute + 2 * bytes_of(noisy));
  const auto by_seconds = [&](const at::Tensor& signal) {
    return peak_bytes([&] {
      const auto stream = enhance.stream(1);
      for (const auto& second : signal.split(4000, 1)) stream->process(second);
      stream->flush();
    });
  };
  EXPECT_LE(by_seconds(noisy), by_seconds(part));
}

TEST(Enhance, WhatAPassHoldsIsBoundedForEveryNetwork) {
  constexpr int64_t kBytes = 1 << 20;
  for (const char* changes :
       {"lookahead_frames: 2\ntemporal: {type: gru, hidden: 6}",
        "stft: {window_samples: 1024, hop_samples: 8, fft_samples: 1024}", "expansion: 16"}) {
    const auto model = small_model(changes);
    const nn::Enhancer enhance(model, at::kCPU, nn::Kernels::fused, kBytes);
    const auto noisy = normal({3, 30 * 4000}, 6, 0.1);
    const auto one = noisy.narrow(0, 0, 1);
    at::Tensor expected, estimate;
    const auto estimates = static_cast<int64_t>(2 * noisy.nbytes());  // in parts and joined
    EXPECT_GT(peak_bytes([&] { expected = whole(*model, one); }), kBytes + estimates)
        << changes << " shows nothing";
    EXPECT_LT(peak_bytes([&] { estimate = enhance(one); }), kBytes + estimates) << changes;
    EXPECT_LT(relative_difference(estimate, expected), kJoins) << changes;
    const auto stream = enhance.stream(3);
    EXPECT_LT(peak_bytes([&] { stream->process(noisy); }), kBytes + estimates) << changes;
  }
}

TEST(Enhance, ShippedNetworksRunAPieceAsAWhole) {
  for (const std::string& name : preset_names()) {
    const auto model = nn::build_model(read_preset(name), SeedKey(1));
    const nn::Enhancer enhance(model, at::kCPU);
    const auto noisy = normal({1, nn::Enhancer::kPieceSeconds * model->rate_hz()}, 7, 0.1);
    at::Tensor estimate;
    const int64_t peak = peak_bytes([&] { estimate = enhance(noisy); });
    EXPECT_LT(peak, nn::Enhancer::kBytesAtOnce) << name;
    EXPECT_TRUE(same_bits(estimate, whole(*model, noisy))) << name;
  }
}

TEST(Enhance, ComesOutAsLongAsItWentIn) {
  const auto model = small_model("lookahead_frames: 2");
  const nn::Enhancer enhance(model, at::kCPU);
  for (const bool link : {false, true}) {
    const auto stream = enhance.stream(3, link);
    for (const int64_t samples : {0, 1, 5, 31, 33, 500}) {
      const auto out = through(*stream, normal({3, samples}, 3), 7);
      EXPECT_EQ(out.sizes(), at::IntArrayRef({3, samples}));
    }
  }
  EXPECT_EQ(enhance(torch::zeros({1, 4000})).abs().max().item<double>(), 0);
}

TEST(Enhance, ManyThreadsGiveWhatOneGives) {
  const auto model = small_model("lookahead_frames: 2\ntemporal: {type: dual_path, hidden: 6}");
  const nn::Enhancer enhance(model, at::kCPU);
  const auto one = [&](int64_t i) {
    const auto stream = enhance.stream(2, i % 2 == 0);
    return through(*stream, normal({2, 9000}, static_cast<uint64_t>(i), 0.1), 500 + 100 * i);
  };
  std::vector<at::Tensor> together(6);
  std::vector<std::thread> threads;
  for (int64_t i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] { together[static_cast<size_t>(i)] = one(i); });
  }
  for (auto& thread : threads) thread.join();
  for (int64_t i = 0; i < 6; ++i) {
    EXPECT_TRUE(same_bits(together[static_cast<size_t>(i)], one(i))) << i;
  }
}

}  // namespace
}  // namespace limbeck::test
