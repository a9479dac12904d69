#pragma once

#include <string>
#include <string_view>

namespace limbeck {

/// Levels that JSON may nest: nothing of ours has ten. What copies and writes such trees recurses.
constexpr int kMaxJsonDepth = 100;

/// True if brackets nest deeper, whether or not the rest is JSON.
bool is_deep_json(std::string_view text);

// `Json` is nlohmann::json, which public headers do not include.

template <class Json>
struct DeepJson : Json::exception {
  DeepJson() : Json::exception(0, "nested deeper than 100 levels") {}
};

/// JSON of a file that somebody else may have written. Throws Json::exception.
template <class Json>
Json parse_json(std::string_view text) {
  if (is_deep_json(text)) throw DeepJson<Json>();
  return Json::parse(text);
}

/// The same; discarded where it is none.
template <class Json>
Json parse_json_if_sound(std::string_view text) {
  return is_deep_json(text) ? Json(Json::value_t::discarded) : Json::parse(text, nullptr, false);
}

/// Texts in it that are no UTF-8 are written with U+FFFD in their place: names that are read back
/// want escape_bytes.
template <class Json>
std::string json_text(const Json& value, int indent = -1) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace limbeck
