#include <gmock/gmock.h>

#include "config/sample.h"
#include "limbeck/config/reader.h"
#include "limbeck/core/error.h"

namespace limbeck::config::test {
namespace {

enum class Shape { round, square };

Names<Shape> names_of(Shape) { return {{"round", Shape::round}, {"square", Shape::square}}; }

struct Window {
  Shape shape = Shape::square;
  void describe(Visitor& v) { v.value("shape", shape, "of the window"); }
};

TEST(Enum, IsReadByItsName) {
  EXPECT_EQ(read_text<Window>("", "test").shape, Shape::square);
  EXPECT_EQ(read_text<Window>("shape: round", "test").shape, Shape::round);
  EXPECT_EQ(error_of<ConfigError>([] { read_text<Window>("shape: rond", "test"); }),
            "test:1:8: shape: 'rond' is not one of round, square; did you mean 'round'?");
}

TEST(Enum, IsWrittenAndExplainedByItsName) {
  Window window;
  window.shape = Shape::round;
  EXPECT_EQ(to_yaml(to_node(window)), "shape: round\n");
  EXPECT_EQ(help_text<Window>(),
            "shape: text, one of round, square; default 'square'\n    of the window\n");
}

}  // namespace
}  // namespace limbeck::config::test
