// What must hold for any speech signal.

#include <algorithm>

#include "limbeck/audio/aligned_buffer.h"
#include "limbeck/audio/real_fft.h"
#include "limbeck/core/error.h"
#include "metric/composite.h"
#include "metric/pesq.h"
#include "metric/segmental_snr.h"
#include "metric/si_sdr.h"
#include "metric/stoi.h"
#include "metric/support.h"

namespace limbeck::metric::test {
namespace {

constexpr int kRate = 16000;

double wideband(const std::vector<float>& clean, const std::vector<float>& estimate) {
  return pesq_scores(clean, estimate, kRate, PesqMode::wideband).wideband->mos_lqo;
}

double narrowband(const std::vector<float>& clean, const std::vector<float>& estimate) {
  return pesq_scores(clean, estimate, kRate, PesqMode::narrowband).narrowband->mos_lqo;
}

TEST(MetricProperties, IdentityGivesTheMaximum) {
  const auto clean = synthetic_speech(3.0, kRate);
  const PesqScores pesq = pesq_scores(clean, clean, kRate, PesqMode::both);
  EXPECT_NEAR(pesq.wideband->raw, 4.5, 1e-6);
  EXPECT_NEAR(pesq.wideband->mos_lqo, 4.643888, 1e-5);
  EXPECT_NEAR(pesq.narrowband->mos_lqo, 4.548638, 1e-5);
  const StoiScores stoi = stoi_scores(clean, clean, kRate);
  EXPECT_NEAR(stoi.stoi, 1.0, 1e-6);
  EXPECT_NEAR(stoi.estoi, 1.0, 1e-6);
  EXPECT_NEAR(si_sdr(clean, clean), 156.54, 0.01);
  EXPECT_NEAR(segmental_snr(clean, clean, kRate), 35.0, 1e-9);
  const SpectralDistances distances = spectral_distances(clean, clean, kRate);
  EXPECT_NEAR(distances.llr, 0.0, 1e-9);
  EXPECT_NEAR(distances.wss, 0.0, 1e-9);
}

TEST(MetricProperties, BothModesAtOnceGiveTheSameScores) {
  const auto clean = synthetic_speech(3.0, kRate);
  const auto noisy = mixed(clean, 0.02f);
  const PesqScores both = pesq_scores(clean, noisy, kRate, PesqMode::both);
  EXPECT_EQ(both.wideband->mos_lqo, wideband(clean, noisy));
  EXPECT_EQ(both.narrowband->mos_lqo, narrowband(clean, noisy));
}

TEST(MetricProperties, GainDoesNotMatter) {
  const auto clean = synthetic_speech(3.0, kRate);
  const auto noisy = mixed(clean, 0.02f);
  for (const float gain : {0.01f, 0.3f, 7.0f}) {
    const auto other = scaled(noisy, gain);
    EXPECT_NEAR(wideband(clean, other), wideband(clean, noisy), 1e-3);
    EXPECT_NEAR(narrowband(clean, other), narrowband(clean, noisy), 1e-3);
    EXPECT_NEAR(si_sdr(clean, other), si_sdr(clean, noisy), 1e-4);
    const StoiScores a = stoi_scores(clean, noisy, kRate);
    const StoiScores b = stoi_scores(clean, other, kRate);
    EXPECT_NEAR(a.stoi, b.stoi, 1e-5);
    EXPECT_NEAR(a.estoi, b.estoi, 1e-5);
  }
}

TEST(MetricProperties, MoreNoiseScoresLower) {
  const auto clean = synthetic_speech(4.0, kRate);
  double previous_pesq = 5;
  double previous_stoi = 1.1;
  double previous_sdr = 200;
  for (const float level : {0.001f, 0.01f, 0.1f}) {
    const auto noisy = mixed(clean, level);
    EXPECT_LT(wideband(clean, noisy), previous_pesq);
    EXPECT_LT(stoi_scores(clean, noisy, kRate).stoi, previous_stoi);
    EXPECT_LT(si_sdr(clean, noisy), previous_sdr);
    previous_pesq = wideband(clean, noisy);
    previous_stoi = stoi_scores(clean, noisy, kRate).stoi;
    previous_sdr = si_sdr(clean, noisy);
  }
}

TEST(MetricProperties, PesqFindsADelayAndOthersDoNot) {
  const auto clean = synthetic_speech(4.0, kRate);
  const auto late = delayed(clean, 1000);
  EXPECT_GT(wideband(clean, late), 4.0);  // the end is cut off
  EXPECT_LT(stoi_scores(clean, late, kRate).stoi, 0.9);
  EXPECT_LT(si_sdr(clean, late), 0.0);
}

TEST(MetricProperties, PesqTakesDifferentLengths) {
  const auto clean = synthetic_speech(4.0, kRate);
  auto longer = clean;
  longer.resize(clean.size() + 5000, 0.0f);
  EXPECT_GT(wideband(clean, longer), 4.4);
  EXPECT_THROW(stoi_scores(clean, longer, kRate), DataError);
  EXPECT_THROW(si_sdr(clean, longer), DataError);
}

TEST(MetricProperties, SwappingChangesTheScore) {
  const auto clean = synthetic_speech(4.0, kRate);
  const auto noisy = mixed(clean, 0.05f);
  EXPECT_NE(wideband(clean, noisy), wideband(noisy, clean));
  EXPECT_NE(stoi_scores(clean, noisy, kRate).stoi, stoi_scores(noisy, clean, kRate).stoi);
}

TEST(MetricProperties, UselessSignalsAreNamed) {
  const auto clean = synthetic_speech(2.0, kRate);
  const std::vector<float> silent(clean.size(), 0.0f);
  const std::vector<float> brief(100, 0.1f);
  auto broken = clean;
  broken[77] = std::nanf("");
  for (const auto& [a, b] : {std::pair{clean, silent}, std::pair{silent, clean},
                             std::pair{brief, brief}, std::pair{clean, broken}}) {
    EXPECT_THROW(pesq_scores(a, b, kRate, PesqMode::both), DataError);
    EXPECT_THROW(stoi_scores(a, b, kRate), DataError);
    EXPECT_THROW(spectral_distances(a, b, kRate), DataError);
  }
  const std::vector<float> constant(clean.size(), 0.25f);
  for (const auto& [a, b] : {std::pair{clean, constant}, std::pair{constant, clean}}) {
    EXPECT_THROW(pesq_scores(a, b, kRate, PesqMode::both), DataError);
    EXPECT_THROW(stoi_scores(a, b, kRate), DataError);
  }
  EXPECT_THROW(pesq_scores(clean, clean, 8000, PesqMode::wideband), DataError);
  EXPECT_THROW(pesq_scores(clean, clean, 44100, PesqMode::narrowband), DataError);
  EXPECT_THROW(si_sdr({}, {}), DataError);
  try {
    si_sdr(clean, broken);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("sample 77 of the estimated"), std::string::npos);
  }
}

TEST(MetricStoi, CountsZeroWhereOnlyRoundingIsLeft) {
  // 30 frames at 10 kHz, one segment; the click lies in the last frame alone. All bands then rise
  // in the same way, so that nothing is left once the mean over the bands is taken out.
  const auto clean = white_noise(30 * 128 + 257, 0.1f, 5);
  std::vector<float> click(clean.size(), 0.0f);
  click[3900] = 0.5f;
  const StoiScores scores = stoi_scores(clean, click, 10000);
  EXPECT_NEAR(scores.estoi, 0.0, 1e-12);
  EXPECT_GT(std::abs(scores.stoi), 1e-4);
}

TEST(MetricComposite, RegressionGivesThePublishedValues) {
  const CompositeScores scores = composite_scores({0.681368, 49.671978}, 3.991727, 2.255732);
  EXPECT_NEAR(scores.signal, 3.3050, 5e-5);
  EXPECT_NEAR(scores.background, 2.6160, 5e-5);
  EXPECT_NEAR(scores.overall, 2.7133, 5e-5);
}

TEST(MetricFft, AgreesWithTheDefinition) {
  constexpr std::size_t kSize = 64;
  FloatBuffer signal(kSize);
  FloatBuffer spectrum(kSize);
  FloatBuffer scratch(kSize);
  Random random(3);
  for (float& x : signal) x = random.noise();
  const RealFft& fft = shared_real_fft(kSize);
  fft.forward(signal.data(), spectrum.data(), scratch.data());
  for (std::size_t k = 1; k < kSize / 2; ++k) {
    double re = 0;
    double im = 0;
    for (std::size_t n = 0; n < kSize; ++n) {
      const double phase = -2.0 * std::numbers::pi * static_cast<double>(k * n) / kSize;
      re += signal[n] * std::cos(phase);
      im += signal[n] * std::sin(phase);
    }
    EXPECT_NEAR(spectrum[2 * k], re, 1e-4);
    EXPECT_NEAR(spectrum[2 * k + 1], im, 1e-4);
  }
  fft.inverse(spectrum.data(), spectrum.data(), scratch.data());
  for (std::size_t n = 0; n < kSize; ++n) EXPECT_NEAR(spectrum[n] / kSize, signal[n], 1e-5);
}

}  // namespace
}  // namespace limbeck::metric::test
