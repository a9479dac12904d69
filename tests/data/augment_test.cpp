#include "limbeck/data/augment.h"

#include <gmock/gmock.h>

#include <set>

#include "limbeck/audio/mix.h"
#include "support.h"

namespace limbeck {
namespace {

using test::hash_of;
using test::sine;
using test::white;

/// Example i: a tone of its own under noise of its own; the third is short.
Batch made_batch(int64_t count = 6, int64_t samples = 8000) {
  std::vector<Example> examples;
  for (int64_t i = 0; i < count; ++i) {
    Example example;
    example.recipe.id = std::to_string(i);
    example.clean = sine(i == 2 ? samples / 2 : samples, 300.0 + 100 * static_cast<double>(i), 0.2);
    const auto noise = white(static_cast<int64_t>(example.clean.size()),
                             static_cast<uint64_t>(i) + 1, 0.05 + 0.01 * static_cast<double>(i));
    example.noisy = sum_of(example.clean, noise);
    examples.push_back(std::move(example));
  }
  return collate(std::move(examples), samples);
}

std::span<const float> row(const std::vector<float>& samples, const Batch& batch, size_t i) {
  return std::span(samples).subspan(i * static_cast<size_t>(batch.samples),
                                    static_cast<size_t>(batch.valid_samples[i]));
}

std::vector<float> noise_of(const Batch& batch, size_t i) {
  const auto clean = row(batch.clean, batch, i);
  std::vector<float> noise(clean.size());
  for (size_t k = 0; k < noise.size(); ++k) noise[k] = row(batch.noisy, batch, i)[k] - clean[k];
  return noise;
}

void expect_padding_silent(const Batch& batch) {
  for (size_t i = 0; i < batch.valid_samples.size(); ++i) {
    for (int64_t k = batch.valid_samples[i]; k < batch.samples; ++k) {
      const size_t at = i * static_cast<size_t>(batch.samples) + static_cast<size_t>(k);
      ASSERT_EQ(batch.noisy[at], 0);
      ASSERT_EQ(batch.clean[at], 0);
    }
  }
}

TEST(Augment, IsOffByDefault) {
  const Batch before = made_batch();
  Batch batch = before;
  for (uint64_t k = 0; k < 20; ++k) augment(batch, {}, 16000, SeedKey(k));
  EXPECT_EQ(batch.noisy, before.noisy);
  EXPECT_EQ(batch.clean, before.clean);
}

TEST(Augment, RemixGivesEveryNoiseToOneExample) {
  const Batch before = made_batch();
  std::set<std::string> orders;
  for (uint64_t k = 0; k < 30; ++k) {
    Batch batch = before;
    augment(batch, {.remix_probability = 1}, 16000, SeedKey(k));
    EXPECT_EQ(batch.clean, before.clean);
    expect_padding_silent(batch);
    std::string order;
    std::set<size_t> givers;
    for (size_t i = 0; i < 6; ++i) {
      const std::string& giver = batch.recipes[i].noise_of;
      const size_t from = giver.empty() ? i : std::stoul(giver);
      order += std::to_string(from);
      givers.insert(from);
      const auto wanted = noise_of(before, from);
      const auto noise = noise_of(batch, i);
      for (size_t s = 0; s < noise.size(); ++s) {
        ASSERT_NEAR(noise[s], s < wanted.size() ? wanted[s] : 0, 1e-6) << i << " from " << from;
      }
    }
    EXPECT_EQ(givers.size(), 6U);
    orders.insert(order);
  }
  EXPECT_GT(orders.size(), 25U);
}

TEST(Augment, BandMaskTakesABandOutOfBothSides) {
  const Batch before = made_batch(40);
  Batch batch = before;
  augment(batch, {.band_mask_probability = 1, .band_mask_width = 0.3}, 16000, SeedKey(4));
  expect_padding_silent(batch);
  std::set<double> lows;
  int tones_lost = 0;
  const auto mel = [](double hz) { return 2595 * std::log10(1 + hz / 700); };
  for (size_t i = 0; i < 40; ++i) {
    const Band band = batch.recipes[i].removed;
    lows.insert(band.low_hz);
    EXPECT_GT(band.high_hz, band.low_hz);
    EXPECT_LE(band.high_hz, 8000);
    EXPECT_LE(mel(band.high_hz) - mel(band.low_hz), 0.3 * mel(8000) + 1e-6);
    const double tone_hz = 300.0 + 100 * static_cast<double>(i);
    const bool within = tone_hz > band.low_hz + 100 && tone_hz < band.high_hz - 100;
    const bool outside = tone_hz < band.low_hz - 100 || tone_hz > band.high_hz + 100;
    const double change =
        level_dbfs(row(batch.clean, batch, i)) - level_dbfs(row(before.clean, before, i));
    if (within) {
      EXPECT_LT(change, -12) << i;  // what is left stands at the ends
    }
    if (outside) {
      EXPECT_NEAR(change, 0, 0.1) << i;
    }
    tones_lost += within;
    // The noise lost its share of the band, too.
    const double lost = (band.high_hz - band.low_hz) / 8000;
    EXPECT_NEAR(level_dbfs(noise_of(batch, i)) - level_dbfs(noise_of(before, i)),
                10 * std::log10(1 - lost), 0.3);
  }
  EXPECT_EQ(lows.size(), 40U);
  EXPECT_GT(tones_lost, 1);
}

TEST(Augment, FollowsItsProbabilities) {
  int remixed = 0;
  int masked = 0;
  for (uint64_t k = 0; k < 400; ++k) {
    Batch batch = made_batch(3, 64);
    augment(batch, {.remix_probability = 0.5, .band_mask_probability = 0.1}, 16000, SeedKey(k));
    remixed += hash_of(noise_of(batch, 0)) != hash_of(noise_of(made_batch(3, 64), 0)) &&
               !batch.recipes[0].noise_of.empty();
    for (const Recipe& recipe : batch.recipes) masked += recipe.removed.high_hz > 0;
  }
  EXPECT_NEAR(remixed, 400 * 0.5 * 2 / 3, 40);  // one of three keeps its own noise
  EXPECT_NEAR(masked, 120, 35);
}

TEST(Augment, IsAFunctionOfBatchAndKey) {
  const AugmentOptions options{.remix_probability = 0.7, .band_mask_probability = 0.5};
  std::set<std::string> results;
  for (uint64_t k = 0; k < 10; ++k) {
    Batch a = made_batch();
    Batch b = made_batch();
    augment(a, options, 16000, SeedKey(k));
    augment(b, options, 16000, SeedKey(k));
    EXPECT_EQ(a.noisy, b.noisy);
    EXPECT_EQ(a.clean, b.clean);
    results.insert(hash_of(a.noisy));
  }
  EXPECT_GT(results.size(), 8U);
}

TEST(Augment, NeverExceedsFullScale) {
  Batch batch = made_batch(2, 4000);
  for (float& x : batch.noisy) x *= 5;
  augment(batch, {.remix_probability = 1, .band_mask_probability = 1}, 16000, SeedKey(1));
  EXPECT_LE(peak_of(batch.noisy), 0.9901F);
}

}  // namespace
}  // namespace limbeck
