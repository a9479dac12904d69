#pragma once

// Foreign bytes, made from sound ones by a seeded generator: whoever reads them answers or refuses
// by an Error, soon, and within bounded memory.
//
// LIMBECK_FUZZ_INPUTS inputs of each reader (10 000), from LIMBECK_FUZZ_FIRST (0) on. A failure, a
// crash too, names the number of its input: LIMBECK_FUZZ_FIRST=number LIMBECK_FUZZ_INPUTS=1 is that
// input alone.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/reader.h"
#include "limbeck/core/error.h"
#include "limbeck/core/random.h"
#include "limbeck/core/utf8.h"

namespace limbeck::fuzz {

/// Makes one input.
class Mutator {
 public:
  Mutator(const Reader& reader, uint64_t number)
      : reader_(reader), random_(SeedKey(number).with(reader.name)) {}

  std::string input() {
    std::string text = !reader_.near.empty() && random_.below(2) == 0 ? one_of(reader_.near)
                                                                      : one_of(reader_.sound);
    for (size_t n = 1 + random_.below(1 + random_.below(6)); n > 0; --n) change(text);
    constexpr size_t kLongest = 1 << 16;
    text.resize(std::min(text.size(), kLongest));
    return text;
  }

 private:
  const std::string& one_of(const std::vector<std::string>& list) {
    return list[random_.below(list.size())];
  }
  size_t place(const std::string& text) { return random_.below(text.size() + 1); }

  void change(std::string& text) {
    const size_t at = place(text);
    const size_t length = std::min(text.size() - at, random_.below(size_t{2} << random_.below(8)));
    switch (random_.below(9)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << random_.below(8)));
        break;
      case 1:
        text.insert(at, 1, static_cast<char>(random_.below(256)));
        break;
      case 2:
        text.erase(at, length);
        break;
      case 3:
        text.resize(at);
        break;
      case 4:
        text.insert(at, repeated(one_of(reader_.words)));
        break;
      case 5:
        text.insert(at, repeated(text.substr(at, length)));
        break;
      case 6: {
        const std::string& other = one_of(reader_.sound);
        text.replace(at, length, other.substr(place(other)));
        break;
      }
      case 7:
        put_number(text, at);
        break;
      default:
        text.replace(at, length, one_of(reader_.words));
        break;
    }
  }

  std::string repeated(const std::string& part) {
    const size_t times = random_.below(8) == 0 ? random_.below(3000) : 1 + random_.below(3);
    std::string all;
    for (size_t i = 0; i < times && all.size() < (1 << 14); ++i) all += part;
    return all;
  }

  /// Where sizes and offsets may stand, little-endian.
  void put_number(std::string& text, size_t at) {
    static constexpr uint64_t kEdges[] = {0,          1,          0x7F,       0xFF,
                                          0x7FFF,     0xFFFF,     0x7FFFFFFF, 0x80000000,
                                          0xFFFFFFFF, 1ULL << 62, ~0ULL >> 1, ~0ULL};
    const uint64_t value = kEdges[random_.below(std::size(kEdges))] + random_.below(3);
    const size_t bytes = size_t{1} << random_.below(4);
    for (size_t i = 0; i < bytes && at + i < text.size(); ++i) {
      text[at + i] = static_cast<char>(value >> (8 * i));
    }
  }

  const Reader& reader_;
  Random random_;
};

inline uint64_t number_from(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// Says which input it was where a reader takes the process down, or does not come back.
class Watch {
 public:
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  static constexpr bool kSanitized = true;  // which tell more, and want their address space
#else
  static constexpr bool kSanitized = false;
#endif

  explicit Watch(const std::string& name) {
    std::snprintf(text(), kSize, "\n%s: ", name.c_str());
    if (kSanitized) return;
    for (const int signal : kSignals) ::signal(signal, tell);
    ::getrlimit(RLIMIT_AS, &before_);
    rlimit bounded = before_;
    bounded.rlim_cur = std::min(before_.rlim_max, kMostBytes + mapped());
    ::setrlimit(RLIMIT_AS, &bounded);
  }
  ~Watch() {
    ::alarm(0);
    if (kSanitized) return;
    for (const int signal : kSignals) ::signal(signal, SIG_DFL);
    ::setrlimit(RLIMIT_AS, &before_);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void begin(uint64_t number) {
    number_ = number;
    ::alarm(60);
  }

 private:
  static constexpr rlim_t kMostBytes = rlim_t{1} << 30;
  static constexpr size_t kSize = 200;
  static constexpr int kSignals[] = {SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL, SIGALRM};
  static char* text() {
    static char buffer[kSize];
    return buffer;
  }
  /// What the program has in its address space already.
  static rlim_t mapped() {
    unsigned long pages = 0;
    if (FILE* file = std::fopen("/proc/self/statm", "r")) {
      if (std::fscanf(file, "%lu", &pages) != 1) pages = 0;
      std::fclose(file);
    }
    return pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
  }
  static void tell(int signal) {
    char line[kSize + 60];
    const int size = std::snprintf(line, sizeof line, "%s input %llu ended by signal %d\n", text(),
                                   static_cast<unsigned long long>(number_), signal);
    if (::write(STDOUT_FILENO, line, static_cast<size_t>(size)) < 0) ::_exit(1);
    ::signal(signal, SIG_DFL);
    ::raise(signal);
  }

  static inline volatile uint64_t number_ = 0;
  rlimit before_{};
};

/// Nothing gets to standard error as long as it lives.
class Silence {
 public:
  Silence() : before_(::dup(STDERR_FILENO)) {
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, STDERR_FILENO);
    ::close(nowhere);
  }
  ~Silence() {
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  int before_;
};

/// Expects that every input is read or refused.
inline void expect_answers(const Reader& reader) {
  using Clock = std::chrono::steady_clock;
  const uint64_t first = number_from("LIMBECK_FUZZ_FIRST", 0);
  const uint64_t count = number_from("LIMBECK_FUZZ_INPUTS", 10'000);
  uint64_t taken = 0;
  double slowest = 0;
  uint64_t slowest_number = 0;
  Watch watch(reader.name);
  std::optional<Silence> silence;
  if (reader.is_loud && !Watch::kSanitized) silence.emplace();
  for (const std::string& sound : reader.sound) EXPECT_NO_THROW(reader.read(sound)) << sound;
  for (uint64_t number = first; number < first + count && !testing::Test::HasFailure(); ++number) {
    const std::string input = Mutator(reader, number).input();
    watch.begin(number);
    const auto begin = Clock::now();
    try {
      reader.read(input);
      ++taken;
    } catch (const Error& e) {
      EXPECT_STRNE(e.what(), "") << reader.name << ": input " << number;
    } catch (const std::exception& e) {
      ADD_FAILURE() << reader.name << ": input " << number << ": " << e.what() << ":\n"
                    << displayable(input.substr(0, 2000));
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    if (seconds > slowest) {
      slowest = seconds;
      slowest_number = number;
    }
  }
  EXPECT_LT(slowest, 20) << reader.name << ": input " << slowest_number;
  std::printf("%s: %llu inputs, %llu taken, slowest %.3f s (%llu)\n", reader.name.c_str(),
              static_cast<unsigned long long>(count), static_cast<unsigned long long>(taken),
              slowest, static_cast<unsigned long long>(slowest_number));
  // Neither all are sound still nor all broken at once, or the generator tests little.
  if (reader.takes_all) {
    EXPECT_EQ(taken, count) << reader.name;
  } else if (count >= 10'000) {
    EXPECT_GT(taken, count / 200) << reader.name;
    EXPECT_LT(taken, count) << reader.name;
  }
}

}  // namespace limbeck::fuzz
