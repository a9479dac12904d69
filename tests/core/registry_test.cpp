#include "limbeck/core/registry.h"

#include <gmock/gmock.h>

#include <typeinfo>

#include "core/scratch.h"

namespace limbeck {
namespace {

using test::error_of;
using ::testing::ElementsAre;

struct ShapeOptions {
  virtual ~ShapeOptions() = default;
};
struct Square : ShapeOptions {
  double side = 2;
};
struct Circle : ShapeOptions {
  double radius = 1;
};

struct Shape {
  double area;
};

std::unique_ptr<Shape> build_square(const Square& options, double scale, std::unique_ptr<int>) {
  return std::make_unique<Shape>(Shape{options.side * options.side * scale});
}
std::unique_ptr<Shape> build_circle(const Circle& options, double scale,
                                    std::unique_ptr<int> extra) {
  return std::make_unique<Shape>(Shape{3 * options.radius * options.radius * scale + *extra});
}

using Shapes = Registry<ShapeOptions, Shape, double, std::unique_ptr<int>>;

Shapes make_shapes() {
  Shapes shapes("shape");
  shapes.add("square", "four sides", build_square);
  shapes.add("circle", "none", build_circle);
  return shapes;
}

TEST(Registry, ListsItsNamesSorted) {
  const Shapes shapes = make_shapes();
  EXPECT_THAT(shapes.names(), ElementsAre("circle", "square"));
  EXPECT_TRUE(shapes.contains("circle"));
  EXPECT_FALSE(shapes.contains("Circle"));
  EXPECT_EQ(shapes.help("square"), "four sides");
}

TEST(Registry, BuildsFromTheNamesOwnOptions) {
  const Shapes shapes = make_shapes();
  const auto options = shapes.make_options("square");
  auto* square = dynamic_cast<Square*>(options.get());
  ASSERT_NE(square, nullptr);
  EXPECT_EQ(square->side, 2);
  square->side = 3;
  EXPECT_EQ(shapes.build("square", *options, 10.0, nullptr)->area, 90);
}

TEST(Registry, HandsArgumentsOver) {
  const Shapes shapes = make_shapes();
  EXPECT_EQ(shapes.build("circle", Circle(), 1.0, std::make_unique<int>(4))->area, 7);
}

TEST(Registry, RefusesOptionsOfAnotherName) {
  const Shapes shapes = make_shapes();
  EXPECT_THROW(shapes.build("square", Circle(), 1.0, nullptr), std::bad_cast);
}

TEST(Registry, ListsWhatItKnowsWhenAskedForSomethingElse) {
  const Shapes shapes = make_shapes();
  const std::string expected = "unknown shape 'triangle'; known: circle, square";
  EXPECT_EQ(error_of<ConfigError>([&] { shapes.make_options("triangle"); }), expected);
  EXPECT_EQ(error_of<ConfigError>([&] { shapes.help("triangle"); }), expected);
  EXPECT_EQ(error_of<ConfigError>([&] { shapes.build("triangle", Circle(), 1.0, nullptr); }),
            expected);
}

}  // namespace
}  // namespace limbeck
