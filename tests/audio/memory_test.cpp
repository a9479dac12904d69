#include <gmock/gmock.h>

#include <new>

#include "core/full_disk.h"
#include "core/memory_limit.h"
#include "data/support.h"
#include "limbeck/audio/io.h"
#include "limbeck/audio/real_fft.h"
#include "limbeck/core/error.h"

namespace limbeck {
namespace {

#ifdef LIMBECK_MEMORY_LIMITS

TEST(Memory, AFileThatTakesMoreThanThereIsIsNamed) {
  const test::TempDir dir;
  const std::filesystem::path path = dir / "long.wav";
  test::put_audio(path, {0.5F, 0.25F});
  // An hour of zeros behind it, of which the file system keeps no blocks.
  std::string header = read_file(path).substr(0, 44);
  const uint32_t bytes = 3600U * 16000U * 2U;
  for (const auto& [at, value] : {std::pair(4, bytes + 36), std::pair(40, bytes)}) {
    for (int i = 0; i < 4; ++i) {
      header[static_cast<size_t>(at + i)] = static_cast<char>(value >> (8 * i));
    }
  }
  test::put_text(path, header);
  std::filesystem::resize_file(path, 44 + bytes);
  const std::string message = test::message_on_full_disk(1 << 20, [&] {  // in a child process
    test::leave_memory(100 << 20);
    try {
      read_audio(path);
    } catch (const DataError& e) {
      throw std::runtime_error(std::string("data: ") + e.what());
    }
  });
  EXPECT_EQ(message,
            "data: " + path.string() + ": lasts 1 h 00 min, which takes more memory than there is");
}

TEST(Memory, ATransformThatTakesMoreThanThereIsIsNoCrash) {
  EXPECT_EQ(test::message_on_full_disk(1 << 20,
                                       [] {
                                         test::leave_memory(16 << 20);
                                         RealFft(1 << 24);
                                       }),
            std::bad_alloc().what());
}

#endif

TEST(Memory, ATransformOfTooManySamplesIsRefused) {
  EXPECT_EQ(test::message_of<DataError>([] { RealFft(size_t{1} << 27); }),
            "a Fourier transform takes 67108864 samples at most, not 134217728");
}

}  // namespace
}  // namespace limbeck
