#include "data/audio_store.h"

#include <gmock/gmock.h>

#include <thread>

#include "limbeck/core/error.h"
#include "support.h"

namespace limbeck {
namespace {

using test::message_of;
using test::put_audio;
using test::TempDir;
using ::testing::HasSubstr;

AudioFile file_at(const std::filesystem::path& path) {
  return {path, hash_audio(read_audio(path).samples)};
}

TEST(AudioStore, GivesTheSameWithAndWithoutRoom) {
  TempDir dir;
  put_audio(dir / "a.flac", test::white(20000, 1));
  put_audio(dir / "f.wav", test::white(20000, 2), 16000, SampleFormat::float32);
  const AudioStore none(16000, 0);
  const AudioStore some(16000, 40000);
  const AudioStore much(16000, 1 << 20);
  for (const char* name : {"a.flac", "f.wav"}) {
    const AudioFile file = file_at(dir / name);
    const auto whole = read_audio(file.path).samples;
    for (const int64_t start : {0, 777, 15000}) {
      const std::vector<float> wanted(whole.begin() + start, whole.begin() + start + 5000);
      for (const AudioStore* store : {&none, &some, &much}) {
        EXPECT_EQ(store->read(file, 20000, start, 5000), wanted) << name << " from " << start;
      }
    }
  }
  EXPECT_EQ(none.used_bytes(), 0);
  EXPECT_EQ(some.used_bytes(), 40000);  // the 16-bit file fits exactly, the other one not
  EXPECT_EQ(much.used_bytes(), 40000 + 80000);
}

TEST(AudioStore, KeptFilesAreNotReadAgain) {
  TempDir dir;
  put_audio(dir / "a.flac", test::white(2000, 1));
  const AudioFile file = file_at(dir / "a.flac");
  const AudioStore store(16000, 1 << 20);
  const auto before = store.read(file, 2000, 0, 2000);
  std::filesystem::remove(file.path);
  EXPECT_EQ(store.read(file, 2000, 0, 2000), before);
}

TEST(AudioStore, SaysWhatDiffersFromTheManifest) {
  TempDir dir;
  put_audio(dir / "a.wav", test::white(2000, 1));
  put_audio(dir / "b.wav", test::white(2000, 1), 8000);
  const AudioFile a = file_at(dir / "a.wav");
  const AudioFile other{a.path, std::string(32, '0')};
  const std::string name = a.path.string();
  const std::string again = "; run limbeck-prepare again";
  for (const int64_t capacity : {0, 1 << 20}) {
    const AudioStore store(16000, capacity);
    EXPECT_EQ(message_of<DataError>([&] { store.read(a, 2001, 0, 10); }),
              name + ": has 2000 samples where the manifest says 2001" + again);
    EXPECT_EQ(message_of<DataError>([&] { store.read(file_at(dir / "b.wav"), 2000, 0, 10); }),
              (dir / "b.wav").string() + ": has 8000 Hz where 16000 Hz are expected");
    EXPECT_THAT(message_of<DataError>([&] { store.read({dir / "no.wav", ""}, 10, 0, 10); }),
                HasSubstr("no.wav: does not exist"));
  }
  const AudioStore store(16000, 1 << 20);
  EXPECT_EQ(message_of<DataError>([&] { store.read(other, 2000, 0, 10); }),
            name + ": has another content than the manifest says" + again);
  store.read(a, 2000, 0, 10);
  EXPECT_THROW(store.read(a, 1999, 0, 10), DataError);  // kept, and another manifest says less
}

TEST(AudioStore, ServesManyThreads) {
  TempDir dir;
  std::vector<AudioFile> files;
  std::vector<std::vector<float>> contents;
  for (int i = 0; i < 6; ++i) {
    put_audio(dir / ("f" + std::to_string(i) + ".flac"),
              test::white(4000, static_cast<uint64_t>(i)));
    files.push_back(file_at(dir / ("f" + std::to_string(i) + ".flac")));
    contents.push_back(read_audio(files.back().path).samples);
  }
  const AudioStore store(16000, 4 * 8000);  // room for four of six
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (size_t k = 0; k < 60; ++k) {
        const size_t which = (k * (t + 1)) % files.size();
        wrong[t] += store.read(files[which], 4000, 0, 4000) != contents[which];
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
  EXPECT_EQ(store.used_bytes(), 4 * 8000);
}

}  // namespace
}  // namespace limbeck
