#include <gmock/gmock.h>
#include <sys/resource.h>

#include <fstream>

#include "core/full_disk.h"
#include "data/support.h"
#include "limbeck/audio/io.h"
#include "limbeck/core/error.h"

namespace limbeck {
namespace {

#if !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)  // which need more than they use

/// As much memory as this process has now, and so much more.
void leave_memory(rlim_t bytes) {
  rlim_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlimit limit{pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + bytes, RLIM_INFINITY};
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &limit), 0);
}

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
    leave_memory(100 << 20);
    try {
      read_audio(path);
    } catch (const DataError& e) {
      throw std::runtime_error(std::string("data: ") + e.what());
    }
  });
  EXPECT_EQ(message,
            "data: " + path.string() + ": lasts 1 h 00 min, which takes more memory than there is");
}

#endif

}  // namespace
}  // namespace limbeck
