#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <sstream>

#include "common.h"
#include "data/support.h"
#include "limbeck/core/error.h"
#include "limbeck/core/interrupt.h"

namespace limbeck {
namespace {

using ::testing::HasSubstr;
using ::testing::internal::CaptureStderr;
using ::testing::internal::CaptureStdout;
using ::testing::internal::GetCapturedStderr;
using ::testing::internal::GetCapturedStdout;

/// What a call said and how it ended.
struct Ended {
  int code;
  std::string out, error;
};

Ended run(Tool& tool, std::vector<std::string> arguments, const std::function<int()>& body) {
  std::vector<char*> argv = {const_cast<char*>("limbeck-made")};
  for (std::string& argument : arguments) argv.push_back(argument.data());
  CaptureStdout();
  CaptureStderr();
  const int code = tool.run(static_cast<int>(argv.size()), argv.data(), body);
  return {code, GetCapturedStdout(), GetCapturedStderr()};
}

/// A tool with subcommands list and render, and an option of its own.
struct Made {
  Tool tool{"limbeck-made", "Is made.",
            "limbeck-made list DIR\n  limbeck-made render a.csv --out b\n"
            "  limbeck-made render c.csv --out d"};
  int64_t threads = 0;
  std::string out;
  Made() {
    tool.app.require_subcommand(1);
    tool.app.fallthrough();
    tool.app.add_option("--threads,--jobs", threads, "threads that work");
    tool.app.add_subcommand("list", "lists");
    tool.app.add_subcommand("render", "renders")->add_option("--out", out, "where")->required();
  }
  Ended run(
      const std::vector<std::string>& arguments,
      const std::function<int()>& body = [] { return 0; }) {
    return limbeck::run(tool, arguments, body);
  }
};

TEST(Tool, HelpOfASubcommandHasItsOwnExampleAndWhatAllShare) {
  const std::string help = Made().run({"render", "--help"}).out;
  EXPECT_THAT(help, HasSubstr("Example:\n  limbeck-made render a.csv --out b\n"
                              "  limbeck-made render c.csv --out d\n"));
  EXPECT_THAT(help, testing::Not(HasSubstr("limbeck-made list")));
  EXPECT_THAT(help, HasSubstr("Common options:\n"));
  EXPECT_THAT(help, HasSubstr("  --quiet                     only warnings and errors\n"));
  EXPECT_THAT(help, HasSubstr("  --threads,--jobs            threads that work\n"));
}

/// A terminal of so many columns; "": of no known width.
class Columns {
 public:
  explicit Columns(const std::string& columns) {
    if (const char* before = std::getenv("COLUMNS")) before_ = before;
    set(columns);
  }
  ~Columns() { set(before_); }
  Columns(const Columns&) = delete;
  Columns& operator=(const Columns&) = delete;

 private:
  static void set(const std::string& columns) {
    columns.empty() ? ::unsetenv("COLUMNS") : ::setenv("COLUMNS", columns.c_str(), 1);
  }
  std::string before_;
};

/// The lines of --help.
std::vector<std::string> help_lines(const std::string& columns) {
  const Columns terminal(columns);
  Tool tool("limbeck-made",
            "Makes what is made ± ready, and says a good deal more about it than "
            "a line has room for.",
            "limbeck-made --an-option-with-a-long-name value --another value --and-one-more value "
            "file");
  std::string text;
  tool.app.add_option("--bands", text,
                      "what of the bands is taken, which takes more words to say than fit into "
                      "the line that it begins in, whatever the terminal");
  tool.app.add_option("--a-name-beyond-the-column-of-help", text, "what stands below its name");
  tool.app.fallthrough();
  auto* command = tool.app.add_subcommand(
      "list", "lists what there is, which takes more words to say than a line holds, too");
  std::vector<std::string> lines;
  for (const auto& arguments : {std::vector<std::string>{"--help"}, {"list", "--help"}}) {
    std::istringstream all(run(tool, arguments, [] { return 0; }).out);
    for (std::string line; std::getline(all, line);) lines.push_back(line);
  }
  EXPECT_EQ(command->get_name(), "list");
  return lines;
}

size_t characters_of(const std::string& line) {
  return static_cast<size_t>(
      std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

TEST(Tool, HelpFitsTheTerminal) {
  for (const auto& [columns, width] :
       {std::pair<std::string, size_t>("60", 60), {"", 80}, {"x", 80}, {"1", 50}, {"200", 200}}) {
    const auto lines = help_lines(columns);
    size_t widest = 0;
    std::string words;
    for (const std::string& line : lines) {
      if (line.starts_with("  limbeck-made")) {
        EXPECT_THAT(line, testing::EndsWith("--and-one-more value file"));
      } else {
        widest = std::max(widest, characters_of(line));
      }
      std::istringstream all(line);
      for (std::string word; all >> word;) words += word + " ";
    }
    EXPECT_LE(widest, width) << columns;
    EXPECT_GT(widest + 20, std::min<size_t>(width, 160)) << columns;  // no narrower than it may be
    for (const char* text : {"what of the bands is taken, which takes more words to say than fit "
                             "into the line that it begins in, whatever the terminal ",
                             "lists what there is, which takes more words to say than a line holds",
                             "Makes what is made ± ready, and says a good deal more about it "}) {
      EXPECT_THAT(words, HasSubstr(text)) << columns;
    }
  }
  const auto lines = help_lines("");
  const auto first = std::find_if(lines.begin(), lines.end(),
                                  [](const auto& line) { return line.starts_with("  --bands"); });
  ASSERT_LT(first + 1, lines.end());
  EXPECT_EQ(*first,
            "  --bands TEXT                what of the bands is taken, which takes more words");
  EXPECT_THAT(*(first + 1), testing::StartsWith(std::string(30, ' ') + "to say "));
}

TEST(Tool, SaysWhatMayHaveBeenMeant) {
  const auto error = [](const std::vector<std::string>& arguments) {
    const Ended ended = Made().run(arguments);
    EXPECT_EQ(ended.code, 2);
    return ended.error;
  };
  EXPECT_EQ(
      error({"rendr", "x"}),
      "error: 'rendr' is no subcommand here; did you mean 'render'?\nSee limbeck-made --help\n");
  EXPECT_EQ(error({"render", "--outt=x"}),
            "error: '--outt' is no option here; did you mean '--out'?\n"
            "See limbeck-made render --help\n");
  EXPECT_EQ(error({"list", "--thread", "2"}),
            "error: '--thread' is no option here; did you mean '--threads'?\n"
            "See limbeck-made list --help\n");
  EXPECT_EQ(error({"x\x1b[2J"}),
            "error: 'x\\x1b[2J' is no subcommand here\nSee limbeck-made --help\n");
  EXPECT_EQ(error({"li", "x"}),
            "error: 'li' is no subcommand here; did you mean 'list'?\nSee limbeck-made --help\n");
  EXPECT_EQ(error({}), "error: A subcommand is required\nSee limbeck-made --help\n");
  EXPECT_EQ(error({"render"}), "error: --out is required\nSee limbeck-made render --help\n");
}

TEST(Tool, AnInterruptionIsOneLine) {
  const auto end = [](const std::function<int()>& body) { return Made().run({"list"}, body); };
  const Ended plain = end([]() -> int { throw Interrupted(SIGINT); });
  EXPECT_EQ(plain.code, 130);
  EXPECT_EQ(plain.error, "interrupted\n");
  const Ended told = end([]() -> int { throw ToldInterrupt(SIGTERM); });
  EXPECT_EQ(told.code, 143);
  EXPECT_EQ(told.error, "");
}

TEST(Tool, RunningOutOfMemoryIsNoTrace) {
  const auto end = [](const std::function<int()>& body) { return Made().run({"list"}, body); };
  const Ended plain = end([]() -> int { throw std::bad_alloc(); });
  EXPECT_EQ(plain.code, 2);
  EXPECT_THAT(plain.error, testing::StartsWith("error: out of memory; it takes less "));
  // As LibTorch says it.
  const Ended torch = end([]() -> int {
    throw std::runtime_error(
        "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: "
        "you tried to allocate 64 bytes.\nException raised from alloc_cpu at …\nframe #0: …");
  });
  EXPECT_EQ(torch.code, 2);
  EXPECT_THAT(torch.error, testing::StartsWith(
                               "error: out of memory: 64 bytes asked for at once; it takes less "));
  const Ended other = end([]() -> int {
    throw std::runtime_error("sizes differ\nException raised from add at …\nframe #0: …");
  });
  EXPECT_EQ(other.code, 1);
  EXPECT_EQ(other.error, "error: internal: sizes differ\n");
}

struct Config {
  std::string name;
  int64_t threads = 0;
  void describe(config::Visitor& v) {
    v.value("name", name, "what it is called");
    v.value("threads", threads,
            "threads that work, or how many of them there are where more of them wait for work "
            "than do it",
            config::at_least(0));
    v.value("device", name, "where");
  }
};

TEST(ConfigOptions, TakeOneValueAnOption) {
  const test::TempDir dir;
  test::put_text(dir / "a.yaml", "name: a\n");
  Tool tool("limbeck-made", "Is made.", "limbeck-made a.yaml");
  ConfigOptions options(tool.app, "device");
  options.add_number_shortcut("--threads", "threads", "threads");
  options.add_number_shortcut("--rate", "threads", "threads", 16000);
  Config config;
  const auto load = [&](const std::vector<std::string>& arguments) {
    return run(tool, arguments, [&] { return options.load(config) ? 0 : 0; });
  };
  const std::string file = (dir / "a.yaml").string();
  EXPECT_EQ(load({"--device", "cpu", "--threads", "3", file}).error, "");
  EXPECT_EQ(config.threads, 3);
}

TEST(ConfigOptions, ABareNumberIsNoZero) {
  const test::TempDir dir;
  test::put_text(dir / "a.yaml", "name: a\n");
  const std::string file = (dir / "a.yaml").string();
  Config config;
  const auto load = [&](const std::vector<std::string>& arguments) {
    Tool tool("limbeck-made", "Is made.", "limbeck-made a.yaml");
    ConfigOptions options(tool.app, "device");
    options.add_number_shortcut("--rate", "threads", "threads", 16000);
    return run(tool, arguments, [&] { return options.load(config) ? 0 : 0; });
  };
  EXPECT_EQ(load({file, "--rate"}).error, "");
  EXPECT_EQ(config.threads, 16000);
  EXPECT_EQ(load({file, "--rate", "8000"}).error, "");
  EXPECT_EQ(config.threads, 8000);
  for (const std::string rate : {"0", "-5"}) {
    const Ended ended = load({file, "--rate", rate});
    EXPECT_EQ(ended.code, 2) << rate;
    EXPECT_EQ(ended.error, "error: --rate: " + rate + " is not above 0\nSee limbeck-made --help\n");
  }
}

/// A tool that takes files beside a subcommand, and one whose first subcommand need not be named.
struct WithFiles {
  explicit WithFiles(bool has_default)
      : tool("limbeck-made", "Is made.", "limbeck-made a.yaml"),
        taking(has_default ? tool.app.add_subcommand("run", "runs") : &tool.app),
        options(*taking, "device") {
    tool.app.add_subcommand("compare", "compares");
  }
  Ended run(std::vector<std::string> arguments) {
    if (taking != &tool.app) arguments.insert(arguments.begin(), "run");
    return limbeck::run(tool, arguments, [&] { return options.load(config) ? 0 : 0; });
  }

  Tool tool;
  CLI::App* taking;
  ConfigOptions options;
  Config config;
};

TEST(ConfigOptions, AMistypedSubcommandIsNoFile) {
  const test::TempDir dir;
  for (const bool has_default : {false, true}) {
    for (const std::string word : {"comp", "compar", "conpare"}) {
      const std::string text =
          "error: '" + word + "' is neither a file nor a subcommand; did you mean 'compare'?\n";
      const Ended ended = WithFiles(has_default).run({word, "a", "b"});
      EXPECT_EQ(ended.code, 2);
      EXPECT_EQ(ended.error, text);
      // An option of the one that was meant is none here.
      EXPECT_THAT(WithFiles(has_default).run({word, "a", "--worst", "3"}).error,
                  testing::StartsWith(text + "See limbeck-made "));
    }
    const Ended other = WithFiles(has_default).run({(dir / "none.yaml").string()});
    EXPECT_THAT(other.error, HasSubstr("none.yaml: cannot be read"));
  }
}

TEST(ConfigOptions, OnlyTheFirstWordMayBeAMistypedSubcommand) {
  const test::TempDir dir;
  test::put_text(dir / "a.yaml", "name: a\n");
  const std::string file = (dir / "a.yaml").string();
  for (const bool has_default : {false, true}) {
    EXPECT_THAT(WithFiles(has_default).run({file, "compar"}).error, HasSubstr("compar: cannot be"));
    EXPECT_THAT(WithFiles(has_default).run({"compare.y"}).error, HasSubstr("compare.y: cannot be"));
    EXPECT_THAT(WithFiles(has_default).run({file, "--linse", "3"}).error,
                HasSubstr("'--linse' is no option here"));
  }
}

TEST(ConfigOptions, AFileMayHaveNearlyTheNameOfASubcommand) {
  const test::TempDir dir;
  test::put_text(dir / "comp", "name: a\n");
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(dir.path());
  WithFiles made(false);
  EXPECT_EQ(made.run({"comp"}).error, "");
  std::filesystem::current_path(before);
  EXPECT_EQ(made.config.name, "a");
}

TEST(ConfigOptions, HelpSaysWhatPathsAreRelativeTo) {
  const Columns terminal("80");
  Tool tool("limbeck-made", "Is made.", "limbeck-made a.yaml");
  const ConfigOptions options(tool.app, "device");
  Config config;
  const Ended ended = run(tool, {"--help-config"}, [&] { return options.load(config) ? 1 : 0; });
  EXPECT_THAT(ended.out, HasSubstr("# Paths are relative to the folder in which the command is"));
  EXPECT_THAT(ended.out, HasSubstr("name: text"));
  EXPECT_THAT(ended.out, HasSubstr("; default 0\n    threads that work, or how many of them there "
                                   "are where more of them wait for\n    work than do it\n"));
}

}  // namespace
}  // namespace limbeck
