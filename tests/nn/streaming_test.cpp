#include "limbeck/nn/streaming_denoiser.h"

#include "limbeck/config/resolve.h"
#include "nn/denoising_autoencoder.h"
#include "nn/presets.h"
#include "nn/random_model.h"

namespace limbeck::test {
namespace {

constexpr double kStreaming = 1e-5;

/// The whole of `audio` [L] or [C, L] through a stream, in chunks of 1 to `longest` samples.
at::Tensor stream_in_chunks(nn::StreamingDenoiser& stream, const at::Tensor& audio,
                            uint64_t longest, uint64_t seed) {
  Random random{SeedKey(seed)};
  std::vector<at::Tensor> pieces;
  for (int64_t at = 0; at < audio.size(-1);) {
    const auto size =
        std::min<int64_t>(1 + static_cast<int64_t>(random.below(longest)), audio.size(-1) - at);
    pieces.push_back(stream.process(audio.narrow(-1, at, size)));
    at += size;
  }
  pieces.push_back(stream.flush());
  return at::cat(pieces, -1);
}

/// Speech-like in level: noise that comes and goes, and falls silent now and then.
at::Tensor made_signal(int64_t samples, uint64_t seed) {
  const auto time = torch::arange(samples, torch::kDouble) / 16000;
  const auto level = 0.1 * (time * 2.5).sin().clamp_min(0).pow(2);
  return normal({samples}, seed) * level.to(torch::kFloat);
}

class StreamingPreset : public testing::TestWithParam<std::string> {};

TEST_P(StreamingPreset, AMinuteInChunksEqualsOffline) {
  const auto model = nn::build_model(read_preset(GetParam()), SeedKey(2));
  shake_statistics(*model);
  model->eval();
  at::NoGradGuard no_grad;
  const auto audio = made_signal(60 * 16000, 3);
  const auto offline = model->forward(audio.unsqueeze(0), {}).estimate.squeeze(0).clone();
  nn::StreamingDenoiser stream(model);
  EXPECT_LT(relative_difference(stream_in_chunks(stream, audio, 8000, 4), offline), kStreaming);
  // Frame by frame, as a device runs it.
  constexpr int64_t kShort = 16000;
  const auto hop = static_cast<int64_t>(16000 / model->frames_per_second());
  std::vector<at::Tensor> frames;
  for (int64_t at = 0; at + hop <= kShort; at += hop) {
    frames.push_back(stream.process(audio.narrow(0, at, hop)));
  }
  const auto together = at::cat(frames);
  ASSERT_EQ(together.size(0), kShort / hop * hop - stream.delay_samples());
  EXPECT_LT(relative_difference(together, offline.narrow(0, 0, together.size(0))), kStreaming);
}

INSTANTIATE_TEST_SUITE_P(All, StreamingPreset, testing::ValuesIn(preset_names()),
                         [](const auto& instance) { return instance.param; });

class StreamingRandomModel : public testing::TestWithParam<uint64_t> {};

/// Every other one looks ahead, and every fourth as far as its kernels can.
std::string random_model(uint64_t number) {
  const std::string causal = random_causal_model(number);
  const auto made = std::dynamic_pointer_cast<nn::DenoisingAutoencoder>(make_model(causal));
  const int64_t most = made->options().lookahead_capacity();
  const int64_t lookahead = number % 2 == 0 ? 0 : number % 4 == 1 ? most : (most + 1) / 2;
  return causal + format("lookahead_frames: %d\n", lookahead);
}

TEST_P(StreamingRandomModel, AnyChunksEqualOffline) {
  const std::string yaml = random_model(GetParam());
  SCOPED_TRACE(yaml);
  const auto model = make_model(yaml);
  shake_statistics(*model);
  model->eval();
  at::NoGradGuard no_grad;
  nn::StreamingDenoiser stream(model);
  const auto whole = made_signal(8000, GetParam());
  for (const int64_t samples : {1, 33, 64, 300, 8000}) {
    SCOPED_TRACE(samples);
    const auto audio = whole.narrow(0, 8000 - samples, samples);
    const auto offline = model->forward(audio.unsqueeze(0), {}).estimate.squeeze(0).clone();
    for (const uint64_t longest : {samples < 8000 ? 7 : 300, 3000}) {  // flush() has reset it
      EXPECT_LT(relative_difference(stream_in_chunks(stream, audio, longest, 5), offline),
                kStreaming);
    }
  }
}

TEST_P(StreamingRandomModel, ChannelsRunSideBySide) {
  const auto model = make_model(random_model(GetParam()));
  nn::StreamingDenoiser together(model, 3), alone(model);
  const auto audio = normal({3, 2000}, GetParam(), 0.1);
  const auto all = stream_in_chunks(together, audio, 300, 8);
  for (int64_t c = 0; c < 3; ++c) {
    EXPECT_LT(relative_difference(all[c], stream_in_chunks(alone, audio[c], 300, 8)), kStreaming);
  }
}

TEST_P(StreamingRandomModel, KeepsAsManyNumbersAsTheCostReportSays) {
  const auto model =
      std::dynamic_pointer_cast<nn::DenoisingAutoencoder>(make_model(random_model(GetParam())));
  model->eval();
  at::NoGradGuard no_grad;
  nn::StreamState state;
  const auto spectrum = Stft(model->options().stft)(normal({1, 4000}, 7));
  const int64_t first = model->options().lookahead_frames + 1;
  model->enhance_frames(spectrum.narrow(1, 0, first), state);
  for (int64_t t = first; t < first + 3; ++t) {
    model->enhance_frames(spectrum.narrow(1, t, 1), state);
  }
  EXPECT_EQ(state.values(), nn::total_cost(model->layer_costs()).state);
}

INSTANTIATE_TEST_SUITE_P(Twenty, StreamingRandomModel, testing::Range<uint64_t>(0, 20));

TEST(Streaming, ResetForgetsAndStartsAgain) {
  const auto model = make_model("temporal: {type: dual_path, hidden: 6}\nnorm: instance");
  nn::StreamingDenoiser stream(model);
  const auto audio = normal({960}, 8, 0.1);
  const auto first = stream.process(audio);
  const auto second = stream.process(audio).narrow(0, 0, first.size(0));
  EXPECT_FALSE(at::equal(first, second));
  stream.reset();
  EXPECT_TRUE(same_bits(stream.process(audio), first));
}

TEST(Streaming, DelayIsWindowMinusHopAndEveryLengthComesBackWhole) {
  const auto model = make_model();
  nn::StreamingDenoiser stream(model);
  EXPECT_EQ(stream.delay_samples(), 32);
  for (const int64_t samples : {0, 1, 31, 32, 33, 64, 500}) {
    const auto out = stream_in_chunks(stream, normal({samples}, 9), 40, 10);
    EXPECT_EQ(out.size(0), samples);
  }
  const auto ahead = make_model("lookahead_frames: 2");
  EXPECT_EQ(nn::StreamingDenoiser(ahead).delay_samples(), 32 + 2 * 32);
}

TEST(Streaming, LinkedChannelsGetOneGain) {
  for (const std::string mask : {"real", "complex"}) {
    const auto model = make_model("mask: " + mask + "\nlookahead_frames: 1", 3);
    nn::StreamingDenoiser linked(model, 2, true), apart(model, 2), alone(model);
    const auto mono = normal({4000}, 11, 0.1);
    // A source panned by gains stays there.
    const auto panned = at::stack({mono, 0.25 * mono});
    const auto out = stream_in_chunks(linked, panned, 500, 12);
    EXPECT_LT(relative_difference(4 * out[1], out[0]), kStreaming);
    const auto each = stream_in_chunks(apart, panned, 500, 12);
    EXPECT_GT(relative_difference(4 * each[1], each[0]), 10 * kStreaming) << "shows nothing";
    // Of the loud channel and a silent one, the gain is that of the loud one.
    const auto one = stream_in_chunks(linked, at::stack({mono, 0 * mono}), 500, 12);
    EXPECT_LT(relative_difference(one[0], stream_in_chunks(alone, mono, 500, 12)), 1e-4);
    EXPECT_EQ(one[1].abs().max().item<double>(), 0);
  }
}

TEST(Streaming, SilenceStaysFiniteForTenMinutes) {
  const auto model = make_model("norm: instance\ntemporal: {type: gru, hidden: 6}");
  nn::StreamingDenoiser stream(model);
  for (int minute = 0; minute < 10; ++minute) {
    ASSERT_EQ(stream.process(torch::zeros({960000})).abs().max().item<double>(), 0) << minute;
  }
}

}  // namespace
}  // namespace limbeck::test
