#include "limbeck/core/place.h"

#include <gmock/gmock.h>

#include "core/failing_folder.h"
#include "core/scratch.h"
#include "limbeck/core/error.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::Scratch;

TEST(Place, KeepsTheNameOfALink) {
  const Scratch dir;
  dir.put("store/5f3a", "");
  fs::create_directory_symlink("store", dir / "set");
  fs::create_symlink("5f3a", dir / "store/a.wav");
  EXPECT_EQ(place_of(dir / "set/a.wav"), fs::canonical(dir / "store") / "a.wav");
  EXPECT_EQ(path_from(fs::canonical(dir.path()), dir / "set/../set/a.wav"), "store/a.wav");
  EXPECT_EQ(path_from("/elsewhere", dir / "set/a.wav"),
            (fs::canonical(dir / "store") / "a.wav").string());
  EXPECT_EQ(folder_name(dir / "set"), "set");
  EXPECT_EQ(folder_name(dir / "set/"), "set");
  EXPECT_EQ(folder_name(dir / "set/."), "store");
  EXPECT_EQ(folder_name("."), fs::current_path().filename());
}

TEST(Place, IsLookedAtBeforeAFileIsMade) {
  const Scratch dir;
  dir.put("file", "");
  fs::create_directory(dir / "folder");
  const auto at = [&](const char* name) { return (dir / name).string(); };
  EXPECT_NO_THROW(require_writable(dir / "file"));
  EXPECT_NO_THROW(require_writable(dir / "new/and/newer.csv"));
  EXPECT_NO_THROW(require_writable("/dev/stdout"));
  EXPECT_FALSE(fs::exists(dir / "new"));
  EXPECT_EQ(error_of<DataError>([&] { require_writable(dir / "folder"); }),
            at("folder") + ": is a folder");
  const std::string below = error_of<DataError>([&] { require_writable(dir / "file/a/b.csv"); });
  EXPECT_TRUE(below.starts_with(at("file/a/b.csv") + ": cannot be written: ")) << below;
  EXPECT_TRUE(below.ends_with("file: Not a directory")) << below;
  fs::permissions(dir.path(), fs::perms(0755));
  const test::ReadOnly locked({dir / "folder"});
  EXPECT_EQ(error_of<DataError>([&] { require_writable(dir / "folder/x.csv"); }),
            at("folder/x.csv") + ": cannot be written: " + fs::canonical(dir / "folder").string() +
                ": Permission denied");
}

TEST(Place, SaysWhatAFileSystemRefuses) {
  const Scratch dir;
  dir.put("file", "");
  fs::create_symlink("loop", dir / "loop");
  const auto at = [&](const char* name) { return (dir / name).string(); };
  EXPECT_EQ(error_of<DataError>([&] { make_folder(dir / "file/below"); }),
            at("file/below") + ": Not a directory");
  EXPECT_EQ(error_of<DataError>([&] { place_of(dir / "loop/a.wav"); }),
            at("loop") + ": Too many levels of symbolic links");
  EXPECT_EQ(error_of<DataError>([&] { require_folder(dir / "loop"); }),
            at("loop") + ": Too many levels of symbolic links");
  EXPECT_EQ(error_of<DataError>([&] { require_folder(dir / "file"); }),
            at("file") + ": is not a folder");
  EXPECT_EQ(error_of<DataError>([&] { require_folder(dir / "none"); }),
            at("none") + ": does not exist");
  EXPECT_FALSE(is_folder(dir / "loop"));
  make_folder("");
  make_folder(dir / "a/b");
  EXPECT_TRUE(is_folder(dir / "a/b"));
}

}  // namespace
}  // namespace limbeck
