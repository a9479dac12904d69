#pragma once

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "nn/support.h"
#include "objective/fake_model.h"

namespace limbeck::test {

/// A model that has named taps but no network.
class TappedModel : public FakeModel {
 public:
  explicit TappedModel(std::vector<std::pair<std::string, nn::TapInfo>> taps)
      : FakeModel({}), taps_(std::move(taps)) {}
  std::vector<std::string> tap_names() const override {
    std::vector<std::string> names;
    for (const auto& [name, info] : taps_) names.push_back(name);
    return names;
  }
  nn::TapInfo tap_info(const std::string& tap) const override {
    for (const auto& [name, info] : taps_)
      if (name == tap) return info;
    throw ConfigError("unknown tap '" + tap + "'; this network has: " + join(tap_names(), ", "));
  }

 private:
  std::vector<std::pair<std::string, nn::TapInfo>> taps_;
};

/// [B, size], 1 before lengths[b].
inline at::Tensor lengths_mask(const std::vector<int64_t>& lengths, int64_t size) {
  auto mask = torch::zeros({static_cast<int64_t>(lengths.size()), size});
  for (size_t b = 0; b < lengths.size(); ++b)
    mask[static_cast<int64_t>(b)].narrow(0, 0, lengths[b]).fill_(1);
  return mask;
}

}  // namespace limbeck::test
