#pragma once

#include <filesystem>
#include <string>

#include "limbeck/config/reader.h"
#include "limbeck/data/options.h"

namespace limbeck::test {

/// The section `data:` as text: "source: {type: pairs, manifest: a.csv}, workers: 0".
inline DataOptions data_options(const std::string& text) {
  return config::read_text<DataOptions>("{" + text + "}", "test");
}

/// Mixtures of dir/speech.csv and dir/noise.csv; `more` are further options of the source.
inline DataOptions mixtures_of(const std::filesystem::path& dir, const std::string& more = "") {
  return data_options("source: {type: mixtures, speech: " + (dir / "speech.csv").string() +
                      ", noise: " + (dir / "noise.csv").string() +
                      (more.empty() ? "" : ", " + more) + "}");
}

}  // namespace limbeck::test
