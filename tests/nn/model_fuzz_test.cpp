#include <nlohmann/json.hpp>

#include "fuzz/fuzzer.h"
#include "limbeck/core/json.h"
#include "limbeck/core/safetensors.h"
#include "limbeck/nn/model_file.h"
#include "nn/random_model.h"
#include "nn/support.h"

namespace limbeck::test {
namespace {

/// A model file but for its options: to write the other tensors anew for each would take as long as
/// to read them.
class Form {
 public:
  explicit Form(const std::map<std::string, at::Tensor>& state) {
    const std::string bytes = serialize_safetensors({state, {{"limbeck", "@"}}});
    const auto begin = static_cast<size_t>(parse_safetensors_header(bytes, "form").data_begin);
    const std::string header = bytes.substr(kLengthBytes, begin - kLengthBytes);
    const size_t at = header.find("\"@\"");
    before_ = header.substr(0, at);
    after_ = header.substr(at + 3);
    data_ = bytes.substr(begin);
  }

  std::string with(const std::string& options) const {
    const nlohmann::json text = json_text(nlohmann::json{{"format", 1}, {"model", options}});
    const std::string header = before_ + json_text(text) + after_;
    std::string bytes;
    for (size_t i = 0; i < kLengthBytes; ++i) bytes += static_cast<char>(header.size() >> (8 * i));
    return bytes + header + data_;
  }

 private:
  static constexpr size_t kLengthBytes = 8;
  std::string before_, after_, data_;
};

/// Options as a header holds them, beside tensors of one network.
fuzz::Reader model_header() {
  const Form form(nn::state_of(*make_model()));
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
          [form](const std::string& yaml) { nn::parse_model(form.with(yaml), "fuzz"); },
          near};
}

TEST(ModelFuzz, EveryHeaderIsReadOrRefused) { fuzz::expect_answers(model_header()); }

}  // namespace
}  // namespace limbeck::test
