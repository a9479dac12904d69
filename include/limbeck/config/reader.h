#pragma once

#include <memory>
#include <string>

#include "limbeck/config/schema.h"

namespace limbeck::config {

namespace detail {
/// Reads one map into one struct; reports what is left over when it is destroyed by `read`.
std::unique_ptr<Visitor> make_reader(const Node& map, const std::string& path,
                                     Diagnostics& diagnostics);
void report_unknown_keys(Visitor& reader);
}  // namespace detail

/// Fills a struct from a tree. Wrong types, values out of range, unknown keys and failed
/// cross-field checks go to `diagnostics`; `path` is the dotted key of `map` in the whole
/// configuration.
template <class Options>
Options read(const Node& map, Diagnostics& diagnostics, const std::string& path = "") {
  Options options;
  const auto reader = detail::make_reader(map, path, diagnostics);
  options.describe(*reader);
  detail::report_unknown_keys(*reader);
  return options;
}

/// The same from YAML text that this program wrote (a run's config, a model file's header).
/// Throws ConfigError with every message.
template <class Options>
Options read_text(const std::string& yaml, const std::string& source) {
  Diagnostics diagnostics;
  const Node node = parse_yaml(yaml, source, diagnostics);
  Options options = read<Options>(node, diagnostics);
  diagnostics.throw_if_any();
  return options;
}

}  // namespace limbeck::config
