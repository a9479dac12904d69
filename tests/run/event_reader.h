#pragma once

// Reads event files of TensorBoard without any of the code that writes them.

#include <bit>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace limbeck::test {

/// Fields of a message by their number; a number as its eight bytes.
inline std::multimap<int, std::string> fields_of(std::string_view message) {
  const auto varint = [&] {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<uint8_t>(message.at(0));
      message.remove_prefix(1);
      value += static_cast<uint64_t>(byte % 128) << shift;
      if (byte < 128) return value;
    }
  };
  std::multimap<int, std::string> fields;
  while (!message.empty()) {
    const uint64_t tag = varint();
    std::string value;
    if (tag % 8 == 0) {
      const uint64_t number = varint();
      value.assign(reinterpret_cast<const char*>(&number), 8);
    } else {
      const uint64_t size = tag % 8 == 1 ? 8 : tag % 8 == 5 ? 4 : varint();
      value = message.substr(0, size);
      message.remove_prefix(size);
    }
    fields.emplace(static_cast<int>(tag / 8), value);
  }
  return fields;
}

template <class Number>
Number number_in(const std::string& bytes) {
  Number number{};
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

/// CRC-32C bit by bit, masked as in TFRecords.
inline uint32_t check_of(std::string_view bytes) {
  uint32_t crc = 0xFFFFFFFFU;
  for (const char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int i = 0; i < 8; ++i) crc = crc % 2 == 1 ? crc / 2 ^ 0x82F63B78U : crc / 2;
  }
  return std::rotr(crc ^ 0xFFFFFFFFU, 15) + 0xA282EAD8U;
}

struct EventValue {
  std::string tag;
  std::multimap<int, std::string> fields;
  float scalar() const { return number_in<float>(fields.find(2)->second); }
};

/// The WAV file of a value of the audio plugin; "" for another value.
inline std::string sound_in(const EventValue& value) {
  const auto metadata = value.fields.find(9);
  const auto tensor = value.fields.find(8);
  if (metadata == value.fields.end() || tensor == value.fields.end()) return "";
  const auto plugin = fields_of(fields_of(metadata->second).find(1)->second);
  if (plugin.find(1)->second != "audio") return "";
  return fields_of(tensor->second).find(8)->second;
}

struct Event {
  double wall_time = 0;
  int64_t step = 0;
  std::string file_version;
  std::vector<EventValue> values;
};

/// All whole records; how many bytes follow them goes to `rest`.
inline std::vector<Event> read_events(std::string_view file, size_t* rest = nullptr) {
  std::vector<Event> events;
  while (file.size() >= 16) {
    const auto size = number_in<uint64_t>(std::string(file.substr(0, 8)));
    if (check_of(file.substr(0, 8)) != number_in<uint32_t>(std::string(file.substr(8, 4)))) break;
    if (size > file.size() - 16) break;
    const auto message = file.substr(12, size);
    if (check_of(message) != number_in<uint32_t>(std::string(file.substr(12 + size, 4)))) break;
    file.remove_prefix(16 + size);
    Event& event = events.emplace_back();
    for (const auto& [number, value] : fields_of(message)) {
      if (number == 1) event.wall_time = number_in<double>(value);
      if (number == 2) event.step = number_in<int64_t>(value);
      if (number == 3) event.file_version = value;
      if (number != 5) continue;
      for (const auto& [ignored, text] : fields_of(value)) {
        EventValue& one = event.values.emplace_back();
        one.fields = fields_of(text);
        one.tag = one.fields.find(1)->second;
      }
    }
  }
  if (rest != nullptr) *rest = file.size();
  return events;
}

}  // namespace limbeck::test
