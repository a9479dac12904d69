#include "eval/enhance.h"

#include "eval/support.h"
#include "limbeck/eval/evaluate.h"
#include "nn/support.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;

class EnhanceTest : public testing::Test {
 protected:
  std::string put_model(const std::string& changes) {
    const auto config = model_config(changes);
    const auto model = nn::build_model(config, SeedKey(3));
    model->eval();
    const fs::path path = folder_ / "model.safetensors";
    nn::write_model(path, *model, config);
    return path.string();
  }
  TempDir folder_;
};

TEST_F(EnhanceTest, PaddingCannotLeakInABatch) {
  // Lookahead and recurrence carry what follows an utterance into it, were it padded by frames.
  const Enhancer enhancer(put_model("lookahead_frames: 2\ntemporal: {type: gru, hidden: 4}"),
                          "cpu");
  std::vector<std::vector<float>> noisy;
  for (const int64_t samples : {3170, 3200, 3169, 3185}) noisy.push_back(white(samples, 7));
  const auto together = enhancer(noisy, 16000);
  for (size_t i = 0; i < noisy.size(); ++i) {
    const auto alone = enhancer({noisy[i]}, 16000).front();
    ASSERT_EQ(together[i].size(), noisy[i].size());
    for (size_t n = 0; n < alone.size(); ++n) {
      ASSERT_NEAR(together[i][n], alone[n], 1e-6) << i << " " << n;
    }
  }
}

TEST_F(EnhanceTest, BatchesHoldOneFrameCountEach) {
  const Enhancer enhancer(put_model(""), "cpu");  // hop 32
  const std::vector<int64_t> samples = {320, 6400, 310, 6401, 289, 321};
  // On a CPU every utterance is a batch, longest first.
  const auto batches = enhancer.batches(samples, 8);
  ASSERT_EQ(batches.size(), samples.size());
  EXPECT_EQ(batches[0], std::vector<size_t>{3});
  EXPECT_EQ(batches[1], std::vector<size_t>{1});
  EXPECT_EQ(batches[2], std::vector<size_t>{5});
}

TEST_F(EnhanceTest, AModelGivesTheSameBitsForAnyNumberOfJobs) {
  const std::string model = put_model("temporal: {type: gru, hidden: 4}");
  Manifest manifest;
  manifest.kind = Manifest::Kind::pairs;
  for (int i = 0; i < 6; ++i) {
    const auto item = put_pair(folder_.path(), std::to_string(i), 0.05 * (i + 1), 5000 + 37 * i);
    ManifestEntry entry;
    entry.id = item.id;
    entry.audio = {item.clean.path, hash_audio(read_audio(item.clean.path).samples)};
    entry.noisy = {item.noisy.path, hash_audio(read_audio(item.noisy.path).samples)};
    entry.samples = item.samples;
    entry.rate_hz = 16000;
    manifest.entries.push_back(entry);
  }
  manifest.write(folder_ / "test.csv");
  Logger logger(Verbosity::quiet);
  const auto score = [&](int64_t jobs, const std::string& out) {
    return evaluate_model({.model = model,
                           .manifest = (folder_ / "test.csv").string(),
                           .metrics = build_metrics({"si_sdr", "ssnr"}),
                           .folder = (folder_ / out).string(),
                           .save_audio = true,
                           .device = "cpu",
                           .jobs = jobs},
                          logger);
  };
  const int threads = at::get_num_threads();
  const auto one = score(1, "one");
  const auto four = score(4, "four");
  EXPECT_EQ(at::get_num_threads(), threads);
  ASSERT_EQ(one.rows.size(), 6U);
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(one.rows[i].scores, four.rows[i].scores);
    const std::string name = "audio/" + std::to_string(i) + ".wav";
    EXPECT_EQ(read_file(folder_ / "one" / name), read_file(folder_ / "four" / name));
  }
  for (const char* name : {"per_utterance.csv", "summary.json", "table.md", "failures.csv"}) {
    EXPECT_TRUE(fs::exists(folder_ / "one" / name)) << name;
  }
  EXPECT_FALSE(fs::exists(folder_ / "one/scored.jsonl"));
}

}  // namespace
}  // namespace limbeck::test
