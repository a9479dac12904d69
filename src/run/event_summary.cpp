// Numbers of fields are those of tensorboard/compat/proto/summary.proto and
// tensorboard/plugins/{audio/plugin_data,hparams/api,hparams/plugin_data}.proto.

#include <charconv>
#include <chrono>
#include <optional>

#include "limbeck/run/event_file.h"

namespace limbeck {
namespace {

constexpr int kValue = 1;  // of Summary
// Of Summary.Value:
constexpr int kTag = 1;
constexpr int kSimpleValue = 2;
constexpr int kImage = 4;
constexpr int kTensor = 8;
constexpr int kMetadata = 9;

/// SummaryMetadata: what a plugin keeps of a tag.
ProtobufWriter metadata_for(const std::string& plugin_name, const ProtobufWriter& content) {
  ProtobufWriter plugin;
  plugin.bytes(1, plugin_name);
  plugin.message(2, content);
  ProtobufWriter metadata;
  metadata.message(1, plugin);
  return metadata;
}

/// `field` is that of HParamsPluginData for what `content` is.
ProtobufWriter hparams_value(const std::string& tag, int field, const ProtobufWriter& content) {
  ProtobufWriter plugin_content;
  plugin_content.message(field, content);
  ProtobufWriter value;
  value.bytes(kTag, tag);
  value.message(kMetadata, metadata_for("hparams", plugin_content));
  return value;
}

enum class HparamType { text = 1, boolean = 2, number = 3 };  // DataType of api.proto

struct Hparam {
  std::string key;
  HparamType type;
  ProtobufWriter value;  ///< google.protobuf.Value
};

std::optional<double> number_of(const config::Node& node) {
  const char* end = node.scalar.data() + node.scalar.size();
  double number = 0;
  const auto [stop, error] = std::from_chars(node.scalar.data(), end, number);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

Hparam hparam(const std::string& key, const config::Node& node) {
  Hparam made{key, HparamType::text, {}};
  const bool plain = node.kind == config::Node::Kind::scalar && !node.quoted;
  if (const auto number = plain ? number_of(node) : std::nullopt) {
    made.type = HparamType::number;
    made.value.float64(2, *number);
  } else if (plain && (node.scalar == "true" || node.scalar == "false")) {
    made.type = HparamType::boolean;
    made.value.integer(4, node.scalar == "true" ? 1 : 0);
  } else {
    made.value.bytes(
        3, node.kind == config::Node::Kind::scalar ? node.scalar : config::to_flow_yaml(node));
  }
  return made;
}

/// The leaves of `node`, lists among them.
void collect(const std::string& key, const config::Node& node, std::vector<Hparam>& all) {
  if (!node.is_map()) {
    all.push_back(hparam(key, node));
    return;
  }
  for (const auto& entry : node.entries) {
    collect(key.empty() ? entry.key : key + "." + entry.key, entry.value, all);
  }
}

}  // namespace

void EventSummary::scalar(const std::string& tag, double value) {
  ProtobufWriter message;
  message.bytes(kTag, tag);
  message.float32(kSimpleValue, static_cast<float>(value));
  message_.message(kValue, message);
}

void EventSummary::image(const std::string& tag, const std::string& png, int64_t width,
                         int64_t height) {
  ProtobufWriter image;
  image.integer(1, height);
  image.integer(2, width);
  image.integer(3, 3);  // colours: RGB
  image.bytes(4, png);
  ProtobufWriter value;
  value.bytes(kTag, tag);
  value.message(kImage, image);
  message_.message(kValue, value);
}

void EventSummary::audio(const std::string& tag, const std::string& wav) {
  // Message Audio is older, and with it TensorBoard does not tell browsers what type of sound it
  // is.
  ProtobufWriter dimension;
  dimension.integer(1, 1);  // size
  ProtobufWriter shape;
  shape.message(2, dimension);
  ProtobufWriter tensor;
  tensor.integer(1, 7);  // dtype: strings
  tensor.message(2, shape);
  tensor.bytes(8, wav);
  ProtobufWriter plugin_content;  // AudioPluginData
  plugin_content.integer(2, 11);  // encoding: WAV
  ProtobufWriter metadata = metadata_for("audio", plugin_content);
  metadata.integer(4, 3);  // data_class: a sequence of blobs
  ProtobufWriter value;
  value.bytes(kTag, tag);
  value.message(kTensor, tensor);
  value.message(kMetadata, metadata);
  message_.message(kValue, value);
}

void EventSummary::hyperparameters(const config::Node& config,
                                   const std::vector<std::string>& metrics) {
  std::vector<Hparam> all;
  collect("", config, all);
  ProtobufWriter experiment;
  ProtobufWriter start;  // SessionStartInfo
  for (const Hparam& one : all) {
    ProtobufWriter info;
    info.bytes(1, one.key);
    info.integer(4, static_cast<int64_t>(one.type));
    experiment.message(4, info);
    ProtobufWriter entry;  // of map<string, google.protobuf.Value>
    entry.bytes(1, one.key);
    entry.message(2, one.value);
    start.message(1, entry);
  }
  for (const std::string& tag : metrics) {
    ProtobufWriter name;
    name.bytes(2, tag);
    ProtobufWriter info;
    info.message(1, name);
    experiment.message(5, info);
  }
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  start.float64(5, now.count());
  message_.message(kValue, hparams_value("_hparams_/experiment", 2, experiment));
  message_.message(kValue, hparams_value("_hparams_/session_start_info", 3, start));
}

}  // namespace limbeck
