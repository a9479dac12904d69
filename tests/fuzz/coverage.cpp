// The readers under libFuzzer, which looks for inputs that reach new code:
//
//     LIMBECK_FUZZ_READER=zip fuzz_coverage FOLDER [-max_total_time=300 …]
//
// FOLDER collects the inputs, and begins with those that are sound. Named instead of a folder, a
// file is read alone.

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "fuzz/reader.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace {

namespace fs = std::filesystem;
using limbeck::fuzz::Reader;

const Reader& chosen_reader() {
  static const Reader reader = [] {
    const char* name = std::getenv("LIMBECK_FUZZ_READER");
    std::string names;
    for (const auto make : limbeck::fuzz::all_readers()) {
      Reader one = make();
      if (name != nullptr && one.name == name) return one;
      names += " " + one.name;
    }
    std::fprintf(stderr, "LIMBECK_FUZZ_READER: one of%s\n", names.c_str());
    std::exit(2);
  }();
  return reader;
}

void put_sound(const fs::path& folder, const Reader& reader) {
  fs::create_directories(folder);
  size_t number = 0;
  for (const auto* inputs : {&reader.sound, &reader.near}) {
    for (const std::string& input : *inputs) {
      std::ofstream(folder / ("sound-" + std::to_string(number++)), std::ios::binary) << input;
    }
  }
}

/// As libFuzzer reads it; it lies in memory.
std::string dictionary_of(const Reader& reader) {
  std::string text;
  for (const std::string& word : reader.words) {
    text += '"';
    for (const char c : word) {
      text += limbeck::format("\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    text += "\"\n";
  }
  const int file = ::memfd_create("words", 0);
  if (::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
  return "/proc/self/fd/" + std::to_string(file);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  const Reader& reader = chosen_reader();
  static std::vector<std::string> words(*argv, *argv + *argc);
  for (size_t i = 1; i < words.size(); ++i) {
    if (!words[i].starts_with('-') && !fs::is_regular_file(words[i])) put_sound(words[i], reader);
  }
  // What is given later on the command line counts.
  words.insert(words.begin() + 1,
               {"-dict=" + dictionary_of(reader), "-timeout=20", "-rss_limit_mb=2048",
                "-max_len=65536", reader.is_loud ? "-close_fd_mask=2" : "-close_fd_mask=0"});
  static std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  *argc = static_cast<int>(pointers.size());
  *argv = pointers.data();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  try {
    chosen_reader().read(input);
  } catch (const limbeck::Error&) {  // anything else ends the process, and is told
  }
  return 0;
}
