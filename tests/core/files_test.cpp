#include "limbeck/core/files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>

#include "core/full_disk.h"
#include "core/memory_limit.h"
#include "core/scratch.h"
#include "limbeck/core/error.h"
#include "limbeck/core/log.h"

namespace {
int flock_error = 0;  ///< what flock() fails with; 0: it works
}

/// Takes the place of the C library's flock(): file systems without locks are hard to come by.
extern "C" int made_flock(int descriptor, int operation) noexcept __asm__("flock");
int made_flock(int descriptor, int operation) noexcept {
  if (flock_error == 0) return static_cast<int>(::syscall(SYS_flock, descriptor, operation));
  errno = flock_error;
  return -1;
}

namespace limbeck {
namespace {

using test::error_of;
using test::message_on_full_disk;
using test::Scratch;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
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
            scratch.path().string() + ": cannot be read: Is a directory");
  EXPECT_EQ(read_file("/proc/self/comm").empty(), false);  // of size 0, as it says
}

// Opening a pipe that nobody writes to would wait for ever.
TEST(ReadFile, RefusesPipesAndDevices) {
  const Scratch scratch;
  ASSERT_EQ(::mkfifo((scratch / "pipe.csv").c_str(), 0600), 0);
  std::filesystem::create_symlink("/dev/zero", scratch / "zero.csv");
  for (const char* name : {"pipe.csv", "zero.csv"}) {
    const std::string path = (scratch / name).string();
    const std::string refusal = path + ": is a pipe or a device, not a file";
    EXPECT_EQ(error_of<DataError>([&] { read_file(path); }), refusal);
    EXPECT_EQ(error_of<DataError>([&] { MappedFile file(path); }), refusal);
  }
}

TEST(ReadFile, TakesAPipeThatItWasHanded) {
  const Scratch scratch;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], "text", 4), 4);
  ::close(ends[1]);
  EXPECT_EQ(read_file("/dev/fd/" + std::to_string(ends[0])), "text");
  ::close(ends[0]);
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
  const Scratch scratch;
  scratch.put("f", "old");
  for (const size_t size : {size_t{1001}, size_t{1} << 20}) {
    EXPECT_EQ(message_on_full_disk(
                  1000, [&] { write_file_atomically(scratch / "f", std::string(size, 'x')); }),
              (scratch / "f").string() + ": cannot be written: File too large");
  }
  EXPECT_EQ(read_file(scratch / "f"), "old");
  EXPECT_THAT(scratch.names(), ElementsAre("f"));
}

TEST(WriteFileAtomically, ReplacesWhatALinkLeadsTo) {
  const Scratch scratch;
  scratch.put("there/f", "old");
  std::filesystem::create_symlink("there/f", scratch / "link");
  std::filesystem::create_symlink(scratch / "link", scratch / "chain");
  std::filesystem::create_symlink("there/new", scratch / "dangling");
  write_file_atomically(scratch / "chain", "new");
  write_file_atomically(scratch / "dangling", "first");
  EXPECT_EQ(read_file(scratch / "there/f"), "new");
  EXPECT_EQ(read_file(scratch / "there/new"), "first");
  for (const char* link : {"link", "chain", "dangling"}) {
    EXPECT_TRUE(std::filesystem::is_symlink(scratch / link)) << link;
  }
  EXPECT_THAT(scratch.names(), ElementsAre("chain", "dangling", "link", "there"));

  std::filesystem::create_symlink("ring", scratch / "ring");
  EXPECT_EQ(error_of<DataError>([&] { write_file_atomically(scratch / "ring", "x"); }),
            (scratch / "ring").string() + ": is a ring of symbolic links");
}

TEST(WriteFileAtomically, WritesToDevicesAndPipes) {
  const Scratch scratch;
  write_file_atomically("/dev/null", "nothing");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  if (::access("/dev/full", W_OK) == 0) {
    EXPECT_EQ(error_of<DataError>([] { write_file_atomically("/dev/full", "x"); }),
              "/dev/full: cannot be written: No space left on device");
    EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
  }
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  std::filesystem::create_symlink("/proc/self/fd/" + std::to_string(ends[1]), scratch / "out");
  write_file_atomically(scratch / "out", "text");
  char text[4] = "";
  ASSERT_EQ(::read(ends[0], text, 4), 4);
  EXPECT_EQ(std::string(text, 4), "text");
  EXPECT_TRUE(std::filesystem::is_symlink(scratch / "out"));
  ::close(ends[0]);
  ::close(ends[1]);
  // What a shell redirects to a file that is appended to (>>) keeps what it held.
  const int file = ::open(scratch.put("kept", "old ").c_str(), O_WRONLY | O_APPEND);
  write_file_atomically("/proc/self/fd/" + std::to_string(file), "new");
  EXPECT_EQ(read_file(scratch / "kept"), "old new");
  ::close(file);
}

// Standard output is a socket where some programs start others; nobody can open that anew.
TEST(WriteFileAtomically, WritesToWhatIsOpenAlready) {
  const Scratch scratch;
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  for (const char* folder : {"/proc/self/fd/", "/dev/fd/"}) {
    write_file_atomically(folder + std::to_string(ends[1]), "text");
    char text[4] = "";
    ASSERT_EQ(::read(ends[0], text, 4), 4);
    EXPECT_EQ(std::string(text, 4), "text");
    EXPECT_TRUE(is_stream(folder + std::to_string(ends[1])));
  }
  ::close(ends[0]);
  ::close(ends[1]);

  const int file = ::open(scratch.put("f", "").c_str(), O_WRONLY);
  ASSERT_EQ(::write(file, "before ", 7), 7);
  std::filesystem::create_symlink("/dev/fd/" + std::to_string(file), scratch / "out");
  write_file_atomically(scratch / "out", "it ");
  ASSERT_EQ(::write(file, "after", 5), 5);
  EXPECT_EQ(read_file(scratch / "f"), "before it after");
  EXPECT_TRUE(is_stream(scratch / "out"));
  EXPECT_FALSE(is_stream(scratch / "f"));
  ::close(file);
}

/// A name that a process which is gone gave; `mark` takes the place of this machine's mark if
/// given.
std::filesystem::path left_by_the_dead(const std::filesystem::path& path, std::string mark = "") {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  std::string name = temporary_sibling(path).string();
  const std::string own = "-" + std::to_string(::getpid()) + "-";
  const size_t at = name.find(own);
  if (!mark.empty()) name.replace(at - mark.size(), mark.size(), mark);
  return name.replace(at, own.size(), "-" + std::to_string(child) + "-");
}

TEST(TemporarySibling, IsHiddenAndNeverTheSame) {
  const Scratch scratch;
  const auto first = temporary_sibling(scratch / "f.wav");
  EXPECT_EQ(first.parent_path(), scratch.path());
  EXPECT_THAT(first.filename().string(), StartsWith(".f.wav."));
  EXPECT_EQ(first.extension(), ".tmp");
  EXPECT_NE(temporary_sibling(scratch / "f.wav"), first);
  EXPECT_EQ(temporary_sibling("f").parent_path(), "");
  // A name as long as a file system takes leaves room for nothing.
  const std::string longest(255, 'x');
  write_file_atomically(scratch / longest, "x");
  EXPECT_THAT(scratch.names(), ElementsAre(longest));
}

TEST(RemoveStaleSiblings, TakesOnlyWhatTheDeadLeft) {
  const Scratch scratch;
  const auto name_in = [&](const std::filesystem::path& path) { return path.filename().string(); };
  scratch.put(name_in(left_by_the_dead(scratch / "f")), "half");
  scratch.put(name_in(left_by_the_dead(scratch / "other")) + "/a/b", "half of a folder");
  const std::string living = name_in(temporary_sibling(scratch / "f"));
  const std::string abroad = name_in(left_by_the_dead(scratch / "f", "00000000"));
  const std::string old = name_in(left_by_the_dead(scratch / "f", "00000001"));
  for (const std::string& name : {living, abroad, old}) scratch.put(name, "half");
  std::filesystem::last_write_time(
      scratch / old, std::filesystem::file_time_type::clock::now() - std::chrono::hours(25));
  std::vector<std::string> kept = {abroad,  living,   "f",           "f.part",
                                   "f.tmp", ".f.tmp", ".f.12-34.tmp"};
  for (const std::string& name : kept) {
    if (name != abroad && name != living) scratch.put(name, "mine");
  }
  remove_stale_siblings(scratch / "f");
  EXPECT_THAT(scratch.names(), ::testing::UnorderedElementsAreArray(kept));
  EXPECT_NO_THROW(remove_stale_siblings(scratch / "none" / "f"));
}

TEST(OnDisk, NamesThePathAndTheReason) {
  const Scratch scratch;
  const std::string file = scratch.put("f", "x").string();
  EXPECT_EQ(error_of<DataError>([&] {
              on_disk([&] { std::filesystem::create_directories(scratch / "f" / "folder"); });
            }),
            file + "/folder: Not a directory");
  EXPECT_EQ(error_of<DataError>([&] {
              on_disk([&] { std::filesystem::rename(scratch / "none", scratch / "g"); });
            }),
            (scratch / "none").string() + " → " + (scratch / "g").string() +
                ": No such file or directory");
  EXPECT_EQ(on_disk([&] { return std::filesystem::file_size(file); }), 1U);
  // As iterators of folders do, once they are under way.
  const auto nameless = [] {
    throw std::filesystem::filesystem_error("cannot advance",
                                            std::make_error_code(std::errc::io_error));
  };
  EXPECT_EQ(error_of<DataError>([&] { on_disk(nameless, file); }), file + ": Input/output error");
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

TEST(HashFile, IsThatOfItsBytesOfAnySize) {
  const Scratch scratch;
  constexpr size_t kBlock = size_t{1} << 18;
  for (const size_t size : {size_t{0}, kBlock - 1, kBlock, kBlock + 1, 3 * kBlock + 77}) {
    std::string bytes(size, '\0');
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 2654435761U >> 13);
    EXPECT_EQ(hash_file(scratch.put("f", bytes)), hash_bytes(bytes.data(), size)) << size;
  }
  EXPECT_EQ(error_of<DataError>([&] { hash_file(scratch / "none"); }),
            (scratch / "none").string() + ": cannot be read: No such file or directory");
}

#ifdef LIMBECK_MEMORY_LIMITS
TEST(HashFile, TakesNoMemoryForTheFile) {
  const Scratch scratch;
  const auto path = scratch.put("f", "");
  constexpr size_t kSize = size_t{64} << 20;
  std::filesystem::resize_file(path, kSize);
  const std::string zeros(kSize, '\0');
  const std::string hash = hash_bytes(zeros.data(), kSize);
  EXPECT_EQ(message_on_full_disk(1 << 20,
                                 [&] {
                                   test::leave_memory(16 << 20);
                                   throw std::runtime_error(hash_file(path));
                                 }),
            hash);
}
#endif

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

TEST(DirectoryLock, RemovesWhatTheDeadLeft) {
  const Scratch scratch;
  scratch.put(left_by_the_dead(scratch / "config.yaml").filename().string(), "half");
  const DirectoryLock lock(scratch.path());
  EXPECT_THAT(scratch.names(), ElementsAre("lock"));
}

TEST(DirectoryLock, GoesOnWhereTheFileSystemHasNoLocks) {
  const Scratch scratch;
  for (const int reason : {ENOTSUP, ENOLCK, ENOSYS}) {
    flock_error = reason;
    Logger logger(Verbosity::quiet);
    logger.add_file(scratch / "log");
    const DirectoryLock first(scratch.path(), &logger);
    EXPECT_THAT(read_file(scratch / "log"),
                HasSubstr(scratch.path().string() +
                          "/lock: cannot be locked, as this file system has no locks (" +
                          std::strerror(reason)));
    EXPECT_NO_THROW(DirectoryLock second(scratch.path()));
  }
  flock_error = EIO;
  EXPECT_EQ(error_of<DataError>([&] { DirectoryLock lock(scratch.path()); }),
            scratch.path().string() + "/lock: cannot be locked: Input/output error");
  flock_error = 0;
}

TEST(DirectoryLock, NeedsTheFolder) {
  const Scratch scratch;
  EXPECT_THAT(error_of<DataError>([&] { DirectoryLock lock(scratch / "none"); }),
              StartsWith((scratch / "none" / "lock").string() + ": cannot be written: "));
}

}  // namespace
}  // namespace limbeck
