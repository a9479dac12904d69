#include "limbeck/core/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <system_error>

#include "core/scratch.h"
#include "limbeck/core/cause.h"

namespace limbeck::test {
namespace {

using nlohmann::json;

std::string nested(size_t levels, char open, char close) {
  return std::string(levels, open) + std::string(levels, close);
}

TEST(Json, DeepIsRefused) {
  EXPECT_FALSE(is_deep_json(nested(kMaxJsonDepth, '[', ']')));
  EXPECT_TRUE(is_deep_json(nested(kMaxJsonDepth + 1, '[', ']')));
  EXPECT_TRUE(is_deep_json(std::string(1000, '{')));
  const std::string text = '"' + std::string(200, '[') + R"(\"[")";
  EXPECT_EQ(parse_json<json>(text).get<std::string>().size(), 202u);
  EXPECT_FALSE(is_deep_json("[" + text + "]"));
  std::string wide = "[";
  for (int i = 0; i < 1000; ++i) wide += "[[]],";
  EXPECT_EQ(parse_json<json>(wide + "0]").size(), 1001u);
}

TEST(Json, DeepIsAnErrorLikeOthers) {
  const std::string deep = nested(1 << 20, '[', ']');
  EXPECT_EQ(error_of<json::exception>([&] { parse_json<json>(deep); }),
            "nested deeper than 100 levels");
  EXPECT_THROW(parse_json<json>("{"), json::exception);
  EXPECT_TRUE(parse_json_if_sound<json>(deep).is_discarded());
  EXPECT_TRUE(parse_json_if_sound<json>("{").is_discarded());
  EXPECT_EQ(parse_json_if_sound<json>("[1]"), json({1}));
}

TEST(Json, ATextThatIsNoUtf8IsWrittenAllTheSame) {
  EXPECT_EQ(json_text(json{{"id", "caf\xE9"}}), "{\"id\":\"caf\xEF\xBF\xBD\"}");
  EXPECT_EQ(json_text(json{{"a", 1}}, 2), "{\n  \"a\": 1\n}");
}

TEST(Cause, HasNoBacktrace) {
  EXPECT_EQ(cause_of(std::bad_alloc()), "out of memory");
  EXPECT_EQ(cause_of(std::runtime_error("shape [2]\n\nException raised from check at a.cpp:3 (most "
                                        "recent call first):\nframe #0: x\n")),
            "shape [2]");
  EXPECT_EQ(cause_of(std::runtime_error(
                "[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate "
                "memory: you tried to allocate 4000 bytes. Error code 12 (Cannot allocate "
                "memory)\nframe #0: c10::ThrowEnforceNotMet")),
            "out of memory: 4000 bytes asked for at once");
  EXPECT_EQ(
      cause_of(std::runtime_error("CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has "
                                  "a total capacity of 79.10 GiB of which 1.00 GiB is free.")),
      "out of memory: 2.50 GiB asked for at once");
  EXPECT_EQ(cause_of(std::runtime_error("plain")), "plain");
}

TEST(Cause, KnowsLackOfMemoryWhoeverSaysSo) {
  EXPECT_TRUE(is_out_of_memory(std::bad_alloc()));
  EXPECT_TRUE(is_out_of_memory(std::system_error(ENOMEM, std::generic_category())));
  for (const char* text : {"DefaultCPUAllocator: can't allocate memory: you tried to allocate 4 "
                           "bytes.",
                           "CUDA out of memory. Tried to allocate 2.50 GiB.",
                           "CUDA error: out of memory", "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
                           "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"}) {
    EXPECT_TRUE(is_out_of_memory(std::runtime_error(text))) << text;
    EXPECT_TRUE(cause_of(std::runtime_error(text)).starts_with("out of memory")) << text;
  }
  // Ours say themselves what is so, and files may have any name.
  EXPECT_FALSE(is_out_of_memory(DataError("out of memory.wav: does not exist")));
  EXPECT_FALSE(is_out_of_memory(std::filesystem::filesystem_error(
      "out of memory.wav", std::make_error_code(std::errc::not_a_directory))));
  EXPECT_FALSE(is_out_of_memory(std::runtime_error("shape [2]")));
}

TEST(Cause, LackOfMemoryNamesTheFile) {
  const auto lacks = []() -> int { throw std::bad_alloc(); };
  EXPECT_EQ(error_of<DataError>([&] { within_memory("a.wav", lacks); }),
            "a.wav: takes more memory than there is");
  EXPECT_EQ(within_memory("a.wav", [] { return 3; }), 3);
  EXPECT_THROW(within_memory("a.wav", []() -> int { throw std::logic_error("x"); }),
               std::logic_error);
}

}  // namespace
}  // namespace limbeck::test
