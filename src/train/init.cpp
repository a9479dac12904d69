#include "limbeck/train/init.h"

#include <torch/types.h>

#include <algorithm>
#include <set>
#include <string>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/nn/safetensors.h"

namespace limbeck {
namespace {

using Names = std::set<std::string>;

/// "encoder.0.*, head.bias": a part of the network that is in `names` as a whole is named as one.
std::string in_few_words(const Names& names, const Names& all) {
  const auto is_whole = [&](const std::string& prefix) {
    return std::all_of(all.begin(), all.end(), [&](const std::string& name) {
      return !name.starts_with(prefix) || names.contains(name);
    });
  };
  std::vector<std::string> words;
  for (const std::string& name : names) {
    std::string word = name;
    for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
      const std::string prefix = name.substr(0, dot + 1);
      if (!is_whole(prefix)) continue;
      word = prefix + "*";
      break;
    }
    if (words.empty() || words.back() != word) words.push_back(word);
  }
  return join(words, ", ");
}

void take_what_fits(nn::DenoisingModel& model, const std::map<std::string, at::Tensor>& tensors,
                    const std::string& source, Logger* logger) {
  const at::NoGradGuard no_grad;
  Names own, taken, left, given, unused;
  for (auto& [name, tensor] : nn::state_of(model)) {
    own.insert(name);
    const auto found = tensors.find(name);
    const bool fits = found != tensors.end() && found->second.sizes() == tensor.sizes() &&
                      found->second.scalar_type() == tensor.scalar_type();
    (fits ? taken : left).insert(name);
    if (fits) at::Tensor(tensor).copy_(found->second);
  }
  for (const auto& [name, tensor] : tensors) {
    given.insert(name);
    if (!taken.contains(name)) unused.insert(name);
  }
  if (taken.empty()) throw ConfigError(source + ": nothing in it fits this network");
  if (logger == nullptr) return;
  logger->info(format("%s: %d of %d weights are taken: %s", source, taken.size(), own.size(),
                      in_few_words(taken, own)));
  if (!left.empty()) logger->info("not taken, and so random: " + in_few_words(left, own));
  if (!unused.empty()) logger->info("in that file, but not used: " + in_few_words(unused, given));
}

}  // namespace

std::optional<TrainedModel> find_init(const TrainOptions& options) {
  if (options.init.empty()) return std::nullopt;
  try {
    return find_model(options.init, "best");
  } catch (const CheckpointError& e) {
    throw ConfigError(std::string("train.init: ") + e.what());
  }
}

void take_init(nn::DenoisingModel& model, const TrainOptions& options, const TrainedModel& init,
               Logger* logger) {
  const std::string source = "train.init: " + init.file.string();
  const std::string bytes = read_found(init, "train.init");
  try {
    const auto tensors = parse_safetensors(bytes, init.file.string()).tensors;
    if (options.init_fit == "partial") return take_what_fits(model, tensors, source, logger);
    nn::load_state(model, tensors, source);
  } catch (const CheckpointError& e) {
    throw ConfigError(std::string(e.what()) + "\ntrain.init_fit: partial takes what fits");
  }
  if (logger != nullptr) logger->info(source + ": all weights are taken");
}

}  // namespace limbeck
