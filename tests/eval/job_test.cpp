#include "limbeck/eval/job.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "eval/journal.h"
#include "eval/support.h"
#include "limbeck/config/resolve.h"
#include "limbeck/core/csv.h"
#include "limbeck/eval/evaluate.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/run/checkpoint.h"
#include "limbeck/run/identity.h"
#include "nn/support.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class JobTest : public testing::Test {
 protected:
  JobTest() {
    set_.pairs.kind = Manifest::Kind::pairs;
    set_.pairs.path = folder_ / "test.csv";
    for (int i = 0; i < 4; ++i) add_pair(std::to_string(i));
    put_model("model.safetensors", 3);
  }

  void add_pair(const std::string& id) {
    const auto item = put_pair(folder_.path(), id, 0.05 * static_cast<double>(id[0] - '/'),
                               5000 + 37 * (id[0] - '0'));
    ManifestEntry entry;
    entry.id = id;
    entry.audio = {item.clean.path, hash_audio(read_audio(item.clean.path).samples)};
    entry.noisy = {item.noisy.path, hash_audio(read_audio(item.noisy.path).samples)};
    entry.samples = item.samples;
    entry.rate_hz = 16000;
    set_.pairs.entries.push_back(entry);
  }

  void put_model(const std::string& name, uint64_t seed) {
    const auto model = make_model("temporal: {type: gru, hidden: 4}", seed);
    model->eval();
    fs::create_directories((folder_ / name).parent_path());
    nn::write_model(folder_ / name, *model);
  }

  EvaluationJob job(const std::vector<MetricConfig>& metrics = {"si_sdr"},
                    const std::string& model = "model.safetensors") {
    return model_job({(folder_ / model).string()}, set_,
                     {.metrics = build_metrics(metrics), .device = "cpu"}, folder_ / "out", quiet_);
  }

  /// What is said on standard error.
  std::string said(const EvaluationJob& job) {
    Logger normal;
    testing::internal::CaptureStderr();
    run_job(job, normal);
    return testing::internal::GetCapturedStderr();
  }

  std::vector<std::string> header() const {
    return read_csv(folder_ / "out/per_utterance.csv").header;
  }

  TempDir folder_;
  TestSet set_;
  Logger quiet_{Verbosity::quiet};
};

TEST_F(JobTest, GivesTheSameBitsForAnyNumberOfJobs) {
  const auto score = [&](int64_t jobs, const std::string& out) {
    EvaluationJob job = this->job({"si_sdr", "ssnr"});
    job.scoring.jobs = jobs;
    job.scoring.save_audio = true;
    job.folder = folder_ / out;
    return run_job(job, quiet_);
  };
  const int threads = at::get_num_threads();
  const auto one = score(1, "one");
  const auto four = score(4, "four");
  EXPECT_EQ(at::get_num_threads(), threads);
  ASSERT_EQ(one.runs.front().rows.size(), 4U);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(one.runs.front().rows[i].scores, four.runs.front().rows[i].scores);
    const std::string name = "audio/" + std::to_string(i) + ".wav";
    EXPECT_EQ(read_file(folder_ / "one" / name), read_file(folder_ / "four" / name));
  }
  for (const char* name : {"per_utterance.csv", "summary.json", "table.md", "failures.csv"}) {
    EXPECT_TRUE(fs::exists(folder_ / "one" / name)) << name;
  }
  EXPECT_FALSE(fs::exists(folder_ / "one/scored.jsonl"));
}

TEST_F(JobTest, IsScoredOnceWhereverItAllLies) {
  const auto first = run_job(job(), quiet_);
  EXPECT_EQ(first.runs.front().environment.at("device"), "cpu");
  const std::string before = read_file(folder_ / "out/per_utterance.csv");
  fs::rename(folder_ / "model.safetensors", folder_ / "renamed.safetensors");
  fs::rename(folder_ / "out", folder_ / "moved");
  set_.pairs.path = folder_ / "elsewhere.csv";
  EvaluationJob again = job({"si_sdr"}, "renamed.safetensors");
  again.folder = folder_ / "moved";
  EXPECT_THAT(said(again), HasSubstr("scored before"));
  const auto taken = run_job(again, quiet_);
  EXPECT_EQ(taken.runs.front().name, "renamed.safetensors");
  EXPECT_EQ(taken.runs.front().rows[3].scores, first.runs.front().rows[3].scores);
  EXPECT_EQ(read_file(folder_ / "moved/per_utterance.csv"), before);
}

TEST_F(JobTest, ScoresThatAreThereAreReadWithoutScoring) {
  EXPECT_FALSE(scored_before(job()));
  EXPECT_FALSE(fs::exists(folder_ / "out"));
  const ResultTable scored = run_job(job({"si_sdr", "ssnr"}), quiet_);
  const auto read = scored_before(job());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->over_utterances(read->runs.front(), 0).mean,
            scored.over_utterances(scored.runs.front(), 0).mean);
  EXPECT_EQ(read->metrics.size(), 1U);
  EXPECT_FALSE(scored_before(job({"stoi"})));
  put_model("model.safetensors", 4);
  EXPECT_FALSE(scored_before(job()));
}

TEST_F(JobTest, ScoresOfAModelAreFoundByItsHash) {
  const std::string model = hash_file(folder_ / "model.safetensors");
  const auto holds = [&](const std::string& hash, const std::vector<MetricConfig>& metrics) {
    return stored_scores(folder_ / "out", hash, set_, {.metrics = build_metrics(metrics)})
        .has_value();
  };
  EXPECT_FALSE(holds(model, {"si_sdr"}));
  EXPECT_FALSE(fs::exists(folder_ / "out"));
  run_job(job({"si_sdr", "ssnr"}), quiet_);
  EXPECT_TRUE(holds(model, {"si_sdr"}));
  EXPECT_FALSE(holds(model, {"si_sdr", "stoi"}));
  EXPECT_FALSE(holds(std::string(32, '0'), {"si_sdr"}));
  fs::remove(folder_ / "out/failures.csv");
  EXPECT_FALSE(holds(model, {"si_sdr"}));
  run_job(job(), quiet_);
  add_pair("4");
  EXPECT_FALSE(holds(model, {"si_sdr"}));
}

TEST_F(JobTest, RefusesAFolderOfAnotherModelSetOrFit) {
  run_job(job(), quiet_);
  const std::string before = read_file(folder_ / "out/summary.json");
  put_model("other.safetensors", 4);
  const std::string message =
      message_of<ConfigError>([&] { run_job(job({"si_sdr"}, "other.safetensors"), quiet_); });
  EXPECT_THAT(message, HasSubstr((folder_ / "out").string() + ": holds results of something else"));
  const std::string was = hash_file(folder_ / "model.safetensors");
  const std::string is = hash_file(folder_ / "other.safetensors");
  ASSERT_NE(message.find("model: "), std::string::npos);
  EXPECT_LT(message.find(was), message.find(is));  // a hash of digits only stands in quotes
  EXPECT_THAT(message, AllOf(HasSubstr(was), HasSubstr(is)));
  EXPECT_THAT(message, AllOf(HasSubstr("--out"), Not(HasSubstr("set: "))));

  EvaluationJob fitted =
      model_job({(folder_ / "model.safetensors").string()}, set_,
                {.metrics = build_metrics({"si_sdr"}), .fit = {.align = true}, .device = "cpu"},
                folder_ / "out", quiet_);
  EXPECT_THAT(message_of<ConfigError>([&] { require_own_folder(fitted); }),
              HasSubstr("fit.align: false → true"));
  add_pair("4");
  EXPECT_THAT(message_of<ConfigError>([&] { require_own_folder(job()); }), HasSubstr("set: "));
  EXPECT_EQ(read_file(folder_ / "out/summary.json"), before);
}

TEST_F(JobTest, SaysThatAnOlderCheckpointIsScored) {
  const fs::path run = folder_ / "run";
  put_text(run / "identity.json", Identity("training", 1).text());
  CheckpointStore store(run);
  const std::string model = read_file(folder_ / "model.safetensors");
  for (const int step : {1, 2}) {
    store.save(step, {{"model.safetensors", model}, {"state.json", "{}"}}, step == 1);
  }
  put_text(run / "checkpoints/step-00000002/model.safetensors", "torn");
  Logger normal;
  testing::internal::CaptureStderr();
  const EvaluationJob older = model_job({.path = run.string(), .which = "last"}, set_,
                                        {.device = "cpu"}, folder_ / "out", normal);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("warning: " + run.string() +
                        ": checkpoint step-00000002: model.safetensors: another size; an older "
                        "one is used"));
  EXPECT_EQ(older.model_file, run / "checkpoints/step-00000001/model.safetensors");
}

TEST_F(JobTest, ARunWithSkippedStepsIsMarked) {
  const fs::path run = folder_ / "run";
  put_text(run / "identity.json", Identity("training", 1).text());
  const std::string model = read_file(folder_ / "model.safetensors");
  for (const auto& [step, skipped] : {std::pair(1, 0), {2, 3}}) {
    const std::string state = format(R"({"step": %d, "skipped": {"total": %d}})", step, skipped);
    CheckpointStore(run).save(step, {{"model.safetensors", model}, {"state.json", state}},
                              step == 1);
    // Whichever of its checkpoints is scored.
    const EvaluationJob job = model_job({.path = run.string(), .which = "best"}, set_,
                                        {.device = "cpu"}, folder_ / "out", quiet_);
    if (skipped == 0) {
      EXPECT_THAT(job.notes, testing::IsEmpty());
    } else {
      EXPECT_THAT(job.notes, testing::ElementsAre(HasSubstr("3 steps of its training changed")));
    }
  }
}

TEST_F(JobTest, ReplacesOthersWhereToldAndSaysSo) {
  run_job(job(), quiet_);
  add_pair("4");
  EvaluationJob larger = job();
  larger.replaces_others = true;
  EXPECT_THAT(said(larger), AllOf(HasSubstr("in place of results of something else"),
                                  HasSubstr("set: "), Not(HasSubstr("model: "))));
  EXPECT_EQ(run_job(job(), quiet_).runs.front().rows.size(), 5U);
}

TEST_F(JobTest, RefusesWhatDoesNotSayWhatItIs) {
  put_text(folder_ / "out/summary.json", R"({"about": {"model": "x"}})");
  EXPECT_THAT(message_of<ConfigError>([&] { run_job(job(), quiet_); }),
              HasSubstr("summary.json: does not say what it is a result of"));
}

TEST_F(JobTest, RefusesScoresOfWhichNothingSaysWhatTheyAre) {
  put_text(folder_ / "out/per_utterance.csv", "id,seconds,si_sdr\na,1,2\n");
  EXPECT_THAT(message_of<ConfigError>([&] { run_job(job(), quiet_); }),
              HasSubstr("per_utterance.csv stands there without what says of what it is"));
  // A kill while results are written leaves a journal that says so.
  const EvaluationJob own = job();
  Journal(own.folder, {own.identity, own.scoring.metrics, false, {}})
      .add("0", {scores_row("0", {}, {42}, {1}), {}});
  EXPECT_EQ(run_job(own, quiet_).runs.front().rows.size(), 4U);
}

TEST_F(JobTest, NamesAFolderThatCannotBeMade) {
  put_text(folder_ / "file", "");
  EvaluationJob below = job();
  below.folder = folder_ / "file/out";
  EXPECT_THAT(message_of<DataError>([&] { run_job(below, quiet_); }),
              AllOf(HasSubstr((folder_ / "file").string()), HasSubstr(": Not a directory")));
}

TEST_F(JobTest, MoreMetricsJoinThoseThatAreThere) {
  run_job(job({"ssnr"}), quiet_);
  EXPECT_THAT(said(job({"si_sdr"})),
              HasSubstr("holds scores of ssnr; scored again for si_sdr, ssnr"));
  EXPECT_THAT(header(), ElementsAre("id", "seconds", "speaker", "si_sdr", "ssnr",
                                    "si_sdr_improvement", "si_sdr_noisy", "ssnr_noisy"));
  EXPECT_THAT(said(job({"ssnr", "si_sdr"})), HasSubstr("scored before"));
  const auto fewer = run_job(job({"ssnr"}), quiet_);
  ASSERT_EQ(fewer.metrics.size(), 1U);
  EXPECT_EQ(fewer.runs.front().rows[0].scores.size(), 1U);
  EXPECT_EQ(header().size(), 8U);
}

TEST_F(JobTest, AnotherVersionOfAMetricIsScoredAgain) {
  run_job(job(), quiet_);
  EvaluationJob newer = job();
  ++newer.scoring.metrics[0].version;
  EXPECT_THAT(said(newer), HasSubstr("scored again for si_sdr"));
  EXPECT_THAT(said(newer), HasSubstr("scored before"));
}

TEST_F(JobTest, SaysWhereTheEnvironmentIsAnother) {
  run_job(job(), quiet_);
  auto summary = nlohmann::json::parse(read_file(folder_ / "out/summary.json"));
  summary["environment"]["device"] = "cuda";
  put_text(folder_ / "out/summary.json", summary.dump());
  EXPECT_THAT(said(job()), AllOf(HasSubstr("scored before"),
                                 HasSubstr("device differs: cpu (now); cuda (then)")));
  EXPECT_EQ(run_job(job(), quiet_).runs.front().environment.at("device"), "cuda");
}

TEST_F(JobTest, NotesAndConditionsFollowTheSet) {
  run_job(job(), quiet_);
  set_.notes = {"partial set: 4 of 8"};
  set_.pairs.extra_columns = {"snr_db"};
  for (ManifestEntry& entry : set_.pairs.entries) entry.extra = {"5"};
  EXPECT_THAT(said(job()), HasSubstr("scored before"));
  EXPECT_THAT(header(), ElementsAre("id", "seconds", "speaker", "snr_db", "si_sdr",
                                    "si_sdr_improvement", "si_sdr_noisy", "note"));
  EXPECT_THAT(read_file(folder_ / "out/table.md"), HasSubstr("**partial set: 4 of 8**"));
}

TEST_F(JobTest, AudioThatIsAskedForIsMade) {
  run_job(job(), quiet_);
  EvaluationJob saving = job();
  saving.scoring.save_audio = true;
  run_job(saving, quiet_);
  EXPECT_TRUE(fs::exists(folder_ / "out/audio/3.wav"));
  EXPECT_THAT(said(saving), HasSubstr("scored before"));
}

TEST_F(JobTest, AudioThatIsSavedReplacesNothingThatIsRead) {
  const auto saving = [&] {
    EvaluationJob made = job();
    made.scoring.save_audio = true;
    return made;
  };
  const fs::path clean = set_.pairs.entries[1].audio.path;
  const std::string before = read_file(clean);
  // As in the lists of public denoisers, whose ids are the paths of the clean files.
  set_.pairs.entries[1].id = fs::absolute(clean).replace_extension().string();
  set_.pairs.entries[2].id = "../clean/2";
  for (const bool only_looked_at : {true, false}) {
    const std::string message = message_of<DataError>(
        [&] { only_looked_at ? require_own_folder(saving()) : void(run_job(saving(), quiet_)); });
    EXPECT_THAT(message, AllOf(HasSubstr("test.csv: ids that cannot name files:\n  '/"),
                               HasSubstr("\n  '../clean/2' leads out of the folder")));
  }
  EXPECT_FALSE(fs::exists(folder_ / "out"));
  run_job(job(), quiet_);  // without audio an id is but a name
  fs::remove_all(folder_ / "out");

  // The folder may lie so that harmless ids hit inputs, here through a link.
  set_.pairs.entries[1].id = "1";
  set_.pairs.entries[2].id = "2";
  fs::create_directory(folder_ / "out");
  fs::create_directory_symlink(folder_ / "clean", folder_ / "out/audio");
  EXPECT_THAT(message_of<ConfigError>([&] { run_job(saving(), quiet_); }),
              HasSubstr("0.wav would replace it; choose another folder (--out)"));
  EXPECT_EQ(read_file(clean), before);
}

TEST_F(JobTest, ResultsReplaceNothingThatIsRead) {
  put_text(folder_ / "out/failures.csv", "");
  set_.pairs.path = folder_ / "out/failures.csv";
  EXPECT_THAT(message_of<ConfigError>([&] { run_job(job(), quiet_); }),
              HasSubstr("failures.csv would replace it"));
}

TEST_F(JobTest, AnUnfinishedFolderBelongsToItsJob) {
  const EvaluationJob begun = job();
  {
    Journal journal(begun.folder, {begun.identity, begun.scoring.metrics, false, {}});
    EXPECT_FALSE(journal_identity(begun.folder));  // nothing is lost with it
    journal.add("0", {scores_row("0", {}, {42}, {1}), {}});
  }
  put_model("other.safetensors", 4);
  EXPECT_THAT(
      message_of<ConfigError>([&] { run_job(job({"si_sdr"}, "other.safetensors"), quiet_); }),
      HasSubstr("model: "));
  const auto table = run_job(begun, quiet_);
  ASSERT_EQ(table.runs.front().rows.size(), 4U);
  EXPECT_EQ(table.runs.front().rows[0].scores[0], 42);  // gone on with
}

TEST_F(JobTest, FilesOfAnySystemAreKnownByTheirContent) {
  const auto job_of = [&](const std::string& estimate) {
    return files_job((folder_ / estimate).string(), set_, {.metrics = build_metrics({"si_sdr"})},
                     folder_ / "out");
  };
  const auto table = run_job(job_of("noisy"), quiet_);
  EXPECT_EQ(table.runs.front().name, "noisy");
  EXPECT_THAT(table.runs.front().failures, IsEmpty());
  EXPECT_EQ(table.runs.front().environment.count("device"), 0U);
  fs::copy(folder_ / "noisy", folder_ / "copy");
  EXPECT_THAT(said(job_of("copy")), HasSubstr("scored before"));
  put_audio(folder_ / "copy/2.wav", white(5074, 1));
  EXPECT_THAT(message_of<ConfigError>([&] { run_job(job_of("copy"), quiet_); }),
              HasSubstr("estimates: "));
  const auto folders = files_job((folder_ / "noisy").string(), (folder_ / "clean").string(), "",
                                 {.metrics = build_metrics({"si_sdr"})}, folder_ / "out");
  EXPECT_THAT(message_of<ConfigError>([&] { require_own_folder(folders); }),
              AllOf(HasSubstr("clean: "), HasSubstr("set: ")));
}

/// Makes each pair of a set one of two channels, whose first holds noise.
void add_noise_before(TestSet& set) {
  for (ManifestEntry& entry : set.pairs.entries) {
    for (AudioFile* side : {&entry.audio, &entry.noisy}) {
      const auto samples = read_audio(side->path).samples;
      side->path.replace_extension(".stereo.wav");
      put_stereo(side->path, white(static_cast<int64_t>(samples.size()), 9), samples);
      side->hash = hash_audio(read_audio(side->path, {.channel = 1}).samples);
    }
  }
}

TEST_F(JobTest, AModelScoresTheChannelThatIsChosen) {
  TestSet stereo = set_;
  add_noise_before(stereo);
  TestSet mono = stereo;
  for (ManifestEntry& entry : mono.pairs.entries) {
    for (AudioFile* side : {&entry.audio, &entry.noisy}) {
      const auto samples = read_audio(side->path, {.channel = 1}).samples;
      side->path.replace_extension(".mono.wav");
      put_audio(side->path, samples);
    }
  }
  const auto job_of = [&](const TestSet& set, const ChannelChoice& channel,
                          const std::string& out) {
    return model_job(
        {(folder_ / "model.safetensors").string()}, set,
        {.metrics = build_metrics({"si_sdr"}), .fit = {.channel = channel}, .device = "cpu"},
        folder_ / out, quiet_);
  };
  const ResultTable expected = run_job(job_of(mono, {}, "mono"), quiet_);
  const ResultTable chosen = run_job(job_of(stereo, 1, "stereo"), quiet_);
  ASSERT_EQ(chosen.runs.front().rows.size(), 4U);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(chosen.runs.front().rows[i].scores, expected.runs.front().rows[i].scores);
    EXPECT_EQ(chosen.runs.front().rows[i].noisy_scores, expected.runs.front().rows[i].noisy_scores);
  }
  const ResultTable none = run_job(job_of(stereo, {}, "none"), quiet_);
  EXPECT_EQ(none.runs.front().failures.size(), 4U);
  EXPECT_THAT(none.runs.front().failures.at(0).reason,
              HasSubstr("has 2 channels where one was expected; limbeck-evaluate --channel"));
}

TEST_F(JobTest, ResultsOfAnotherChannelAreOthers) {
  add_noise_before(set_);
  for (const ManifestEntry& entry : set_.pairs.entries) {
    for (const auto& [folder, side] : {std::pair("c", &entry.audio), {"n", &entry.noisy}}) {
      fs::create_directories(folder_ / folder);
      fs::copy_file(side->path, folder_ / folder / (entry.id + ".wav"));
    }
  }
  const auto job_of = [&](const ChannelChoice& channel) {
    return files_job((folder_ / "n").string(), (folder_ / "c").string(), "",
                     {.metrics = build_metrics({"si_sdr"}), .fit = {.channel = channel}},
                     folder_ / "out");
  };
  // What was begun with one is not gone on with by another.
  const EvaluationJob begun = job_of(0);
  Journal(begun.folder, {begun.identity, begun.scoring.metrics, false, {}})
      .add("0", {scores_row("0", {}, {42}, {}), {}});
  EXPECT_THAT(message_of<ConfigError>([&] { run_job(job_of(1), quiet_); }),
              HasSubstr("fit.channel: \"0\" → \"1\""));
  EXPECT_EQ(run_job(begun, quiet_).runs.front().rows.at(0).scores[0], 42);
  EXPECT_THAT(message_of<ConfigError>([&] { require_own_folder(job_of(channel_choice("mix"))); }),
              HasSubstr("fit.channel: \"0\" → mix"));
  EXPECT_THAT(message_of<ConfigError>([&] { require_own_folder(job_of({})); }),
              HasSubstr("fit.channel"));
  EXPECT_THAT(said(job_of(0)), HasSubstr("scored before"));
  fs::remove_all(folder_ / "out");
  EXPECT_GT(run_job(job_of(1), quiet_).runs.front().rows.at(0).scores[0], 0);
}

TEST(EvaluateConfigChannel, IsANumberOrTheMix) {
  const std::string base = "{clean: a, estimate: b, out: c, channel: ";
  for (const std::string channel : {"1", "mix", "''"}) {
    config::read_text<EvaluateConfig>(base + channel + "}", "f.yaml");
  }
  EXPECT_THAT(
      message_of<ConfigError>([&] { config::read_text<EvaluateConfig>(base + "left}", "f.yaml"); }),
      HasSubstr("channel: 'left' is neither a channel's number, from 0, nor mix"));
}

TEST_F(JobTest, WhatIsCutIsToldAndKept) {
  fs::copy(folder_ / "noisy", folder_ / "est");
  for (const char* id : {"1", "3"}) {
    auto samples = read_audio(folder_ / "est" / (std::string(id) + ".wav")).samples;
    samples.resize(samples.size() + (id[0] == '1' ? 256 : 257));  // one more is no pair
    put_audio(folder_ / "est" / (std::string(id) + ".wav"), samples);
  }
  const auto job = files_job((folder_ / "est").string(), set_,
                             {.metrics = build_metrics({"si_sdr"})}, folder_ / "out");
  const std::string text = "of 1 of 3 pairs, one side is longer by 16 ms at most, and is cut";
  for (int call = 0; call < 2; ++call) {
    EXPECT_THAT(said(job), HasSubstr("est: " + text + ":\n  1: by 256 samples"));
  }
  EXPECT_THAT(read_file(folder_ / "out/table.md"), HasSubstr(text + "\n"));
  const auto summary = nlohmann::json::parse(read_file(folder_ / "out/summary.json"));
  EXPECT_EQ(summary["cut"], 1);
  EXPECT_EQ(summary["failures"], 1);
  EXPECT_THAT(header(), ElementsAre("id", "seconds", "speaker", "cut_samples", "si_sdr",
                                    "si_sdr_improvement", "si_sdr_noisy"));
  EXPECT_EQ(run_job(job, quiet_).runs.front().rows.at(1).cut_samples, 256);

  const auto equal = files_job((folder_ / "noisy").string(), set_,
                               {.metrics = build_metrics({"si_sdr"})}, folder_ / "equal");
  EXPECT_THAT(said(equal), Not(HasSubstr("cut")));
  EXPECT_EQ(nlohmann::json::parse(read_file(folder_ / "equal/summary.json"))["cut"], 0);
}

TEST_F(JobTest, AFileWithoutPartnerIsListedAndScoredAgainUntilAllIsThere) {
  fs::create_directory(folder_ / "est");
  for (const char* name : {"0.wav", "1.wav", "2.wav", "3.wav", "extra.wav"}) {
    fs::copy_file(folder_ / "noisy/0.wav", folder_ / "est" / name);
  }
  const auto job_now = [&] {
    return files_job((folder_ / "est").string(), set_, {.metrics = build_metrics({"si_sdr"})},
                     folder_ / "out");
  };
  EXPECT_EQ(run_job(job_now(), quiet_).runs.front().failures.at(0).id, "extra");
  EXPECT_THAT(said(job_now()), Not(HasSubstr("scored before")));
  fs::remove(folder_ / "est/extra.wav");
  EXPECT_THAT(run_job(job_now(), quiet_).runs.front().failures, IsEmpty());
  EXPECT_THAT(said(job_now()), HasSubstr("scored before"));
}

TEST_F(JobTest, RunsAreLookedAtBeforeAnyIsScored) {
  set_.pairs.write(folder_ / "test.csv");
  put_model("runs/a/model.safetensors", 3);
  put_model("runs/b/model.safetensors", 4);
  EvaluateConfig config;
  config.runs = (folder_ / "runs/*").string();
  config.manifest = (folder_ / "test.csv").string();
  config.out = (folder_ / "over").string();
  config.metrics = {"si_sdr"};
  config.device = "cpu";
  const auto run = [&](bool check_only = false) {
    testing::internal::CaptureStdout();
    const auto code = run_evaluation(config, check_only, quiet_);
    const std::string text = testing::internal::GetCapturedStdout();
    EXPECT_EQ(code, ExitCode::ok);
    return text;
  };
  EXPECT_EQ(run(true), "");
  EXPECT_FALSE(fs::exists(config.out));
  const std::string table = run();
  EXPECT_THAT(table, AllOf(HasSubstr("| a "), HasSubstr("| b "), HasSubstr(" ± ")));
  EXPECT_EQ(run(), table);

  put_model("runs/b/model.safetensors", 5);
  put_model("runs/0/model.safetensors", 6);
  EXPECT_THAT(message_of<ConfigError>([&] { run_evaluation(config, false, quiet_); }),
              HasSubstr((folder_ / "over/b").string() + ": holds results of something else"));
  EXPECT_FALSE(fs::exists(folder_ / "over/0"));
  fs::remove_all(folder_ / "over/b");
  EXPECT_THAT(message_of<ConfigError>([&] { run_evaluation(config, false, quiet_); }),
              HasSubstr("models: b ("));
  fs::remove(folder_ / "over/summary.json");
  EXPECT_THAT(run(), HasSubstr("| all runs |    3 |"));
}

}  // namespace
}  // namespace limbeck::test
