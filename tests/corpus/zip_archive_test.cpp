#include "corpus/voicebank/zip_archive.h"

#include <gmock/gmock.h>
#include <zip.h>

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

/// What is read of all members, one a line: its name and contents, or why it is not.
std::string all_of(const std::filesystem::path& path) {
  std::string text;
  const ZipArchive archive(path);
  for (const auto& member : archive.members()) {
    try {
      text += member.name + " = " + archive.read(member) + "\n";
    } catch (const DataError& e) {
      text += std::string(e.what()).substr((path / "").string().size()) + "\n";
    }
  }
  return text;
}

/// With other bytes in each header: at `place` of those in the directory, two before that in those
/// before the members.
std::string with_headers(std::string zip, size_t place, const std::string& bytes) {
  for (size_t at = 0; (at = zip.find("PK\x01\x02", at)) != std::string::npos; ++at) {
    zip.replace(at + place, bytes.size(), bytes);
  }
  for (size_t at = 0; (at = zip.find("PK\x03\x04", at)) != std::string::npos; ++at) {
    zip.replace(at + place - 2, bytes.size(), bytes);
  }
  return zip;
}
constexpr size_t kFlags = 8;
constexpr size_t kMethod = 10;
constexpr size_t kSize = 24;
constexpr size_t kName = 46;

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
                          {"folder\\", ""},
                          {"/abs/three.wav", "3"}});
  const ZipArchive archive(dir / "a.zip");
  ASSERT_EQ(archive.members().size(), 3U);
  EXPECT_EQ(archive.label(archive.members()[2]), (dir / "a.zip").string() + "//abs/three.wav");
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

TEST(ZipArchive, SaysWhatOfItCannotBeUnpacked) {
  TempDir dir;
  const auto path = dir / "a.zip";
  put_zip(path, {{"a.wav", "first"}});
  const std::string one = read_file(path);
  const auto answer = [&](const std::string& bytes) {
    put_text(path, bytes);
    return all_of(path);
  };
  EXPECT_EQ(answer(with_headers(one, kMethod, "b")),
            "a.wav: is compressed by method 98, which libzip cannot unpack here; unpack the "
            "archive by another program, and give the folder\n");
  EXPECT_EQ(answer(with_headers(one, kFlags, "\x01")),
            "a.wav: is encrypted; unpack the archive, and give the folder\n");
  std::string changed = one;
  changed[changed.find("first")] = 'F';
  EXPECT_EQ(answer(changed), "a.wav: cannot be unpacked: CRC error\n");

  put_zip(path, {{"a.wav", "first"}, {"b.wav", "second"}, {"A.wav", "another"}});
  EXPECT_EQ(answer(with_headers(read_file(path), kName, "a")),
            "a.wav: is in the archive twice, with other contents\n");
  put_zip(path, {{"a.wav", "first"}, {"b.wav", "first"}});
  EXPECT_EQ(answer(with_headers(read_file(path), kName, "a")), "a.wav = first\n");

  put_zip(path, {{"a.wav", "b.wav"}, {"b.wav", "first"}});
  int code = 0;
  zip_t* zip = ::zip_open(path.c_str(), 0, &code);
  ASSERT_NE(zip, nullptr);
  ::zip_file_set_external_attributes(zip, 0, 0, ZIP_OPSYS_UNIX, 0120777U << 16U);
  ASSERT_EQ(::zip_close(zip), 0);
  EXPECT_EQ(all_of(path),
            "a.wav: is a link, and links in archives are not followed\nb.wav = first\n");
}

TEST(ZipArchive, TakesNoMoreThanRecordingsMayHold) {
  TempDir dir;
  const auto path = dir / "a.zip";
  const std::string zeros((65 << 20) + 1, '\0');
  std::string noise = test::wav_bytes(test::white(400000, 1), 16000);
  put_zip(path, {{"small.wav", "first"}, {"bomb.wav", zeros}, {"noise.wav", noise}});
  const ZipArchive archive(path);
  const auto read = [&](size_t member, uint64_t largest) {
    return message_of<DataError>([&] { archive.read(archive.members().at(member), largest); });
  };
  EXPECT_EQ(read(0, 4), (path / "small.wav").string() +
                            ": has 5 bytes, more than the 4 that such a file may have");
  EXPECT_THAT(read(1, ZipArchive::kLargestAudio),
              ::testing::MatchesRegex(".*a.zip/bomb.wav: would unpack [0-9]+ bytes to 68157441, "
                                      "more than 100 times as many: no recordings do"));
  EXPECT_EQ(archive.read(archive.members().at(2)), noise);

  test::Members members;
  const std::string million(1 << 20, '\0');
  for (int i = 0; i < 65; ++i) members.emplace_back(std::to_string(i) + ".wav", million);
  put_zip(path, members);
  EXPECT_THAT(message_of<DataError>([&] { ZipArchive{path}; }),
              ::testing::MatchesRegex(".*a.zip: would unpack [0-9]+ bytes to 68157440, more than "
                                      "100 times as many: no recordings do"));

  // Sizes that a directory makes up: of what comes no more is kept than it says.
  put_zip(path, {{"a.wav", std::string(50000, 'x')}});
  const std::string true_zip = read_file(path);
  for (const char* size : {"\x08\x01\x01\x01", "\x50\xc3\x01\x01", "\x4f\xc3"}) {
    put_text(path, with_headers(true_zip, kSize, size));
    EXPECT_THAT(all_of(path), HasSubstr("a.wav: cannot be unpacked: ")) << size;
  }
}

}  // namespace
}  // namespace limbeck
