#include "limbeck/run/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <string_view>

#include "limbeck/core/crc32c.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "run/layout.h"

namespace limbeck {
namespace {

// A record: length (8 bytes), its check (4), the message, its check (4); all numbers lowest byte
// first.
constexpr size_t kBefore = 12;
constexpr size_t kAfter = 4;

std::string fixed(uint64_t number, size_t size) {
  std::string bytes;
  for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(number >> 8 * i & 0xFFU);
  return bytes;
}

uint64_t read_fixed(std::string_view bytes) {
  uint64_t number = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    number |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << 8 * i;
  }
  return number;
}

/// The message of the record at `at`, if that is whole.
std::optional<std::string_view> record_at(std::string_view file, size_t at) {
  if (file.size() - at < kBefore + kAfter) return std::nullopt;
  const uint64_t length = read_fixed(file.substr(at, 8));
  if (read_fixed(file.substr(at + 8, 4)) != masked_crc32c(file.substr(at, 8)) ||
      length > file.size() - at - kBefore - kAfter) {
    return std::nullopt;
  }
  const auto message = file.substr(at + kBefore, length);
  const auto check = read_fixed(file.substr(at + kBefore + length, kAfter));
  return check == masked_crc32c(message) ? std::optional(message) : std::nullopt;
}

/// A field of a message as this file's writer makes them.
struct Field {
  uint64_t number = 0;
  uint64_t integer = 0;    ///< or the length of `bytes`
  std::string_view bytes;  ///< of a text or a message
};

uint64_t take_varint(std::string_view& message) {
  uint64_t value = 0;
  for (unsigned shift = 0; !message.empty() && shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(message.front());
    message.remove_prefix(1);
    value |= uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) break;
  }
  return value;
}

Field take_field(std::string_view& message) {
  const uint64_t tag = take_varint(message);
  Field field;
  field.number = tag >> 3U;
  const uint64_t type = tag & 7U;
  if (type == 0 || type == 2) field.integer = take_varint(message);
  const uint64_t size = type == 1 ? 8 : type == 5 ? 4 : type == 2 ? field.integer : 0;
  field.bytes = message.substr(0, size);
  message.remove_prefix(field.bytes.size());
  return field;
}

/// The first field of that number; an empty one where there is none.
Field find_field(std::string_view message, uint64_t number) {
  while (!message.empty()) {
    const Field field = take_field(message);
    if (field.number == number) return field;
  }
  return {};
}

/// Numbers of fields of Event, in tensorboard/compat/proto/event.proto.
constexpr int kWallTime = 1;
constexpr int kStep = 2;
constexpr int kFileVersion = 3;
constexpr int kSummary = 5;

/// What of a file stays when its run goes on from `step`.
std::string kept_records(std::string_view file, int64_t step, bool validated) {
  std::string kept;
  size_t at = 0;
  while (const auto message = record_at(file, at)) {
    const auto event_step = static_cast<int64_t>(find_field(*message, kStep).integer);
    const auto summary = find_field(*message, kSummary).bytes;
    const auto tag = find_field(find_field(summary, 1).bytes, 1).bytes;
    const size_t size = kBefore + message->size() + kAfter;
    // What a validation found may have been written after later steps.
    const bool is_again =
        event_step > step || (event_step == step && !validated && !tag.starts_with("train/"));
    if (!is_again) kept += file.substr(at, size);
    at += size;
  }
  return kept;
}

ProtobufWriter make_event(int64_t step) {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  ProtobufWriter event;
  event.float64(kWallTime, now.count());
  event.integer(kStep, step);
  return event;
}

}  // namespace

EventFile::EventFile(const std::filesystem::path& run, Logger& logger)
    : file_(run / kEventsFolder / "events.out.tfevents.limbeck"), logger_(logger) {}

EventFile::~EventFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void EventFile::truncate(int64_t step, bool validated) {
  try {
    if (!is_there(file_)) return;
    const MappedFile mapped(file_);
    const std::string kept = kept_records(mapped.bytes(), step, validated);
    if (kept.size() != mapped.bytes().size()) write_file_atomically(file_, kept);
  } catch (const DataError& e) {
    give_up(e.what());
  }
}

bool EventFile::empty() const {
  std::error_code error;
  const auto size = std::filesystem::file_size(file_, error);
  return !given_up_ && (error || size == 0);
}

void EventFile::add(int64_t step, const EventSummary& summary) {
  if (given_up_) return;
  if (descriptor_ < 0) open();
  ProtobufWriter event = make_event(step);
  event.message(kSummary, summary.message());
  write_record(event);
}

void EventFile::open() {
  std::error_code error;
  std::filesystem::create_directories(file_.parent_path(), error);
  const bool is_new = empty();
  descriptor_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    return give_up(file_.string() + ": cannot be written: " + std::strerror(errno));
  }
  if (!is_new) return;
  ProtobufWriter event = make_event(0);
  event.bytes(kFileVersion, "brain.Event:2");
  write_record(event);
}

void EventFile::write_record(const ProtobufWriter& event) {
  if (given_up_) return;
  const std::string& message = event.data();
  const std::string length = fixed(message.size(), 8);
  const std::string record =
      length + fixed(masked_crc32c(length), 4) + message + fixed(masked_crc32c(message), kAfter);
  for (size_t done = 0; done < record.size();) {
    const ssize_t now = ::write(descriptor_, record.data() + done, record.size() - done);
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) return give_up(file_.string() + ": cannot be written: " + std::strerror(errno));
    done += static_cast<size_t>(now);
  }
}

void EventFile::give_up(const std::string& why) {
  given_up_ = true;
  logger_.warn(why + "; TensorBoard is told nothing more, and training goes on");
}

}  // namespace limbeck
