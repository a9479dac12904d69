#include <nlohmann/json.hpp>

#include "fuzz/fuzzer.h"
#include "limbeck/core/json.h"
#include "limbeck/nn/model_file.h"
#include "nn/random_model.h"
#include "nn/support.h"

namespace limbeck::test {
namespace {

/// Options as a header holds them, beside tensors of one network.
fuzz::Reader model_header() {
  const auto state = nn::state_of(*make_model());
  std::vector<std::string> near;
  for (uint64_t number = 0; number < 8; ++number) {
    near.push_back("name: denoising_autoencoder\n" + random_causal_model(number));
  }
  return {"model",
          {config::to_yaml(config::to_node(model_config()))},
          {"0",
           "1",
           "-1",
           "4096",
           "16",
           "8192",
           "96000",
           "9223372036854775807",
           "1e9",
           ".inf",
           "gru",
           "dual_path",
           "none",
           "batch",
           "instance",
           "concat",
           "channels: 4096\n",
           "blocks: 32",
           "stride: 8",
           "hidden: 4096",
           "layers: 8",
           "groups: 64",
           "merged: 8192",
           "fft_samples: 16384",
           "&a ",
           "*a",
           "[",
           "{",
           "  - ",
           "  - *a\n",
           "\n",
           ": ",
           "\xFF"},
          [state](const std::string& yaml) {
            SafeTensors contents{state, {}};
            contents.metadata["limbeck"] =
                json_text(nlohmann::json{{"format", 1}, {"model", yaml}});
            nn::parse_model(serialize_safetensors(contents), "fuzz");
          },
          near};
}

TEST(ModelFuzz, EveryHeaderIsReadOrRefused) { fuzz::expect_answers(model_header()); }

}  // namespace
}  // namespace limbeck::test
