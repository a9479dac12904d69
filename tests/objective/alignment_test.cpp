#include <algorithm>
#include <cmath>

#include "limbeck/core/format.h"
#include "nn/denoising_autoencoder.h"
#include "nn/support.h"
#include "objective/regrid.h"

// Where a tap stands in time and frequency: what tap_info says is held against signals that go
// through real networks of other windows, hops, lookaheads and bands.

namespace limbeck::test {
namespace {

using objective::Regridder;

constexpr int64_t kSamples = 3000;
constexpr double kRate = 16000;

std::shared_ptr<nn::DenoisingModel> model_of(const std::string& changes) {
  auto model = make_model(changes);
  model->eval();
  return model;
}

double centre(const nn::TapInfo& info, int64_t frame) {
  return kRate * (info.first_centre_seconds + static_cast<double>(frame) * info.hop_seconds);
}

/// [T], 1 in the frames of each tap that an impulse at sample `at` changes.
std::map<std::string, at::Tensor> touched(nn::DenoisingModel& model, int64_t at) {
  at::NoGradGuard no_grad;
  auto signal = normal({1, kSamples}, 80, 0.1);
  const auto names = model.tap_names();
  const auto before = model.taps(signal, names);
  signal[0][at] += 1;
  std::map<std::string, at::Tensor> frames;
  for (const auto& [name, after] : model.taps(signal, names))
    frames[name] = (after - before.at(name)).abs().amax({0, 1, 3}).gt(0).to(torch::kFloat);
  return frames;
}

struct Framing {
  const char* label;
  int64_t window, hop;
  std::string stft() const {
    return format("stft: {window_samples: %d, hop_samples: %d, fft_samples: %d}\n", window, hop,
                  window);
  }
};

void PrintTo(const Framing& framing, std::ostream* out) { *out << framing.label; }

const Framing kFramings[] = {
    {"half", 64, 32}, {"quarter", 64, 16}, {"long", 192, 32}, {"uneven", 96, 24}};
/// Frames see nothing but themselves.
const char* const kNoContext =
    "encoder: [{channels: 5, stride: 2}]\nstem: {channels: 4, stride: 1, kernel_freq: 1}\n";

class TapsOf : public testing::TestWithParam<Framing> {};

TEST_P(TapsOf, AnImpulseReachesTheFramesWhoseWindowsHoldIt) {
  const auto model = model_of(GetParam().stft() + kNoContext);
  const auto reach = 0.5 * static_cast<double>(GetParam().window);
  for (const int64_t at : {700, 1234, 1999}) {
    for (const auto& [name, frames] : touched(*model, at)) {
      const auto info = model->tap_info(name);
      for (int64_t t = 0; t < frames.size(0); ++t) {
        // The first sample of a square-root Hann window is zero, so both ends are open.
        const bool held = std::abs(static_cast<double>(at) - centre(info, t)) < reach;
        EXPECT_EQ(frames[t].item<float>() > 0, held) << name << ", frame " << t;
      }
    }
  }
}

TEST_P(TapsOf, LookaheadAddsFramesOfTheFutureAndShiftsNone) {
  constexpr int64_t kContext = 4;  // two stages, two blocks each, one of three frames in each
  for (const int64_t lookahead : {0, 1, 2}) {
    const auto model = model_of(GetParam().stft() + format("lookahead_frames: %d\n", lookahead));
    const auto frames = touched(*model, 1234).at("latent");
    const auto info = model->tap_info("latent");
    const auto reach = 0.5 * static_cast<double>(GetParam().window);
    for (int64_t t = 0; t < frames.size(0); ++t) {
      const auto holds = [&](int64_t frame) {
        return std::abs(1234 - centre(info, frame)) < reach;
      };
      bool seen = false;
      for (int64_t k = t - kContext + lookahead; k <= t + lookahead; ++k) seen = seen || holds(k);
      EXPECT_EQ(frames[t].item<float>() > 0, seen) << lookahead << ", frame " << t;
    }
  }
}

TEST_P(TapsOf, AnImpulseStaysInPlaceOnTheGridOfAnyOtherNetwork) {
  const auto teacher = model_of(GetParam().stft() + kNoContext);
  for (const Framing& framing : kFramings) {
    const auto student = model_of(framing.stft() + kNoContext);
    const auto from = teacher->tap_info("latent");
    const auto to = student->tap_info("latent");
    double bias = 0;
    constexpr int64_t kFirst = 1000, kCount = 64;
    for (int64_t at = kFirst; at < kFirst + kCount; at += 4) {
      const auto frames = touched(*teacher, at).at("latent");
      const auto moved = Regridder({1, {0, 1}, from.hop_seconds, from.first_centre_seconds},
                                   {1, {0, 1}, to.hop_seconds, to.first_centre_seconds})(
                             frames.view({1, 1, -1, 1}), student->tap_frames(kSamples))
                             .flatten();
      double mass = 0, moment = 0;
      for (int64_t t = 0; t < moved.size(0); ++t) {
        mass += moved[t].item<double>();
        moment += moved[t].item<double>() * centre(to, t);
      }
      const double error = moment / mass - static_cast<double>(at);
      const double hops = 0.5 * static_cast<double>(framing.hop + GetParam().hop);
      EXPECT_LE(std::abs(error), hops) << framing.label << ", impulse at " << at;
      bias += error * 4 / kCount;
    }
    EXPECT_LT(std::abs(bias), 2) << framing.label;  // samples: no shift on average
  }
}

TEST_P(TapsOf, ARampIsAsHighInBothNetworks) {
  // The magnitude of a carrier that grows in proportion to time is its value at a frame's centre.
  const auto ramp_of = [](const Framing& framing) {
    const auto model = model_of(framing.stft() + kNoContext);
    const auto& stft = dynamic_cast<const nn::DenoisingAutoencoder&>(*model).stft();
    const auto time = at::arange(kSamples, torch::kDouble);
    const double turn = 2 * M_PI * 0.25;  // a quarter of the rate, in the middle of a bin
    const auto signal = (time * at::cos(time * turn)).to(torch::kFloat).unsqueeze(0);
    const auto level = (at::cos(time * turn)).to(torch::kFloat).unsqueeze(0);
    const auto at_carrier = [&](const at::Tensor& x) {
      return stft->forward(x).abs().select(2, framing.window / 4);
    };
    const auto unit = at_carrier(level)[0][stft->options().frames(kSamples) / 2];
    return std::pair((at_carrier(signal) / unit).view({1, 1, -1, 1}), model->tap_info("stem"));
  };
  auto [ramp, info] = ramp_of(GetParam());
  info.band_edges_hz = {0, 8000};
  const int64_t skip = 8;  // windows that the ends cut
  for (int64_t t = skip; t < ramp.size(2) - skip; ++t)
    EXPECT_NEAR(ramp[0][0][t][0].item<double>(), centre(info, t), 3) << t;
  for (const Framing& framing : kFramings) {
    auto [other, other_info] = ramp_of(framing);
    other_info.band_edges_hz = {0, 8000};
    const auto difference = (Regridder(info, other_info)(ramp, other.size(2)) - other)
                                .narrow(2, 2 * skip, other.size(2) - 4 * skip);
    EXPECT_LE(difference.abs().max().item<double>(), 0.5 * static_cast<double>(GetParam().hop) + 3)
        << framing.label;
    EXPECT_LT(std::abs(difference.mean().item<double>()), 2) << framing.label;
  }
}

INSTANTIATE_TEST_SUITE_P(Framings, TapsOf, testing::ValuesIn(kFramings),
                         [](const auto& instance) { return instance.param.label; });

// Frequency.

const char* const kFine =
    "stft: {window_samples: 512, hop_samples: 256, fft_samples: 512}\nfeatures: magnitude\n"
    "stem: {channels: 6, stride: 1, kernel_freq: 1}\nencoder: [{channels: 5, stride: 2}]\n";
const char* const kMerged = "bands: {kept: 32, merged: 32}\n";

/// The bin of the stem that holds most of a tone.
int64_t loudest(nn::DenoisingModel& model, double hz, at::Tensor* energy = nullptr) {
  at::NoGradGuard no_grad;
  const auto time = at::arange(8192, torch::kDouble) / kRate;
  const auto tone = (0.5 * at::sin(time * (2 * M_PI * hz))).to(torch::kFloat).unsqueeze(0);
  const auto stem = model.taps(tone, {"stem"}).at("stem").narrow(2, 4, 24);
  const auto sums = stem.square().sum({0, 1, 2});
  if (energy) *energy = sums;
  return sums.argmax().item<int64_t>();
}

TEST(Bands, AToneIsLoudestInTheBandWhoseEdgesHoldIt) {
  for (const std::string bands : {"", kMerged}) {
    const auto model = model_of(kFine + bands);
    const auto edges = model->tap_info("stem").band_edges_hz;
    const auto count = static_cast<int64_t>(edges.size()) - 1;
    for (int64_t band = 3; band < count - 1; band += 5) {
      const auto b = static_cast<size_t>(band);
      const double hz = 0.5 * (edges[b] + edges[b + 1]);
      EXPECT_EQ(loudest(*model, hz), band) << hz << " Hz, bands '" << bands << "'";
    }
  }
}

/// The mean over each band of a piecewise-constant function, by summing over thin slices.
std::vector<double> by_slices(const std::vector<double>& values, const std::vector<double>& from,
                              const std::vector<double>& to) {
  constexpr double kSlice = 0.0625;
  std::vector<double> sums(to.size() - 1, 0), counts(to.size() - 1, 0);
  size_t i = 0, j = 0;
  for (double hz = std::max(from.front(), to.front()) + kSlice / 2;
       hz < from.back() && hz < to.back(); hz += kSlice) {
    while (hz >= from[i + 1]) ++i;
    while (hz >= to[j + 1]) ++j;
    sums[j] += values[i];
    counts[j] += 1;
  }
  for (size_t k = 0; k < sums.size(); ++k) sums[k] /= counts[k];
  return sums;
}

TEST(Bands, LinearAndMergedGridsMeetAtTheSameFrequencies) {
  const auto linear = model_of(kFine);
  const auto merged = model_of(std::string(kFine) + kMerged);
  for (const auto& [teacher, student] : {std::pair(linear, merged), std::pair(merged, linear)}) {
    for (const auto& [t, s] : {std::pair("latent", "latent"), std::pair("stem", "encoder.0")}) {
      const auto from = teacher->tap_info(t);
      const auto to = student->tap_info(s);
      const auto x = normal({1, 1, 1, from.bins()}, 81).abs();
      const auto y = Regridder(from, to)(x, 1).flatten().to(torch::kDouble);
      ASSERT_EQ(y.size(0), to.bins());
      const auto flat = x.flatten().to(torch::kDouble).contiguous();
      const std::vector<double> values(flat.data_ptr<double>(),
                                       flat.data_ptr<double>() + flat.numel());
      const auto expected = by_slices(values, from.band_edges_hz, to.band_edges_hz);
      for (size_t k = 0; k < expected.size(); ++k)
        EXPECT_NEAR(y[static_cast<int64_t>(k)].item<double>(), expected[k], 0.01) << k;
    }
  }
}

TEST(Bands, AToneStaysInPlaceOnTheOtherGrid) {
  const auto linear = model_of(kFine);
  const auto merged = model_of(std::string(kFine) + kMerged);
  const auto from = merged->tap_info("stem");
  const auto to = linear->tap_info("stem");
  for (const double hz : {500.0, 1250.0, 3000.0, 6000.0}) {
    at::Tensor energy;
    const auto band = static_cast<size_t>(loudest(*merged, hz, &energy));
    const auto moved = Regridder(from, to)(energy.view({1, 1, 1, -1}), 1).flatten();
    const auto bin = static_cast<size_t>(moved.argmax().item<int64_t>());
    // Within the band that it came from, or at the edge that they share.
    EXPECT_GE(to.band_edges_hz[bin + 1], from.band_edges_hz[band]) << hz;
    EXPECT_LE(to.band_edges_hz[bin], from.band_edges_hz[band + 1]) << hz;
    EXPECT_LE(std::abs(hz - 0.5 * (to.band_edges_hz[bin] + to.band_edges_hz[bin + 1])),
              from.band_edges_hz[band + 1] - from.band_edges_hz[band])
        << hz;
  }
}

// Strides.

struct Strided {
  const char* label;
  const char* yaml;
};

const Strided kStrided[] = {
    {"fine",
     "stft: {window_samples: 512, hop_samples: 256, fft_samples: 512}\n"
     "stem: {channels: 2, stride: 2, kernel_freq: 5}\nencoder: [{channels: 3, stride: 2}]"},
    {"coarse",
     "stft: {window_samples: 512, hop_samples: 256, fft_samples: 512}\n"
     "stem: {channels: 2, stride: 4, kernel_freq: 7}\n"
     "encoder: [{channels: 3, stride: 2}, {channels: 2, stride: 2, kernel_freq: 5}]"},
    {"short",
     "stft: {window_samples: 256, hop_samples: 128, fft_samples: 256}\n"
     "stem: {channels: 2, stride: 1, kernel_freq: 3}\nencoder: [{channels: 3, stride: 2}]"},
    {"stretched",
     "stft: {window_samples: 320, hop_samples: 160, fft_samples: 640}\n"
     "stem: {channels: 2, stride: 4, kernel_freq: 5}\n"
     "encoder: [{channels: 3, stride: 2, blocks: 2, kernel_freq: 5}]"}};

/// Kernels that give the mean of what is under them: a tone lies where a network's grid puts it.
std::shared_ptr<nn::DenoisingModel> averaging(const Strided& strided) {
  auto model = model_of(std::string(strided.yaml) +
                        "\nfeatures: magnitude\ncompression: 1\nnorm: none\nactivation: prelu");
  at::NoGradGuard no_grad;
  for (auto& item : model->named_parameters()) {
    at::Tensor value = item.value();
    if (value.dim() == 4) value.fill_(1.0 / static_cast<double>(value.numel() / value.size(0)));
    if (item.key().ends_with("bias")) value.zero_();
  }
  return model;
}

/// [1, 1, 1, F], the energy of a tap's cells when a tone sounds.
at::Tensor cells_of(nn::DenoisingModel& model, const std::string& tap, double hz) {
  at::NoGradGuard no_grad;
  const auto time = at::arange(4096, torch::kDouble) / kRate;
  const auto tone = at::sin(time * (2 * M_PI * hz)).to(torch::kFloat).unsqueeze(0);
  const auto value = model.taps(tone, {tap}).at(tap);
  // Squares, of which the tails of a window's transform have hardly any.
  return value.narrow(2, 4, 8).square().mean(at::IntArrayRef{1, 2}, true);
}

double centre_hz(const at::Tensor& cells, const nn::TapInfo& info) {
  double mass = 0, moment = 0;
  for (int64_t f = 0; f < info.bins(); ++f) {
    const auto i = static_cast<size_t>(f);
    const double value = cells.flatten()[f].item<double>();
    mass += value;
    moment += value * 0.5 * (info.band_edges_hz[i] + info.band_edges_hz[i + 1]);
  }
  return moment / mass;
}

double cell_hz(const nn::TapInfo& info) { return info.band_edges_hz[1] - info.band_edges_hz[0]; }

/// Over a whole number of cells of every grid.
constexpr double kLowest = 1000, kHighest = 3000, kStep = 20;

void PrintTo(const Strided& strided, std::ostream* out) { *out << strided.label; }

class StridedTaps : public testing::TestWithParam<Strided> {};

TEST_P(StridedTaps, AToneIsInTheCellsThatStandAroundIt) {
  const auto model = averaging(GetParam());
  for (const char* tap : {"stem", "encoder.0", "latent"}) {
    const auto info = model->tap_info(tap);
    double bias = 0;
    for (double hz = kLowest; hz < kHighest; hz += kStep) {
      const double error = centre_hz(cells_of(*model, tap, hz), info) - hz;
      EXPECT_LT(std::abs(error), cell_hz(info)) << tap << ", " << hz << " Hz";
      bias += error * kStep / (kHighest - kLowest);
    }
    EXPECT_LT(std::abs(bias), 0.05 * cell_hz(info)) << tap;
  }
}

TEST_P(StridedTaps, AToneStaysInPlaceOnTheGridOfAnyOtherNetwork) {
  const auto teacher = averaging(GetParam());
  const auto from = teacher->tap_info("latent");
  for (const Strided& other : kStrided) {
    const auto student = averaging(other);
    const auto to = student->tap_info("latent");
    const double cell = std::max(cell_hz(from), cell_hz(to));
    Regridder to_student(from, to);
    double bias = 0;
    for (double hz = kLowest; hz < kHighest; hz += kStep) {
      const auto moved = to_student(cells_of(*teacher, "latent", hz), 1);
      const double apart = centre_hz(moved, to) - centre_hz(cells_of(*student, "latent", hz), to);
      EXPECT_LT(std::abs(apart), cell) << other.label << ", " << hz << " Hz";
      bias += apart * kStep / (kHighest - kLowest);
    }
    EXPECT_LT(std::abs(bias), 0.05 * cell) << other.label;
  }
}

INSTANTIATE_TEST_SUITE_P(Grids, StridedTaps, testing::ValuesIn(kStrided),
                         [](const auto& instance) { return instance.param.label; });

}  // namespace
}  // namespace limbeck::test
