#include "fuzz/fuzzer.h"

namespace limbeck::fuzz {
namespace {

class Fuzz : public testing::TestWithParam<MakeReader> {};

TEST_P(Fuzz, EveryInputIsReadOrRefused) { expect_answers(GetParam()()); }

std::string name_of(const testing::TestParamInfo<MakeReader>& reader) {
  return reader.param().name;
}

INSTANTIATE_TEST_SUITE_P(Readers, Fuzz, testing::ValuesIn(all_readers()), name_of);

}  // namespace
}  // namespace limbeck::fuzz
