#include "corpus/voicebank/zip_archive.h"

#include <gmock/gmock.h>

#include <thread>

#include "corpus/made_voicebank.h"
#include "limbeck/core/error.h"

namespace limbeck {
namespace {

using test::message_of;
using test::put_text;
using test::put_zip;
using test::TempDir;
using ::testing::HasSubstr;

TEST(ZipArchive, ListsAndReadsItsFiles) {
  TempDir dir;
  put_zip(dir / "a.zip", {{"folder/", ""}, {"folder/one.txt", "first"}, {"empty", ""}});
  const ZipArchive archive(dir / "a.zip");
  ASSERT_EQ(archive.members().size(), 2U);
  EXPECT_EQ(archive.members()[0].name, "folder/one.txt");
  EXPECT_EQ(archive.members()[0].size, 5U);
  EXPECT_EQ(archive.members()[0].crc, 0x9271ee57U);  // binascii.crc32(b"first")
  EXPECT_EQ(archive.read(archive.members()[0]), "first");
  EXPECT_EQ(archive.read(archive.members()[1]), "");
  EXPECT_EQ(archive.label(archive.members()[0]), (dir / "a.zip" / "folder/one.txt").string());
}

// As some programs name them: from the folder they were started in, or as Windows does.
TEST(ZipArchive, NamesItsFilesPlainly) {
  TempDir dir;
  put_zip(dir / "a.zip", {{"./", ""},
                          {"./folder/", ""},
                          {"./folder/one.wav", "1"},
                          {"folder\\two.wav", "2"},
                          {"folder\\", ""}});
  const ZipArchive archive(dir / "a.zip");
  ASSERT_EQ(archive.members().size(), 2U);
  EXPECT_EQ(archive.members()[0].name, "folder/one.wav");
  EXPECT_EQ(archive.members()[1].name, "folder/two.wav");
  EXPECT_EQ(archive.read(archive.members()[1]), "2");
}

TEST(ZipArchive, ServesManyThreads) {
  TempDir dir;
  test::Members members;
  for (int i = 0; i < 40; ++i) {
    members.emplace_back("m" + std::to_string(i),
                         std::string(200000, static_cast<char>('a' + i % 26)));
  }
  put_zip(dir / "a.zip", members);
  const ZipArchive archive(dir / "a.zip");
  std::vector<int> right(8);
  {
    std::vector<std::jthread> pool;
    for (size_t t = 0; t < right.size(); ++t) {
      pool.emplace_back([&, t] {
        for (size_t i = 0; i < members.size(); ++i) {
          const size_t at = (i + 5 * t) % members.size();
          right[t] += archive.read(archive.members()[at]) == members[at].second;
        }
      });
    }
  }
  EXPECT_THAT(right, ::testing::Each(40));
}

TEST(ZipArchive, NamesWhatIsBroken) {
  TempDir dir;
  const auto failure = [&](const std::string& name) {
    return message_of<DataError>([&] {
      const ZipArchive archive(dir / name);
      for (const auto& member : archive.members()) archive.read(member);
    });
  };
  const std::string random(50000, 'x');
  std::string noise;
  for (int i = 0; i < 50000; ++i) noise += static_cast<char>((i * 7919 >> 3) % 251);
  put_zip(dir / "good.zip", {{"a/b.wav", noise}, {"c.wav", random}});
  EXPECT_THAT(failure("none.zip"), HasSubstr("none.zip: cannot be read as a zip file: "));
  put_text(dir / "text.zip", "these are words");
  EXPECT_THAT(failure("text.zip"), HasSubstr("text.zip: cannot be read as a zip file: "));

  const std::string good = read_file(dir / "good.zip");
  put_text(dir / "cut.zip", good.substr(0, good.size() / 2));
  EXPECT_THAT(failure("cut.zip"), HasSubstr("cut.zip: cannot be read as a zip file: "));
  std::string flipped = good;
  flipped[1000] = static_cast<char>(flipped[1000] ^ 0x10);
  put_text(dir / "flipped.zip", flipped);
  EXPECT_THAT(failure("flipped.zip"), HasSubstr("flipped.zip/a/b.wav: cannot be unpacked: "));
}

}  // namespace
}  // namespace limbeck
