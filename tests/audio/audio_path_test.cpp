#include "limbeck/audio/audio_path.h"

#include <gtest/gtest.h>

namespace limbeck {
namespace {

TEST(AudioPath, GoesByTheExtensionInAnyCase) {
  EXPECT_EQ(lower_extension("a.b/x.FlaC"), ".flac");
  EXPECT_EQ(lower_extension("wav"), "");
  for (const char* name : {"x.wav", "x.WAV", "d/x.Flac", "x.ogg", "x.Ogg", "x.mp3", "x.opus",
                           "x.aif", "x.AIFF", "x.w64", "x.caf", "x.sph", "x.NIST", "x.voc", "x.snd",
                           "x.wave", "x.bwf", "x.mp2", "x.htk"}) {
    EXPECT_TRUE(is_audio_path(name)) << name;
    EXPECT_FALSE(is_unread_audio_path(name)) << name;
  }
  for (const char* name : {"wav", "x.txt", "x.wav.txt", "x.m4a", "x.mat", "x.mpc"}) {
    EXPECT_FALSE(is_audio_path(name)) << name;
  }
  for (const char* name : {"x.ogg", "x.OGG", "x.Ogg", "x.Mp3", "x.mp2", "x.opus"}) {
    EXPECT_TRUE(is_lossy_path(name)) << name;
  }
  EXPECT_FALSE(is_lossy_path("x.wav"));
  EXPECT_TRUE(is_unread_audio_path("x.M4A"));
  EXPECT_FALSE(is_unread_audio_path("x.txt"));
}

}  // namespace
}  // namespace limbeck
