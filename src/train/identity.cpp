#include "limbeck/train/identity.h"

#include <stdexcept>

namespace limbeck {
namespace {

/// To be raised whenever the same facts come to train other weights.
constexpr int64_t kFormatVersion = 2;

/// Shares of manifests came later than identities did, and say nothing where none are given.
void drop_no_shares(config::Node& node) {
  std::erase_if(node.entries, [](const auto& entry) {
    return entry.key.ends_with("_shares") && entry.value.items.empty();
  });
  for (auto& entry : node.entries) drop_no_shares(entry.value);
  for (config::Node& item : node.items) drop_no_shares(item);
}

}  // namespace

Identity training_identity(const TrainingConfig& config,
                           const std::map<std::string, std::string>& data_content,
                           const std::string& teacher_hash, const std::string& init_hash) {
  if (config.train.init.empty() != init_hash.empty()) {
    throw std::logic_error("training_identity: train.init without its content");
  }
  config::Node facts = config::to_node(config, true);
  drop_no_shares(facts);
  Identity identity("training", kFormatVersion, facts);
  for (const auto& [key, hash] : data_content) identity.set("data." + key, hash);
  if (config.distill.terms.empty()) {  // no teacher takes part, and nothing is said of it
    identity.set("teacher", config::Node());
    identity.set("distill", config::Node());
  } else {
    identity.set(kTeacherKey, teacher_hash);
  }
  if (config.train.init.empty()) {
    identity.set("train.init_fit", config::Node());
  } else {
    identity.set("train.init", init_hash);
  }
  return identity;
}

}  // namespace limbeck
