#include "limbeck/nn/model_file.h"

#include <nlohmann/json.hpp>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "nn/model_options.h"
#include "nn/presets.h"
#include "nn/random_model.h"
#include "nn/support.h"

namespace limbeck::test {
namespace {

constexpr const char* kChanges =
    "temporal: {type: gru, hidden: 6}\nactivation: prelu\nlookahead_frames: 1";

/// A model that has seen data, in its file.
class ModelFile : public testing::Test {
 protected:
  ModelFile() : config_(model_config(kChanges)), model_(nn::build_model(config_, SeedKey(3))) {
    model_->forward(normal({2, 500}, 1), {});  // running statistics
    nn::write_model(path_, *model_);
  }

  /// The file with other contents; returns the one message that reading gives.
  template <class Change>
  std::string message_after(Change change) {
    SafeTensors contents = read_safetensors(path_);
    change(contents);
    write_safetensors(path_, contents);
    return message_of<CheckpointError>([&] { nn::read_model(path_); });
  }

  int64_t stored_values() const {
    int64_t values = 0;
    for (const auto& [name, tensor] : read_safetensors(path_).tensors) values += tensor.numel();
    return values;
  }

  TempDir dir_;
  std::filesystem::path path_ = dir_ / "model.safetensors";
  nn::ModelConfig config_;
  std::shared_ptr<nn::DenoisingModel> model_;
};

TEST_F(ModelFile, RoundTripKeepsEveryBitAndTheArchitecture) {
  const auto loaded = nn::read_model(path_);
  EXPECT_FALSE(loaded->is_training());
  const auto before = nn::state_of(*model_);
  const auto after = nn::state_of(*loaded);
  ASSERT_EQ(before.size(), after.size());
  for (const auto& [name, tensor] : before) EXPECT_TRUE(same_bits(tensor, after.at(name))) << name;
  EXPECT_EQ(config::to_yaml(config::to_node(loaded->config())),
            config::to_yaml(config::to_node(config_)));
  EXPECT_EQ(nn::serialize_model(*loaded), read_file(path_));
  model_->eval();
  const auto x = normal({1, 400}, 2);
  EXPECT_TRUE(same_bits(model_->forward(x, {}).estimate, loaded->forward(x, {}).estimate));
}

TEST_F(ModelFile, DerivedWindowsAreNotStored) {
  for (const auto& [name, tensor] : read_safetensors(path_).tensors) {
    EXPECT_THAT(name, testing::Not(testing::HasSubstr("window")));
  }
}

TEST_F(ModelFile, MissingTensor) {
  EXPECT_EQ(message_after([](SafeTensors& c) { c.tensors.erase("latent.weight"); }),
            path_.string() + ": latent.weight: missing in the file");
}

TEST_F(ModelFile, WrongShape) {
  EXPECT_EQ(
      message_after(
          [](SafeTensors& c) { c.tensors["latent.weight"] = torch::zeros({4, 9, 1, 1}); }),
      path_.string() +
          ": latent.weight: [4, 9, 1, 1] Float in the file, [4, 5, 1, 1] Float in the network");
}

TEST_F(ModelFile, WrongDtype) {
  EXPECT_EQ(message_after([](SafeTensors& c) {
              c.tensors["latent.bias"] = c.tensors["latent.bias"].to(torch::kDouble);
            }),
            path_.string() + ": latent.bias: [4] Double in the file, [4] Float in the network");
}

TEST_F(ModelFile, ExtraTensor) {
  EXPECT_EQ(message_after([](SafeTensors& c) { c.tensors["surplus"] = torch::zeros({2}); }),
            path_.string() + ": surplus: in the file, but not in the network");
}

TEST_F(ModelFile, EveryDifferenceInOneMessage) {
  const auto message = message_after([](SafeTensors& c) {
    c.tensors.erase("latent.weight");
    c.tensors["surplus"] = torch::zeros({2});
  });
  EXPECT_THAT(message, testing::HasSubstr("latent.weight: missing"));
  EXPECT_THAT(message, testing::HasSubstr("surplus: in the file"));
}

TEST_F(ModelFile, ArchitectureThatDoesNotFitTheTensors) {
  const auto message = message_after([](SafeTensors& c) {
    auto header = nlohmann::json::parse(c.metadata["limbeck"]);
    header["model"] = config::to_yaml(config::to_node(model_config("latent: {channels: 8}")));
    c.metadata["limbeck"] = header.dump();
  });
  EXPECT_THAT(message, testing::HasSubstr("latent.weight"));
}

TEST_F(ModelFile, FromBeforeTemporalModelsHadTheirOwnOptions) {
  const auto model = make_model("temporal: none");
  nn::write_model(path_, *model);
  SafeTensors contents = read_safetensors(path_);
  auto header = nlohmann::json::parse(contents.metadata["limbeck"]);
  const std::string now = "temporal:\n  type: none\n";
  std::string yaml = header["model"].get<std::string>();
  const size_t at = yaml.find(now);
  ASSERT_NE(at, std::string::npos) << yaml;
  yaml.replace(at, now.size(), now + "  hidden: 64\n  layers: 1\n  groups: 1\n");
  header["model"] = yaml;
  contents.metadata["limbeck"] = header.dump();
  write_safetensors(path_, contents);
  EXPECT_EQ(nn::serialize_model(*nn::read_model(path_)), nn::serialize_model(*model));
}

TEST_F(ModelFile, WrongMetadata) {
  const auto original = read_safetensors(path_).metadata.at("limbeck");
  const auto with_header = [&](const std::string& key, const nlohmann::json& value) {
    auto header = nlohmann::json::parse(original);
    header[key] = value;
    const std::string text = header.dump();
    return message_after([&](SafeTensors& c) { c.metadata["limbeck"] = text; });
  };
  EXPECT_THAT(with_header("format", 99),
              testing::HasSubstr("model format 99; this version reads 1"));
  EXPECT_THAT(with_header("format", "one"), testing::HasSubstr("malformed model header"));
  EXPECT_THAT(with_header("model", "name: denoising_autoencoder\nwidth: 3\n"),
              testing::HasSubstr("width"));
  EXPECT_THAT(with_header("model", "name: transformer\n"), testing::HasSubstr("transformer"));
  EXPECT_THAT(message_after([](SafeTensors& c) { c.metadata["limbeck"] = "{"; }),
              testing::HasSubstr("malformed model header"));
  EXPECT_THAT(message_after([](SafeTensors& c) { c.metadata.clear(); }),
              testing::HasSubstr("not a Limbeck model"));
}

TEST_F(ModelFile, ASmallFileCannotAskForALargeNetwork) {
  const auto with_model = [&](const std::string& yaml) {
    return message_after([&](SafeTensors& c) {
      c.metadata["limbeck"] = nlohmann::json{{"format", 1}, {"model", yaml}}.dump();
    });
  };
  // 100 MiB of weights.
  EXPECT_EQ(
      with_model("name: denoising_autoencoder\nlatent: {channels: 4096, in_channels: 4000}\n"),
      path_.string() + ": the options in its header make a network of " +
          "16532292 numbers, but it holds " + std::to_string(stored_values()));
  EXPECT_THAT(with_model("name: denoising_autoencoder\nexpansion: 16\nencoder:\n"
                         "  - {channels: 4096, stride: 1, blocks: 32}\n"),
              testing::HasSubstr("encoder: makes a network of"));
  std::string stages = "name: denoising_autoencoder\nencoder:\n  - &a {stride: 8}\n";
  for (int i = 0; i < 63; ++i) stages += "  - *a\n";
  EXPECT_THAT(with_model(stages), testing::HasSubstr("which does not divide"));
  EXPECT_THAT(with_model(stages + "  - *a\n"), testing::HasSubstr("more than 64 stages"));
  EXPECT_THAT(with_model("bands: {kept: 1, merged: 9000000000000000000}\n"),
              testing::HasSubstr("out of range"));
  std::string aliases = "l0: &l0 [x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    aliases += format("l%d: &l%d [*l%d, *l%d, *l%d, *l%d, *l%d, *l%d]\n", i, i, i - 1, i - 1, i - 1,
                      i - 1, i - 1, i - 1);
  }
  EXPECT_THAT(with_model(aliases), testing::HasSubstr("aliases written out"));
}

TEST_F(ModelFile, ValuesAreCountedWithoutBuilding) {
  const auto expect_counted = [](const nn::ModelConfig& config, const std::string& name) {
    int64_t values = 0;
    for (const auto& [key, tensor] : nn::state_of(*nn::build_model(config, SeedKey(1)))) {
      values += tensor.numel();
    }
    EXPECT_EQ(config.chosen.as<nn::ModelOptions>().values(), values) << name;
  };
  for (const std::string& name : preset_names()) expect_counted(read_preset(name), name);
  for (uint64_t number = 0; number < 60; ++number) {
    const std::string yaml = random_causal_model(number);
    expect_counted(model_config(yaml), yaml);
  }
}

TEST_F(ModelFile, Truncated) {
  const std::string whole = read_file(path_);
  for (const size_t size : {size_t{0}, size_t{7}, size_t{100}, whole.size() - 1}) {
    write_file_atomically(path_, whole.substr(0, size));
    EXPECT_THAT(message_of<CheckpointError>([&] { nn::read_model(path_); }),
                testing::HasSubstr(path_.string()))
        << size;
  }
}

TEST_F(ModelFile, AFailedLoadChangesNothing) {
  const auto other = nn::build_model(config_, SeedKey(4));
  const auto before = nn::serialize_model(*other);
  auto tensors = nn::state_of(*model_);
  tensors.erase("head.bias");
  EXPECT_THROW(nn::load_state(*other, tensors, "here"), CheckpointError);
  EXPECT_EQ(nn::serialize_model(*other), before);
}

}  // namespace
}  // namespace limbeck::test
