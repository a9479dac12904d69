#include "limbeck/objective/teacher.h"

#include <algorithm>
#include <filesystem>

#include "limbeck/core/error.h"
#include "nn/support.h"
#include "objective/fake_model.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using objective::Teacher;
using objective::TeacherCacheOptions;

/// Says something simple, and counts how often it is asked.
class Counting : public FakeModel {
 public:
  explicit Counting(float gain = 1) : FakeModel(grid(1, 4)), gain_(gain) {}
  nn::Denoised forward(const at::Tensor& noisy, const std::vector<std::string>& wanted,
                       const std::vector<int64_t>&) override {
    ++forwards;
    return {noisy * 0.5, said(noisy, wanted)};
  }
  nn::Taps taps(const at::Tensor& noisy, const std::vector<std::string>& wanted,
                const std::vector<int64_t>&) override {
    ++tap_runs;
    return said(noisy, wanted);
  }
  int forwards = 0, tap_runs = 0;

 private:
  nn::Taps said(const at::Tensor& noisy, const std::vector<std::string>& wanted) const {
    nn::Taps taps;
    for (const auto& name : wanted) {
      taps[name] = gain_ * noisy.reshape({noisy.size(0), -1, 1, 4}).permute({0, 2, 1, 3});
    }
    return taps;
  }
  float gain_;
};

Teacher make_teacher(std::shared_ptr<nn::DenoisingModel> model, const TeacherCacheOptions& cache,
                     bool estimate = false, const std::string& id = "id",
                     std::vector<std::string> taps = {"latent"}) {
  return {std::move(model), std::move(taps), estimate, at::kCPU, cache, id};
}

std::vector<fs::path> entries(const fs::path& dir) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(dir)) {
    if (entry.path().extension() == ".safetensors") found.push_back(entry.path());
  }
  return found;
}

TEST(Teacher, SaysWhatTheTrainedNetworkSays) {
  const char* const kind =
      "temporal: {type: gru, hidden: 5}\nmemory_format: channels_last\nlookahead_frames: 1";
  const auto reference = make_model(kind, 3);
  const auto noisy = normal({2, 400}, 4, 0.1);
  for (int i = 0; i < 3; ++i) reference->forward(noisy, {});  // gives norms something to fold
  reference->eval();
  const auto model = make_model(kind, 3);
  for (int i = 0; i < 3; ++i) model->forward(noisy, {});
  const Teacher teacher(model, {"encoder.0", "latent"}, true, at::kCPU, {}, "");
  const auto said = teacher.forward(noisy);
  const auto wanted = reference->forward(noisy, {"encoder.0", "latent"});
  EXPECT_LT(relative_difference(said.estimate, wanted.estimate), 1e-4);
  ASSERT_EQ(said.taps.size(), 2u);
  for (const auto& [tap, value] : said.taps) {
    EXPECT_LT(relative_difference(value, wanted.taps.at(tap)), 1e-4) << tap;
    EXPECT_TRUE(value.is_contiguous()) << tap;
    EXPECT_FALSE(value.requires_grad()) << tap;
  }
  EXPECT_FALSE(model->is_training());
  for (const auto& parameter : model->parameters()) EXPECT_FALSE(parameter.requires_grad());
  // The norms are gone from the way: what they would do no longer matters.
  at::NoGradGuard no_grad;
  for (auto& item : model->named_buffers()) {
    if (item.key().ends_with("running_mean")) item.value().fill_(1e3);
  }
  EXPECT_TRUE(same_bits(teacher.forward(noisy).estimate, said.estimate));
}

TEST(Teacher, RunsNoFurtherThanItIsAskedTo) {
  const auto model = std::make_shared<Counting>();
  const auto noisy = normal({2, 40}, 1);
  const auto said = make_teacher(model, {}).forward(noisy);
  EXPECT_EQ(model->tap_runs, 1);
  EXPECT_EQ(model->forwards, 0);
  EXPECT_FALSE(said.estimate.defined());
  EXPECT_TRUE(make_teacher(model, {}, true).forward(noisy).estimate.defined());
  EXPECT_EQ(model->forwards, 1);
}

TEST(TeacherCache, IsEqualToComputingToTheBit) {
  const char* const kind = "temporal: {type: gru, hidden: 5}\nmemory_format: channels_last";
  const std::vector<std::string> taps = {"encoder.1", "latent", "decoder.0"};
  const TempDir dir;
  const TeacherCacheOptions cache{dir.path().string()};
  const Teacher computing(make_model(kind, 3), taps, true, at::kCPU, {}, "");
  const Teacher first(make_model(kind, 3), taps, true, at::kCPU, cache, "id");
  const Teacher second(make_model(kind, 3), taps, true, at::kCPU, cache, "id");
  for (const uint64_t seed : {1, 2}) {
    const auto noisy = normal({3, 400}, seed, 0.1);
    const auto wanted = computing.forward(noisy);
    for (const Teacher* teacher : {&first, &second, &second}) {
      const auto said = teacher->forward(noisy);
      EXPECT_TRUE(same_bits(said.estimate, wanted.estimate));
      for (const auto& tap : taps) {
        EXPECT_TRUE(same_bits(said.taps.at(tap), wanted.taps.at(tap))) << tap;
        EXPECT_EQ(said.taps.at(tap).strides(), wanted.taps.at(tap).strides()) << tap;
      }
    }
  }
  EXPECT_EQ(entries(dir.path()).size(), 2u * 4);
}

TEST(TeacherCache, KnowsWhereTheSignalsEnd) {
  const TempDir dir;
  const auto make = [&](const TeacherCacheOptions& cache) {
    return make_teacher(make_model("lookahead_frames: 2", 3), cache, true);
  };
  const Teacher computing = make({}), cached = make({dir.path().string()});
  auto noisy = normal({2, 400}, 5, 0.1);
  noisy[1].slice(0, 200).zero_();
  const auto silent = cached.forward(noisy, {400, 400}).estimate;
  for (int i = 0; i < 2; ++i) {
    const auto padded = cached.forward(noisy, {400, 200}).estimate;
    EXPECT_TRUE(same_bits(padded, computing.forward(noisy, {400, 200}).estimate));
    EXPECT_FALSE(same_bits(padded, silent));
  }
}

TEST(TeacherCache, IsReadByOtherStudentsOfTheSameTeacher) {
  const TempDir dir;
  const TeacherCacheOptions cache{dir.path().string()};
  const auto noisy = normal({2, 40}, 1);
  make_teacher(std::make_shared<Counting>(), cache, true).forward(noisy);
  // One that needs less finds what it needs.
  const auto model = std::make_shared<Counting>();
  const auto said = make_teacher(model, cache).forward(noisy);
  EXPECT_TRUE(same_bits(said.taps.at("latent"), noisy.reshape({2, 1, 10, 4})));
  EXPECT_EQ(model->tap_runs, 0);
  // One that needs more computes.
  make_teacher(model, cache, false, "id", {"latent", "stem"}).forward(noisy);
  EXPECT_EQ(model->tap_runs, 1);
}

TEST(TeacherCache, NothingStaleMatches) {
  const TempDir dir;
  const TeacherCacheOptions cache{dir.path().string()};
  const auto noisy = normal({2, 40}, 1);
  make_teacher(std::make_shared<Counting>(), cache).forward(noisy);
  const auto computes = [&](const TeacherCacheOptions& options, const std::string& id,
                            const at::Tensor& batch) {
    const auto model = std::make_shared<Counting>(3.0F);
    const auto said = make_teacher(model, options, false, id).forward(batch);
    const bool fresh = same_bits(
        said.taps.at("latent"),
        (3 * batch.reshape({batch.size(0), -1, 1, 4}).permute({0, 2, 1, 3})).contiguous());
    EXPECT_EQ(model->tap_runs == 1, fresh);
    return fresh;
  };
  EXPECT_FALSE(computes(cache, "id", noisy));  // the very same
  EXPECT_TRUE(computes(cache, "other weights", noisy));
  EXPECT_TRUE(computes({dir.path().string(), "float16"}, "half", normal({2, 40}, 9).round()));
  auto changed = noisy.clone();
  changed[1][39] += 1e-6F;
  EXPECT_TRUE(computes(cache, "id", changed));
  EXPECT_TRUE(computes(cache, "id", noisy.flip(0)));
  EXPECT_TRUE(computes(cache, "id", noisy.narrow(0, 0, 1)));
  EXPECT_TRUE(computes(cache, "id", noisy.reshape({4, 20})));
  const int threads = at::get_num_threads();
  at::set_num_threads(threads + 1);  // sums over another number of threads round differently
  EXPECT_TRUE(computes(cache, "id", noisy));
  at::set_num_threads(threads);
}

TEST(TeacherCache, WhatAnInterruptedOrDamagedWriteLeftIsNotRead) {
  const TempDir dir;
  const TeacherCacheOptions cache{dir.path().string()};
  const auto noisy = normal({2, 40}, 1);
  const auto wanted = make_teacher(std::make_shared<Counting>(), cache).forward(noisy);
  ASSERT_EQ(entries(dir.path()).size(), 1u);
  const fs::path entry = entries(dir.path()).front();
  const std::string whole = read_file(entry);
  const auto reads = [&] {
    const auto model = std::make_shared<Counting>();
    const auto said = make_teacher(model, cache).forward(noisy);
    EXPECT_TRUE(same_bits(said.taps.at("latent"), wanted.taps.at("latent")));
    EXPECT_EQ(read_file(entry), whole);  // mended, where it was broken
    return model->tap_runs == 0;
  };
  EXPECT_TRUE(reads());
  // Killed before the rename: a part of the file under another name.
  fs::remove(entry);
  put_text(entry.string() + ".123.tmp", whole.substr(0, whole.size() / 2));
  EXPECT_FALSE(reads());
  for (const size_t size : {size_t{0}, size_t{7}, whole.size() / 2, whole.size() - 1}) {
    put_text(entry, whole.substr(0, size));
    EXPECT_FALSE(reads()) << size;
  }
  std::string flipped = whole;
  flipped[flipped.size() - 3] = static_cast<char>(flipped[flipped.size() - 3] ^ 1);
  put_text(entry, flipped);
  EXPECT_FALSE(reads());
  EXPECT_TRUE(reads());
}

TEST(TeacherCache, HalfPrecisionSaysTheSameWhetherItIsStoredOrNot) {
  const TempDir dir;
  const auto noisy = normal({2, 400}, 1);
  const Teacher full(make_model("", 3), {"latent"}, true, at::kCPU, {}, "");
  const Teacher computing(make_model("", 3), {"latent"}, true, at::kCPU, {"", "float16"}, "");
  const TeacherCacheOptions cache{dir.path().string(), "float16"};
  const Teacher writing(make_model("", 3), {"latent"}, true, at::kCPU, cache, "id");
  const Teacher reading(make_model("", 3), {"latent"}, true, at::kCPU, cache, "id");
  const auto wanted = computing.forward(noisy);
  EXPECT_EQ(wanted.estimate.scalar_type(), torch::kFloat);
  EXPECT_FALSE(same_bits(wanted.estimate, full.forward(noisy).estimate));
  EXPECT_LT(relative_difference(wanted.estimate, full.forward(noisy).estimate), 1e-3);
  for (const Teacher* teacher : {&writing, &reading}) {
    const auto said = teacher->forward(noisy);
    EXPECT_TRUE(same_bits(said.estimate, wanted.estimate));
    EXPECT_TRUE(same_bits(said.taps.at("latent"), wanted.taps.at("latent")));
  }
  const auto loud = make_teacher(std::make_shared<Counting>(1e6F), {"", "float16"});
  EXPECT_EQ(message_of<ConfigError>([&] { loud.forward(noisy); }),
            "distill.cache.precision: the teacher says values that float16 cannot hold; use "
            "float32");
}

TEST(TeacherCache, StatesItsSize) {
  const TempDir dir;
  const TeacherCacheOptions cache{dir.path().string()};
  const Teacher teacher(make_model("", 3), {"latent", "encoder.0"}, true, at::kCPU, cache, "id");
  teacher.forward(normal({3, 400}, 1));
  uintmax_t bytes = 0;
  for (const fs::path& entry : entries(dir.path())) bytes += fs::file_size(entry);
  const auto stated = static_cast<double>(teacher.stored_bytes(3, 400));
  EXPECT_LE(stated, static_cast<double>(bytes));
  EXPECT_NEAR(static_cast<double>(bytes), stated, 3 * 300);  // three headers
}

/// What is warned of while a new teacher hears of `batches`, all of which it must answer rightly.
std::string warnings(const TeacherCacheOptions& cache, const std::vector<at::Tensor>& batches) {
  testing::internal::CaptureStderr();
  Logger logger(Verbosity::quiet);
  const Teacher teacher(std::make_shared<Counting>(), {"latent"}, false, at::kCPU, cache, "id",
                        &logger);
  for (const auto& noisy : batches) {
    EXPECT_TRUE(same_bits(teacher.forward(noisy).taps.at("latent"), noisy.reshape({2, 1, 10, 4})));
  }
  return testing::internal::GetCapturedStderr();
}

std::vector<at::Tensor> some_batches() {
  std::vector<at::Tensor> batches;
  for (uint64_t seed = 1; seed <= 5; ++seed) batches.push_back(normal({2, 40}, seed));
  return batches;
}

TEST(TeacherCache, WhatCannotBeWrittenIsComputed) {
  const TempDir dir;
  put_text(dir / "file", "");
  const std::string said = warnings({(dir / "file" / "cache").string()}, some_batches());
  EXPECT_THAT(said, testing::HasSubstr("the teacher is run for what is not there"));
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
}

TEST(TeacherCache, GrowsNoLargerThanItMay) {
  const TempDir dir;
  TeacherCacheOptions cache{dir.path().string()};
  const auto batches = some_batches();
  EXPECT_EQ(warnings(cache, {batches[0]}), "");
  const auto size = [&] {
    uintmax_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(dir.path())) {
      if (entry.is_regular_file()) bytes += entry.file_size();
    }
    return static_cast<double>(bytes);
  };
  const auto entry = static_cast<double>(fs::file_size(entries(dir.path()).front()));
  cache.max_gb = (size() + 2.5 * entry) / 1e9;
  for (int process = 0; process < 2; ++process) {
    const std::string said = warnings(cache, batches);
    EXPECT_THAT(said, testing::HasSubstr("that max_gb allows; the teacher is run"));
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
    EXPECT_EQ(entries(dir.path()).size(), 3U);
    EXPECT_LE(size(), cache.max_gb * 1e9);
  }
  cache.max_gb = 0;  // no bound
  EXPECT_EQ(warnings(cache, batches), "");
  EXPECT_EQ(entries(dir.path()).size(), 5U);
}

TEST(TeacherCache, ADamagedEntryIsNamed) {
  const TempDir dir;
  const TeacherCacheOptions cache{dir.path().string()};
  EXPECT_EQ(warnings(cache, {some_batches()[0]}), "");
  const fs::path entry = entries(dir.path()).front();
  std::string flipped = read_file(entry);
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  put_text(entry, flipped);
  EXPECT_THAT(warnings(cache, {some_batches()[0]}), testing::HasSubstr(entry.string()));
  EXPECT_EQ(warnings(cache, {some_batches()[0]}), "");  // mended
  put_text(entry.parent_path() / "teacher.json", "torn");
  EXPECT_EQ(warnings(cache, {some_batches()[0]}), "");
}

}  // namespace
}  // namespace limbeck::test
