#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "limbeck/config/node.h"
#include "limbeck/core/log.h"
#include "limbeck/core/protobuf_writer.h"

namespace limbeck {

/// What one event tells: message Summary of TensorFlow's summary.proto.
class EventSummary {
 public:
  void scalar(const std::string& tag, double value);
  void image(const std::string& tag, const std::string& png, int64_t width, int64_t height);
  void audio(const std::string& tag, const std::string& wav);
  /// For the tab HPARAMS: every option of `config` by its dotted key, and the tags of the scalars
  /// by which runs are compared.
  void hyperparameters(const config::Node& config, const std::vector<std::string>& metrics);

  bool empty() const { return message_.data().empty(); }
  const ProtobufWriter& message() const { return message_; }

 private:
  ProtobufWriter message_;
};

/// What a run tells TensorBoard, in RUN/tensorboard: one file of TFRecords, each a message Event
/// with a masked CRC-32C, in steps that do not fall. An event is in the file when `add` returns,
/// whatever happens to the process.
///
/// It never ends a training: what cannot be read or written is warned about once, and from then on
/// nothing is written.
class EventFile {
 public:
  /// Neither makes nor opens anything. `logger` must outlive it.
  EventFile(const std::filesystem::path& run, Logger& logger);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  /// For a run that goes on from `step`: drops the events after it and, unless `validated`, those
  /// of that step which do not begin with a tag "train/…", for they will be written again; and what
  /// a killed process left of a record.
  void truncate(int64_t step, bool validated);
  /// There are no events yet, in a file that can be written.
  bool empty() const;
  void add(int64_t step, const EventSummary& summary);

 private:
  void open();
  void write_record(const ProtobufWriter& event);
  void give_up(const std::string& why);

  std::filesystem::path file_;
  Logger& logger_;
  int descriptor_ = -1;
  bool given_up_ = false;
};

}  // namespace limbeck
