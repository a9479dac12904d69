#include "limbeck/audio/resample.h"

#include "../data/support.h"
#include "limbeck/core/error.h"

namespace limbeck {
namespace {

using test::sine;

TEST(Resample, SameRateIsTheIdentity) {
  const Waveform wave{test::white(1000, 3), 16000};
  EXPECT_EQ(resample(wave, 16000).samples, wave.samples);
}

TEST(Resample, LengthIsRoundedUp) {
  const Waveform wave{test::white(48001, 3), 48000};
  EXPECT_EQ(resample(wave, 16000).size(), 16001);
  EXPECT_EQ(resample(wave, 44100).size(), 44101);
  EXPECT_EQ(resample({{}, 48000}, 16000).size(), 0);
  EXPECT_EQ(resample({{0.5F}, 48000}, 16000).size(), 1);
}

TEST(Resample, KeepsATonePhaseAndLevel) {
  const Waveform low = resample({sine(48000, 1000, 0.5, 48000), 48000}, 16000);
  const std::vector<float> wanted = sine(16000, 1000, 0.5, 16000);
  for (size_t i = 1000; i < 15000; ++i) ASSERT_NEAR(low.samples[i], wanted[i], 1e-5) << i;
}

TEST(Resample, RemovesWhatTheLowerRateCannotHold) {
  const Waveform low = resample({sine(48000, 9000, 0.5, 48000), 48000}, 16000);
  for (size_t i = 1000; i < 15000; ++i) ASSERT_LT(std::abs(low.samples[i]), 1e-5) << i;
}

TEST(Resample, RefusesImpossibleRates) {
  EXPECT_EQ(test::message_of<DataError>([] { resample({{0.5F}, 16000}, 0); }),
            "cannot resample from 16000 Hz to 0 Hz");
  EXPECT_THROW(resample({{0.5F}, 0}, 16000), DataError);
}

}  // namespace
}  // namespace limbeck
