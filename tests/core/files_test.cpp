#include "limbeck/core/files.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <optional>
#include <thread>

#include "core/scratch.h"
#include "limbeck/core/error.h"

namespace limbeck {
namespace {

using test::error_of;
using test::Scratch;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(ReadFile, GivesTheBytes) {
  const Scratch scratch;
  const std::string bytes("a\0\r\n\xFF", 5);
  EXPECT_EQ(read_file(scratch.put("f", bytes)), bytes);
  EXPECT_EQ(read_file(scratch.put("empty", "")), "");
}

TEST(ReadFile, NamesWhatItCannotRead) {
  const Scratch scratch;
  const std::string missing = (scratch / "missing").string();
  EXPECT_EQ(error_of<DataError>([&] { read_file(missing); }),
            missing + ": cannot be read: No such file or directory");
  EXPECT_EQ(error_of<DataError>([&] { read_file(scratch.path()); }),
            scratch.path().string() + ": cannot be read: is a directory");
}

TEST(MappedFile, HoldsTheBytesEvenWhenAnotherTookItsPlace) {
  const Scratch scratch;
  const std::string bytes("a\0\r\n\xFF", 5);
  const MappedFile mapped(scratch.put("f", bytes));
  EXPECT_EQ(mapped.bytes(), bytes);
  write_file_atomically(scratch / "f", "other");
  EXPECT_EQ(mapped.bytes(), bytes);
  EXPECT_EQ(MappedFile(scratch.put("empty", "")).bytes(), "");
  const std::string missing = (scratch / "missing").string();
  EXPECT_EQ(error_of<DataError>([&] { MappedFile file(missing); }),
            missing + ": cannot be read: No such file or directory");
  EXPECT_THAT(error_of<DataError>([&] { MappedFile file(scratch.path()); }),
              StartsWith(scratch.path().string() + ": cannot be read: "));
}

TEST(WriteFileAtomically, ReplacesTheContents) {
  const Scratch scratch;
  write_file_atomically(scratch / "f", "old and long");
  write_file_atomically(scratch / "f", std::string("new\0", 4));
  EXPECT_EQ(read_file(scratch / "f"), std::string("new\0", 4));
  EXPECT_THAT(scratch.names(), ElementsAre("f"));
}

TEST(WriteFileAtomically, NeverShowsHalfOfAFile) {
  const Scratch scratch;
  const size_t size = 1 << 20;
  write_file_atomically(scratch / "f", std::string(size, 'a'));
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < 40; ++i)
      write_file_atomically(scratch / "f", std::string(size, i % 2 ? 'a' : 'b'));
    done = true;
  });
  int reads = 0;
  size_t mixed = 0;
  while (!done || reads == 0) {
    const std::string seen = read_file(scratch / "f");
    mixed += seen.size() != size || seen.find_first_not_of(seen[0]) != std::string::npos;
    ++reads;
  }
  writer.join();
  EXPECT_EQ(mixed, 0U) << "of " << reads << " reads";
}

TEST(WriteFileAtomically, FailingToRenameLeavesNothingBehind) {
  const Scratch scratch;
  scratch.put("target/kept", "old");
  const std::string target = (scratch / "target").string();
  const std::string message = error_of<DataError>([&] { write_file_atomically(target, "new"); });
  EXPECT_EQ(message, target + ": cannot be written: Is a directory");
  EXPECT_THAT(scratch.names(), ElementsAre("target"));
  EXPECT_EQ(read_file(scratch / "target/kept"), "old");
}

TEST(WriteFileAtomically, FailingToWriteKeepsTheOldContents) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full";
  const Scratch scratch;
  scratch.put("f", "old");
  // The temporary file's name is taken by a link to a device that is always full.
  const std::string temporary = "f." + std::to_string(::getpid()) + ".tmp";
  std::filesystem::create_symlink("/dev/full", scratch / temporary);
  const std::string message =
      error_of<DataError>([&] { write_file_atomically(scratch / "f", std::string(1 << 20, 'x')); });
  EXPECT_EQ(message, (scratch / "f").string() + ": cannot be written: No space left on device");
  EXPECT_EQ(read_file(scratch / "f"), "old");
  EXPECT_THAT(scratch.names(), ElementsAre("f"));
}

TEST(WriteFileAtomically, NeedsTheFolder) {
  const Scratch scratch;
  const std::string path = (scratch / "no/such/f").string();
  EXPECT_EQ(error_of<DataError>([&] { write_file_atomically(path, "x"); }),
            path + ": cannot be written: No such file or directory");
  EXPECT_THAT(scratch.names(), IsEmpty());
}

TEST(SyncPath, TakesFilesAndFolders) {
  const Scratch scratch;
  EXPECT_NO_THROW(sync_path(scratch.put("f", "x")));
  EXPECT_NO_THROW(sync_path(scratch.path()));
  EXPECT_THAT(
      error_of<DataError>([&] { sync_path(scratch / "none"); }),
      StartsWith((scratch / "none").string() + ": cannot be flushed to disk: No such file"));
}

TEST(HashBytes, IsXxh3) {
  EXPECT_EQ(hash_bytes("", 0),
            "99aa06d3014798d86001c324468d497f");  // from xxHash's own test vectors
  EXPECT_NE(hash_bytes("a", 1), hash_bytes("b", 1));
  const Scratch scratch;
  const std::string bytes("limbeck\0\n", 9);
  EXPECT_EQ(hash_file(scratch.put("f", bytes)), hash_bytes(bytes.data(), bytes.size()));
}

TEST(GlobPaths, SortsItsMatches) {
  const Scratch scratch;
  for (const char* name : {"cosine-s2", "cosine-s10", "none-s1", "cosine-s1"})
    scratch.put(name, "");
  std::vector<std::string> names;
  for (const auto& path : glob_paths((scratch / "cosine-s*").string()))
    names.push_back(path.filename());
  EXPECT_THAT(names, ElementsAre("cosine-s1", "cosine-s10", "cosine-s2"));
  EXPECT_THAT(glob_paths((scratch / "x*").string()), IsEmpty());
}

TEST(DirectoryLock, ExcludesASecondHolder) {
  const Scratch scratch;
  std::optional<DirectoryLock> first(std::in_place, scratch.path());
  EXPECT_EQ(error_of<ConfigError>([&] { DirectoryLock second(scratch.path()); }),
            scratch.path().string() + ": another process is using this directory");
  first.reset();
  EXPECT_NO_THROW(DirectoryLock third(scratch.path()));
}

TEST(DirectoryLock, ExcludesAnotherProcessAndEndsWithIt) {
  const Scratch scratch;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const DirectoryLock held(scratch.path());
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    ::pause();  // killed, not ended: the lock must go all the same
    ::_exit(1);
  }
  ::close(ready[1]);
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1) << "the child could not lock";
  EXPECT_THROW(DirectoryLock second(scratch.path()), ConfigError);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  EXPECT_NO_THROW(DirectoryLock third(scratch.path()));
}

TEST(DirectoryLock, NeedsTheFolder) {
  const Scratch scratch;
  EXPECT_THAT(error_of<DataError>([&] { DirectoryLock lock(scratch / "none"); }),
              StartsWith((scratch / "none" / "lock").string() + ": cannot be written: "));
}

}  // namespace
}  // namespace limbeck
