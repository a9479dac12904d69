#pragma once

#include <functional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace limbeck::fuzz {

/// What reads foreign bytes.
struct Reader {
  std::string name;
  std::vector<std::string> sound;  ///< what it takes
  std::vector<std::string> words;  ///< pieces of its language
  /// Throws Error where it refuses, and nothing else.
  std::function<void(const std::string&)> read;
  std::vector<std::string> near = {};  ///< what it refuses, but only in the end
  bool takes_all = false;              ///< refuses nothing: passes over what it cannot use
  bool is_loud = false;                ///< a library of it writes to standard error
};

inline void PrintTo(const Reader& reader, std::ostream* out) { *out << reader.name; }

/// For what holds of all that is taken.
inline void require(bool holds, const char* what) {
  if (!holds) throw std::logic_error(std::string("does not hold: ") + what);
}

// Readers of the layers without LibTorch, made when they are called.
using MakeReader = Reader (*)();
std::vector<MakeReader> text_readers();
std::vector<MakeReader> binary_readers();
std::vector<MakeReader> run_readers();

inline std::vector<MakeReader> all_readers() {
  std::vector<MakeReader> all;
  for (const auto& some : {text_readers(), binary_readers(), run_readers()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace limbeck::fuzz
