#include "limbeck/core/error.h"
#include "nn/conv_unit.h"
#include "nn/denoising_autoencoder.h"
#include "nn/random_model.h"

namespace limbeck::test {
namespace {

/// Causal networks of every kind, and the same ones looking ahead as far as their kernels reach.
class NetworkCausality : public testing::TestWithParam<std::tuple<uint64_t, int64_t>> {};

TEST_P(NetworkCausality, PastOutputDoesNotDependOnTheFutureBeyondLatency) {
  const auto& [number, most_lookahead] = GetParam();
  std::string yaml = random_causal_model(number);
  const auto options =
      std::dynamic_pointer_cast<nn::DenoisingAutoencoder>(make_model(yaml))->options();
  const int64_t lookahead = std::min(most_lookahead, options.lookahead_capacity());
  yaml += format("lookahead_frames: %d\n", lookahead);
  SCOPED_TRACE(yaml);
  const auto model = make_model(yaml);
  shake_statistics(*model);
  model->eval();
  at::NoGradGuard no_grad;
  const int64_t hop = options.stft.hop_samples;
  const int64_t start = (lookahead + 8) * hop;
  const int64_t samples = start + 600;
  const auto x = normal({1, samples}, 3, 0.1);
  const auto before = model->forward(x, {}).estimate;
  const int64_t latency = model->latency_samples();
  EXPECT_EQ(latency, options.stft.window_samples + lookahead * hop);
  bool next_changes = false;
  for (const int64_t changed : {start, start + 15, start + 300}) {
    auto y = x.clone();
    y.narrow(1, changed, samples - changed).copy_(normal({1, samples - changed}, 4, 0.1));
    const auto after = model->forward(y, {}).estimate;
    const int64_t kept = changed - latency + 1;
    EXPECT_TRUE(at::equal(before.narrow(1, 0, kept), after.narrow(1, 0, kept)))
        << "changed from " << changed;
    const int64_t block = (kept + hop - 1) / hop * hop;
    next_changes |= !at::equal(before.narrow(1, block, hop), after.narrow(1, block, hop));
  }
  // The stated latency is not larger than it needs to be: the next block does change. (Of a few
  // units that saturate, all may; and what is changed may be lost in rounding at one place.)
  if (options.activation != nn::ActivationKind::relu6) {
    EXPECT_TRUE(next_changes);
  }
}

INSTANTIATE_TEST_SUITE_P(Lookaheads, NetworkCausality,
                         testing::Combine(testing::Range<uint64_t>(0, 20),
                                          testing::Values(int64_t{0}, int64_t{1}, int64_t{1000})));

TEST(Network, EstimateHasTheInputsLength) {
  const auto model = make_model();
  model->eval();
  for (const int64_t samples : {1, 31, 32, 33, 500}) {
    EXPECT_EQ(model->forward(normal({3, samples}, 5), {}).estimate.sizes(),
              (std::vector<int64_t>{3, samples}));
  }
}

TEST(Network, ItemsOfABatchDoNotSeeEachOther) {
  const auto model = make_model("temporal: {type: gru, hidden: 6}");
  model->eval();
  const auto x = normal({3, 400}, 6, 0.1);
  const auto together = model->forward(x, {}).estimate;
  for (int64_t b = 0; b < 3; ++b) {
    const auto alone = model->forward(x.narrow(0, b, 1), {}).estimate;
    EXPECT_LT(relative_difference(alone, together.narrow(0, b, 1)), 1e-5);
  }
}

TEST(Taps, NamesAndShapesAreWhatTapInfoSays) {
  for (const char* changes : {"mask: real", "mask: complex\nskips: none\nstem: {stride: 4}"}) {
    const auto model = make_model(changes);
    const auto names = model->tap_names();
    EXPECT_THAT(names, testing::ElementsAre("stem", "encoder.0", "encoder.1", "latent_in", "latent",
                                            "decoder.0", "decoder.1", "mask"));
    const auto taps = model->forward(normal({2, 300}, 7), names).taps;
    ASSERT_EQ(taps.size(), names.size());
    for (const auto& name : names) {
      const auto info = model->tap_info(name);
      EXPECT_EQ(taps.at(name).sizes(),
                (std::vector<int64_t>{2, info.channels, model->tap_frames(300), info.bins()}))
          << name;
      const double half_cell = 0.5 * 8000 / static_cast<double>(info.bins());
      EXPECT_EQ(info.band_edges_hz.front(), -half_cell) << name;  // cell 0 stands on 0 Hz
      EXPECT_EQ(info.band_edges_hz.back(), 8000 - half_cell) << name;
      EXPECT_EQ(info.hop_seconds, 32.0 / 16000) << name;
      EXPECT_EQ(info.first_centre_seconds, 0) << name;  // frame 0 covers [-32, 32)
    }
  }
}

TEST(Taps, OnlyThoseAskedForAndTheSameEstimate) {
  const auto model = make_model();
  model->eval();
  const auto x = normal({1, 300}, 8);
  const auto some = model->forward(x, {"latent"});
  ASSERT_EQ(some.taps.size(), 1u);
  EXPECT_TRUE(same_bits(some.estimate, model->forward(x, {}).estimate));
  // Later layers may work in place; what a tap holds must not be theirs.
  const auto all = model->forward(x, model->tap_names());
  for (const auto& [name, value] : all.taps) {
    EXPECT_TRUE(same_bits(model->forward(x, {name}).taps.at(name), value)) << name;
  }
}

TEST(Taps, LatentIsSigned) {
  const auto model = make_model("activation: relu6");
  const auto latent = model->forward(normal({1, 500}, 9), {"latent"}).taps.at("latent");
  EXPECT_LT(latent.min().item<double>(), 0);
  EXPECT_GT(latent.max().item<double>(), 0);
}

TEST(Taps, UnknownOneIsAConfigErrorThatListsNames) {
  const auto model = make_model();
  for (const auto& body :
       std::vector<std::function<void()>>{[&] { model->tap_info("latnt"); },
                                          [&] { model->forward(normal({1, 99}, 1), {"latnt"}); }}) {
    EXPECT_EQ(message_of<ConfigError>(body),
              "unknown tap 'latnt'; this network has: stem, encoder.0, encoder.1, latent_in, "
              "latent, decoder.0, "
              "decoder.1, mask");
  }
}

TEST(MemoryFormat, ChannelsLastAndContiguousAgree) {
  for (const char* changes :
       {"norm: batch", "norm: none\nactivation: prelu\ntemporal: {type: gru, hidden: 6}\n",
        "features: magnitude\nmask: real\nactivation: silu\nlookahead_frames: 2\n"}) {
    SCOPED_TRACE(changes);
    const auto contiguous = make_model(std::string(changes) + "\nmemory_format: contiguous");
    const auto channels_last = make_model(std::string(changes) + "\nmemory_format: channels_last");
    const auto x = normal({2, 500}, 10, 0.1);
    const auto a = contiguous->forward(x, {"latent"});
    const auto b = channels_last->forward(x, {"latent"});
    EXPECT_LT(relative_difference(b.estimate, a.estimate), 1e-5);
    EXPECT_LT(relative_difference(b.taps.at("latent"), a.taps.at("latent")), 1e-5);
    const auto probe = normal({2, 500}, 11);
    (a.estimate * probe).sum().backward();
    (b.estimate * probe).sum().backward();
    double largest = 0;
    for (const auto& p : contiguous->parameters())
      largest = std::max(largest, p.grad().abs().max().item<double>());
    const auto others = channels_last->named_parameters();
    for (const auto& item : contiguous->named_parameters()) {
      EXPECT_LT(
          (item.value().grad() - others[item.key()].grad()).abs().max().item<double>() / largest,
          1e-5)
          << item.key();
    }
  }
}

TEST(InterleaveBins, GroupsBecomeNeighbouringBins) {
  constexpr int64_t kChannels = 2, kFrames = 3, kBins = 4, kFactor = 3;
  const auto x = normal({2, kFactor * kChannels, kFrames, kBins}, 12);
  for (const auto format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
    const auto y = nn::interleave_bins(x.contiguous(format), kFactor);
    ASSERT_EQ(y.sizes(), (std::vector<int64_t>{2, kChannels, kFrames, kFactor * kBins}));
    for (int64_t k = 0; k < kFactor; ++k) {
      for (int64_t f = 0; f < kBins; ++f) {
        EXPECT_TRUE(at::equal(y.select(3, kFactor * f + k),
                              x.narrow(1, k * kChannels, kChannels).select(3, f)));
      }
    }
  }
  EXPECT_TRUE(nn::interleave_bins(x, 1).is_same(x));
}

TEST(InterleaveBins, ChannelsLastIsNotCopied) {
  const auto x = normal({2, 6, 3, 4}, 13).contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_EQ(nn::interleave_bins(x, 3).data_ptr(), x.data_ptr());
}

TEST(Complexity, CountsProductsByHand) {
  // 32 bins after the Nyquist bin is dropped; a frame each 32 samples: 500 frames a second.
  const auto model = make_model(R"(
stem: {channels: 4, stride: 2, kernel_freq: 5}
encoder: [{channels: 6, stride: 2, kernel_time: 3}]
expansion: 2
latent: {channels: 3, in_channels: 2}
temporal: {type: gru, hidden: 5}
mask: complex)");
  const int64_t stem = 16 * 4 * 2 * 5;
  const int64_t encoder = 16 * 4 * 8 + 8 * 8 * 9 + 8 * 8 * 6;
  const int64_t latent = 8 * 6 * 2 + 8 * 2 * 3 + 8 * 3 * 6;
  const int64_t gru = 3 * 5 * (16 + 5) + 5 * 16;
  const int64_t decoder = 8 * 6 * 12 + 8 * 12 * 9 + 8 * 12 * 4 * 2;
  const int64_t head = 16 * 4 * 2 * 2 * 3;
  EXPECT_EQ(model->macs_per_second(),
            500.0 * static_cast<double>(stem + encoder + latent + gru + decoder + head));
  EXPECT_THAT(nn::cost_text(*model), testing::HasSubstr("latency 4.0 ms"));
}

TEST(Complexity, NamesTheLayersInTheOrderOfTheSignal) {
  const auto model = make_model("skips: concat\ntemporal: {type: dual_path, hidden: 6}");
  std::vector<std::string> names;
  for (const auto& layer : model->layer_costs()) names.push_back(layer.name);
  EXPECT_THAT(names, testing::ElementsAre("stem", "encoder.0.0", "encoder.1.0", "latent_in",
                                          "temporal.block0.intra", "temporal.block0.inter",
                                          "latent", "latent_out", "skip.0", "decoder.0.0", "skip.1",
                                          "decoder.1.0", "head"));
}

TEST(NetworkConfig, ErrorsNameTheKeyAndTheNumbers) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"stem: {stride: 3}",
       "encoder: the strides multiply to 12, which does not divide the 32 bands"},
      {"lookahead_frames: 5", "lookahead_frames: is more than the 4 frames"},
      {"stem: {kernel_freq: 4}", "stem.kernel_freq: must be odd"},
      {"encoder: [{channels: 5, kernel_freq: 2}]", "encoder.0.kernel_freq: must be odd"},
      {"encoder: []", "encoder: needs at least one stage"},
      {"stft: {hop_samples: 48}", "stft.hop_samples: must divide window_samples"},
      {"stft: {hop_samples: 64}", "stft.hop_samples: must divide window_samples"},
      {"stft: {fft_samples: 32}", "stft.fft_samples: must be even and at least window_samples"},
      {"skips: multiply", "skips"},
      {"temporal: {type: lstm}", "temporal.type: 'lstm' is not one of dual_path, gru, none"},
      {"temporal: {type: none, hidden: 4}", "temporal.hidden: unknown key"},
      {"temporal: {type: gru, hidden: 6, groups: 3}",
       "temporal: groups must divide the 5 channels"},
      {"temporal: {type: gru, hidden: 7, groups: 5}",
       "temporal.hidden: must be a multiple of groups"},
      {"temporal: {type: dual_path, hidden: 7}",
       "temporal.hidden: must be a multiple of 2 · groups"},
      {"norm: layer", "norm: 'layer' is not one of batch, instance, none"}};
  for (const auto& [changes, message] : bad) {
    EXPECT_THAT(message_of<ConfigError>([&text = changes] { model_config(text); }),
                testing::HasSubstr(message))
        << changes;
  }
  EXPECT_NO_THROW(model_config("lookahead_frames: 4"));
}

}  // namespace
}  // namespace limbeck::test
