#include "limbeck/nn/stft.h"

#include "nn/support.h"

namespace limbeck::test {
namespace {

struct Case {
  StftOptions options;
  int64_t samples;
};

class StftCases : public testing::TestWithParam<Case> {};

TEST_P(StftCases, InverseOfForwardIsTheSignal) {
  const auto& [options, samples] = GetParam();
  Stft stft(options);
  const auto x = normal({2, samples}, 1, 0.3);
  const auto spectrum = stft(x);
  EXPECT_EQ(spectrum.size(1), options.frames(samples));
  EXPECT_EQ(spectrum.size(2), options.bins());
  const auto back = stft->inverse(spectrum, samples);
  ASSERT_EQ(back.sizes(), x.sizes());
  EXPECT_LT((back - x).abs().max().item<double>(), 1e-6);
}

TEST_P(StftCases, FrameCoversItsOwnSamplesOnly) {
  const auto& [options, samples] = GetParam();
  Stft stft(options);
  for (const int64_t place : {int64_t{0}, samples / 2, samples - 1}) {
    auto x = torch::zeros({1, samples});
    x[0][place] = 1;
    const auto energy = at::abs(stft(x)).square().sum(-1)[0];
    for (int64_t t = 0; t < energy.size(0); ++t) {
      const int64_t inside = place - ((t + 1) * options.hop_samples - options.window_samples);
      if (inside < 0 || inside >= options.window_samples) {
        EXPECT_EQ(energy[t].item<float>(), 0) << "frame " << t << ", sample " << place;
      } else {
        const double hann =
            0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(inside) /
                                 static_cast<double>(options.window_samples));
        const double gain = options.window == "hann" ? hann * hann : hann;
        EXPECT_NEAR(energy[t].item<double>(), gain * static_cast<double>(options.bins()), 1e-3)
            << "frame " << t << ", sample " << place;
      }
    }
  }
}

TEST_P(StftCases, StreamOfHopsGivesTheSameFrames) {
  const auto& [options, samples] = GetParam();
  Stft stft(options);
  const int64_t hop = options.hop_samples;
  const int64_t window = options.window_samples;
  const auto x = normal({1, samples}, 2);
  const auto whole = stft(x);
  // A device sees hops; it holds the last window and asks for the frame that ends with the newest
  // hop.
  auto buffer = torch::zeros({1, window});
  for (int64_t t = 0; t < whole.size(1); ++t) {
    auto newest = torch::zeros({1, hop});
    const int64_t left = std::clamp<int64_t>(samples - t * hop, 0, hop);
    if (left > 0) newest.narrow(1, 0, left).copy_(x.narrow(1, t * hop, left));
    buffer = at::cat({buffer.narrow(1, hop, window - hop), newest}, 1);
    const auto frame = stft(buffer).select(1, window / hop - 1);
    EXPECT_TRUE(at::equal(at::view_as_real(frame), at::view_as_real(whole.select(1, t))))
        << "frame " << t;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Options, StftCases,
    testing::Values(Case{{}, 4000}, Case{{}, 512}, Case{{}, 100}, Case{{}, 1},
                    Case{{512, 128, 512, "hann"}, 3001}, Case{{512, 128, 512, "sqrt_hann"}, 300},
                    Case{{320, 160, 320, "sqrt_hann"}, 2000}, Case{{320, 80, 512, "hann"}, 1234},
                    Case{{64, 32, 64, "hann"}, 257}, Case{{48, 8, 64, "sqrt_hann"}, 129}),
    [](const auto& instance) {
      const auto& o = instance.param.options;
      return o.window + "_" + std::to_string(o.window_samples) + "_" +
             std::to_string(o.hop_samples) + "_" + std::to_string(o.fft_samples) + "_" +
             std::to_string(instance.param.samples);
    });

TEST(Stft, SineLandsInItsBin) {
  Stft stft(StftOptions{});
  const auto n = at::arange(4096, torch::kDouble);
  const auto x = at::sin(n * (2 * std::numbers::pi * 1000 / 16000)).to(torch::kFloat).unsqueeze(0);
  const auto magnitude = at::abs(stft(x))[0][8];
  EXPECT_EQ(magnitude.argmax().item<int64_t>(), 32);  // 1000 Hz / 31.25 Hz
}

TEST(Stft, WrongShapesAreRefused) {
  Stft stft(StftOptions{});
  EXPECT_THROW(stft(torch::zeros({100})), c10::Error);
  const auto spectrum = stft(torch::zeros({1, 1000}));
  EXPECT_THROW(stft->inverse(spectrum, 2000), c10::Error);
}

}  // namespace
}  // namespace limbeck::test
