#include <torch/optim/lbfgs.h>

#include <algorithm>
#include <sstream>

#include "limbeck/core/files.h"
#include "limbeck/objective/adapter.h"
#include "nn/support.h"
#include "objective/from_yaml.h"
#include "objective/tapped_model.h"
#include "paths.h"

// What each method is indifferent to. kTable can be read (it stands in docs/methods.md word by
// word), and every cell of it is tested.

namespace limbeck::test {
namespace {

/// A feature f [B, C, T, F] of one side is changed, the other stays. `yes`: the loss stays the
/// same, whichever side it is; of a method with an adapter: one whose loss is zero has, after the
/// change, another adapter whose loss is zero. `teacher`: on the teacher's side only. The batch is
/// reordered on both sides.
const char* const kTable = R"(
| method                             | gain | item gain | frame gain | shared frame gain | band gain | bin gain | offset | sign | channel order | channel rotation | channel remix | frame rotation | frame remix | rotation per item | rotation per frame | frame order | batch order |
| ---------------------------------- | ---- | --------- | ---------- | ----------------- | --------- | -------- | ------ | ---- | ------------- | ---------------- | ------------- | -------------- | ----------- | ----------------- | ------------------ | ----------- | ----------- |
| cosine, frame, none                | yes  | yes       | yes        | yes               | -         | -        | -      | -    | -             | -                | -             | -              | -           | -                 | -                  | -           | yes         |
| cosine, frame, linear              | yes  | yes       | yes        | yes               | -         | -        | yes    | yes  | yes           | yes              | yes           | -              | -           | -                 | -                  | -           | yes         |
| cosine, frame, frame_linear        | yes  | yes       | yes        | yes               | yes       | -        | yes    | yes  | yes           | yes              | yes           | yes            | yes         | -                 | -                  | -           | yes         |
| cosine, frame, inverted_bottleneck | yes  | teacher   | teacher    | teacher           | -         | -        | yes    | yes  | yes           | yes              | yes           | -              | -           | -                 | -                  | -           | yes         |
| cosine, bin, none                  | yes  | yes       | yes        | yes               | yes       | yes      | -      | -    | -             | -                | -             | -              | -           | -                 | -                  | -           | yes         |
| cosine, bin, linear                | yes  | yes       | yes        | yes               | yes       | yes      | yes    | yes  | yes           | yes              | yes           | -              | -           | -                 | -                  | -           | yes         |
| cosine, utterance, none            | yes  | yes       | -          | -                 | -         | -        | -      | -    | -             | -                | -             | -              | -           | -                 | -                  | -           | yes         |
| fitnet, none                       | -    | -         | -          | -                 | -         | -        | -      | -    | -             | -                | -             | -              | -           | -                 | -                  | -           | yes         |
| fitnet, linear                     | yes  | -         | -          | -                 | -         | -        | yes    | yes  | yes           | yes              | yes           | -              | -           | -                 | -                  | -           | yes         |
| fitnet, frame_linear               | yes  | -         | -          | -                 | yes       | -        | yes    | yes  | yes           | yes              | yes           | yes            | yes         | -                 | -                  | -           | yes         |
| fitnet, inverted_bottleneck        | yes  | -         | -          | -                 | -         | -        | yes    | yes  | yes           | yes              | yes           | -              | -           | -                 | -                  | -           | yes         |
| attention                          | yes  | yes       | -          | -                 | -         | -        | -      | yes  | yes           | yes              | -             | -              | -           | -                 | -                  | -           | yes         |
| similarity                         | yes  | -         | -          | -                 | -         | -        | -      | yes  | yes           | yes              | -             | yes            | -           | -                 | yes                | yes         | yes         |
| frame_similarity                   | yes  | -         | -          | yes               | -         | -        | -      | yes  | yes           | yes              | -             | yes            | -           | -                 | yes                | -           | yes         |
| clskd                              | yes  | -         | -          | teacher           | -         | -        | yes    | yes  | yes           | yes              | yes           | teacher        | -           | -                 | teacher            | -           | yes         |
| self_similarity, time              | yes  | yes       | yes        | yes               | -         | -        | -      | yes  | yes           | yes              | -             | yes            | -           | yes               | -                  | -           | yes         |
| self_similarity, frequency         | yes  | yes       | -          | -                 | yes       | -        | -      | yes  | yes           | yes              | -             | -              | -           | -                 | -                  | yes         | yes         |
)";

constexpr int64_t kItems = 4;
constexpr int64_t kChannels = 3;
constexpr int64_t kFrames = 12;
constexpr int64_t kBins = 4;
constexpr int64_t kSize = kChannels * kBins;  // of a frame's vector

at::Tensor drawn(std::vector<int64_t> shape, uint64_t seed) {
  return normal(std::move(shape), seed).to(torch::kDouble);
}

at::Tensor features(uint64_t seed) { return drawn({kItems, kChannels, kFrames, kBins}, seed); }

at::Tensor rotation(int64_t n, uint64_t seed) {
  return std::get<0>(at::linalg_qr(drawn({n, n}, seed)));
}

/// Invertible, not orthogonal: stretches by 0.4 to 2.5.
at::Tensor remix(int64_t n, uint64_t seed) {
  const auto stretch = at::logspace(-0.4, 0.4, n, 10, torch::kDouble);
  return at::matmul(rotation(n, seed) * stretch, rotation(n, seed + 1));
}

at::Tensor gains(std::vector<int64_t> shape, uint64_t seed) {
  return drawn(std::move(shape), seed).exp();
}

/// [B, C, T, F] → [B, T, C·F] and back.
at::Tensor vectors(const at::Tensor& x) { return x.permute({0, 2, 1, 3}).flatten(2); }
at::Tensor from_vectors(const at::Tensor& x) {
  return x.reshape({x.size(0), x.size(1), kChannels, kBins}).permute({0, 2, 1, 3});
}

struct Change {
  std::function<at::Tensor(const at::Tensor&)> apply;
  at::Tensor channels = {};  ///< [C, C], where it is a map of channels
  at::Tensor vector = {};    ///< [C·F, C·F], where it is one matrix for every frame's vector
  at::Tensor offset = {};    ///< [C], added to that
};

Change by_factor(const at::Tensor& factor) {
  return {[factor](const at::Tensor& x) { return x * factor; }};
}

/// `matrices` [C·F, C·F], or one for each item or frame.
at::Tensor map_vectors(const at::Tensor& matrices, const at::Tensor& x) {
  return from_vectors(at::matmul(matrices, vectors(x).unsqueeze(-1)).squeeze(-1));
}

Change by_vector(const at::Tensor& matrix) {
  return {[matrix](const at::Tensor& x) { return map_vectors(matrix, x); }, {}, matrix};
}

Change by_channels(const at::Tensor& matrix, const at::Tensor& offset) {
  const auto column = offset.view({1, kChannels, 1, 1});
  return {[=](const at::Tensor& x) { return at::einsum("oc,bctf->botf", {matrix, x}) + column; },
          matrix, at::kron(matrix.contiguous(), at::eye(kBins, torch::kDouble)), offset};
}

Change by_channels(const at::Tensor& matrix) {
  return by_channels(matrix, at::zeros({kChannels}, torch::kDouble));
}

Change by_order(int64_t axis, std::vector<int64_t> order) {
  const auto index = torch::tensor(order, torch::kLong);
  return {[=](const at::Tensor& x) { return x.index_select(axis, index); }};
}

std::map<std::string, Change> changes() {
  const auto eye = at::eye(kChannels, torch::kDouble);
  const auto many = [](int64_t n, uint64_t seed) {
    std::vector<at::Tensor> all;
    for (int64_t i = 0; i < n; ++i) all.push_back(rotation(kSize, seed + static_cast<uint64_t>(i)));
    return at::stack(all);
  };
  const auto per_item = many(kItems, 60).unsqueeze(1);    // [B, 1, C·F, C·F]
  const auto per_frame = many(kFrames, 70).unsqueeze(0);  // [1, T, C·F, C·F]
  std::map<std::string, Change> all;
  all["gain"] = by_channels(2.5 * eye);
  all["item gain"] = by_factor(gains({kItems, 1, 1, 1}, 50));
  all["frame gain"] = by_factor(gains({kItems, 1, kFrames, 1}, 51));
  all["shared frame gain"] = by_factor(gains({1, 1, kFrames, 1}, 52));
  const auto band = gains({kBins}, 53);
  all["band gain"] = by_vector(at::diag(band.repeat({kChannels})));
  all["bin gain"] = by_factor(gains({kItems, 1, kFrames, kBins}, 54));
  all["offset"] = by_channels(eye, drawn({kChannels}, 55));
  all["sign"] = by_channels(-eye);
  all["channel order"] = by_channels(eye.index_select(0, torch::tensor({2, 0, 1}, torch::kLong)));
  all["channel rotation"] = by_channels(rotation(kChannels, 56));
  all["channel remix"] = by_channels(remix(kChannels, 57));
  all["frame rotation"] = by_vector(rotation(kSize, 58));
  all["frame remix"] = by_vector(remix(kSize, 59));
  all["rotation per item"] = {[=](const at::Tensor& x) { return map_vectors(per_item, x); }};
  all["rotation per frame"] = {[=](const at::Tensor& x) { return map_vectors(per_frame, x); }};
  all["frame order"] = by_order(2, {3, 0, 7, 11, 1, 5, 2, 10, 4, 9, 6, 8});
  all["batch order"] = by_order(0, {2, 0, 3, 1});
  return all;
}

/// The value that L-BFGS gets to over the parameters of `term`.
double fit(objective::DistillTerm& term, const std::function<at::Tensor()>& value) {
  torch::optim::LBFGS optimizer(
      term.parameters(), torch::optim::LBFGSOptions(1).max_iter(80).line_search_fn("strong_wolfe"));
  optimizer.step([&] {
    optimizer.zero_grad();
    const auto loss = value();
    loss.backward();
    return loss;
  });
  at::NoGradGuard no_grad;
  return value().item<double>();
}

/// A term between one tap of either side, in double precision. Where it has an adapter (clskd's
/// fusion is one), a teacher that a student matches perfectly is made by it.
class Method {
 public:
  /// `label` is "name" and its options in a fixed order, as the table's rows are called.
  explicit Method(const std::string& label) : label_(label) {
    std::vector<std::string> words;
    std::istringstream text(label);
    for (std::string word; std::getline(text >> std::ws, word, ',');) words.push_back(word);
    name_ = words[0];
    std::string yaml = "{name: " + name_ + ", student: " + tap() + ", teacher: " + tap();
    if (name_ == "cosine") yaml += ", granularity: " + words.at(1);
    if (name_ == "self_similarity") yaml += ", axis: " + words.at(1);
    if (name_ == "cosine" || name_ == "fitnet") yaml += ", adapter: {type: " + words.back() + "}";
    if (name_ == "clskd") yaml += ", width: 3";
    const TappedModel model({{tap(), grid(kChannels, kBins)}});
    term_ = term_from_yaml(yaml + "}", model, model, kItems);
    term_->to(torch::kDouble);
  }

  bool adapts() const { return !term_->parameters().empty(); }
  void reset() { nn::initialize(*term_, SeedKey(5)); }

  at::Tensor loss(const at::Tensor& student, const at::Tensor& teacher) {
    const nn::Taps s{{tap(), student}};
    const nn::Taps t{{tap(), teacher}};
    return term_->forward({s, t, torch::ones({kItems, kFrames}, torch::kDouble)});
  }
  double value(const at::Tensor& student, const at::Tensor& teacher) {
    at::NoGradGuard no_grad;
    return loss(student, teacher).item<double>();
  }

  /// What faces the teacher's feature.
  at::Tensor adapted(const at::Tensor& student) {
    at::NoGradGuard no_grad;
    for (const auto& module : term_->children())
      if (auto* adapter = module->as<objective::Adapter>()) return adapter->forward(student, {});
    if (name_ == "clskd") {  // of one layer, whose fusion has no other to look at
      const auto parameters = term_->named_parameters();
      const auto convolve = [&](const at::Tensor& x, const std::string& name, int64_t padding) {
        return at::conv2d(x, parameters["encoder_0." + name + ".weight"],
                          parameters["encoder_0." + name + ".bias"], 1, padding);
      };
      return convolve(convolve(student, "in_project", 0), "out_project", 1);
    }
    ADD_FAILURE() << label_ << " has no adapter";
    return {};
  }

  /// Changes the adapter A into A ∘ change⁻¹, if it can be.
  void undo_on_student(const Change& change) {
    const auto [weight, bias, matrix, offset] = layer(change, {"linear", "expand", "in_project"});
    if (!matrix.defined()) return;
    const auto mixed = at::matmul(weight.flatten(1), at::inverse(matrix));
    weight.copy_(mixed.view_as(weight));
    bias.sub_(at::mv(mixed, offset));
  }
  /// Changes the adapter A into change ∘ A, if it can be.
  void repeat_on_teacher(const Change& change) {
    const auto [weight, bias, matrix, offset] = layer(change, {"linear", "project", "out_project"});
    if (!matrix.defined()) return;
    weight.copy_(at::matmul(matrix, weight.flatten(1)).view_as(weight));
    bias.copy_(at::mv(matrix, bias) + offset);
  }

  /// The loss that fitting the adapter gets to.
  double fitted(const at::Tensor& student, const at::Tensor& teacher) {
    return fit(*term_, [&] { return loss(student, teacher); });
  }

 private:
  struct Layer {
    at::Tensor weight, bias, matrix, offset;
  };

  std::string tap() const { return name_ == "clskd" ? "encoder.0" : "latent"; }

  /// The first of `names` that the adapter has, and the change as that layer sees it: a map of
  /// channels, of a frame's whole vector, or undefined.
  Layer layer(const Change& change, const std::vector<std::string>& names) {
    auto parameters = term_->named_parameters();
    for (const auto& item : parameters) {
      for (const auto& name : names) {
        const std::string end = "." + name + ".weight";
        if (!item.key().ends_with(end)) continue;
        const auto prefix = item.key().substr(0, item.key().size() - std::string("weight").size());
        const bool whole = item.value().dim() == 2;
        auto offset =
            change.offset.defined() ? change.offset : at::zeros({kChannels}, torch::kDouble);
        if (whole) offset = offset.repeat_interleave(kBins);
        return {item.value().detach(), parameters[prefix + "bias"].detach(),
                whole ? change.vector : change.channels, offset};
      }
    }
    ADD_FAILURE() << label_ << ": no layer";
    return {};
  }

  std::string label_, name_;
  std::unique_ptr<objective::DistillTerm> term_;
};

struct Row {
  std::string method;
  std::vector<std::pair<std::string, std::string>> answers;  ///< of each change, in words
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.method; }

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream text(line.substr(1));
  for (std::string cell; std::getline(text, cell, '|');) {
    const size_t first = cell.find_first_not_of(' ');
    const size_t last = cell.find_last_not_of(' ');
    cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
  }
  return cells;
}

std::vector<Row> table() {
  std::istringstream text(kTable);
  std::vector<std::string> names;
  std::vector<Row> rows;
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with("| ") || line.starts_with("| -")) continue;
    const auto cells = cells_of(line);
    if (names.empty()) {
      names = cells;
      continue;
    }
    Row row{cells[0], {}};
    for (size_t i = 1; i < names.size(); ++i) row.answers.push_back({names[i], cells.at(i)});
    rows.push_back(row);
  }
  return rows;
}

enum class Side { kStudent, kTeacher };

/// A loss above this was not reached by fitting, which gets below 1e-6 where it can.
constexpr double kFar = 1e-3;

class Invariance : public testing::TestWithParam<Row> {
 protected:
  /// The loss stays the same, or does not, where one side is changed.
  static void check(const std::string& label, const Change& change, Side side, bool stays) {
    Method method(label);
    const auto s = features(40);
    const auto t = method.adapts() ? method.adapted(s) : s + features(41);
    const auto changed_s = side == Side::kStudent ? change.apply(s) : s;
    const auto changed_t = side == Side::kTeacher ? change.apply(t) : t;
    const double before = method.value(s, t);
    if (!method.adapts()) {
      const double difference = std::abs(method.value(changed_s, changed_t) - before) / before;
      EXPECT_TRUE(stays ? difference < 1e-9 : difference > 1e-3) << difference;
      return;
    }
    EXPECT_LT(before, 1e-12);
    {
      at::NoGradGuard no_grad;
      if (side == Side::kStudent) method.undo_on_student(change);
      if (side == Side::kTeacher) method.repeat_on_teacher(change);
    }
    const double composed = method.value(changed_s, changed_t);
    if (stays) {
      EXPECT_LT(composed, 1e-12);
      return;
    }
    EXPECT_GT(composed, kFar);
    method.reset();
    EXPECT_GT(method.fitted(changed_s, changed_t), kFar);
  }
};

TEST_P(Invariance, IsAsTheTableSays) {
  const auto& [method, answers] = GetParam();
  const auto all = changes();
  for (const auto& [name, answer] : answers) {
    ASSERT_TRUE(answer == "yes" || answer == "teacher" || answer == "-") << answer;
    const Change& change = all.at(name);
    if (name == "batch order") {
      Method m(method);
      const double before = m.value(features(40), features(41));
      EXPECT_GT(before, 0);
      EXPECT_NEAR(m.value(change.apply(features(40)), change.apply(features(41))), before,
                  1e-9 * before);
      EXPECT_EQ(answer, "yes");
      continue;
    }
    SCOPED_TRACE(name);
    {
      SCOPED_TRACE("teacher");
      check(method, change, Side::kTeacher, answer != "-");
    }
    SCOPED_TRACE("student");
    check(method, change, Side::kStudent, answer == "yes");
  }
}

INSTANTIATE_TEST_SUITE_P(Table, Invariance, testing::ValuesIn(table()), [](const auto& instance) {
  std::string name = instance.param.method;
  std::replace_if(name.begin(), name.end(), [](char c) { return c == ' ' || c == ','; }, '_');
  return name;
});

/// The fit that finds no adapter above finds one where there is one.
TEST(Invariances, FittingFindsTheAdapterOfARemix) {
  for (const char* label : {"cosine, frame, linear", "cosine, frame, frame_linear",
                            "cosine, bin, linear", "fitnet, linear", "fitnet, frame_linear"}) {
    Method method(label);
    const auto s = features(40);
    const auto remixed = changes().at("channel remix").apply(method.adapted(s));
    EXPECT_GT(method.value(s, remixed), 0.05) << label;
    EXPECT_LT(method.fitted(s, remixed), 1e-6) << label;
  }
}

TEST(Invariances, TheTableIsThatOfTheDocumentation) {
  const auto page = read_file(test::source_dir() / "docs/methods.md");
  EXPECT_NE(page.find(std::string(kTable).substr(1)), std::string::npos);
}

/// A teacher of more channels than the student is reached where they are mixtures of the student's.
TEST(Invariances, TheAdapterReachesATeacherOfNoMoreDimensionsThanTheStudent) {
  const TappedModel student({{"latent", grid(kChannels, kBins)}});
  const TappedModel teacher({{"latent", grid(6, kBins)}});
  for (const char* name : {"cosine", "fitnet"}) {
    const auto s = features(42);
    const auto mixing = drawn({6, kChannels}, 43);
    const auto low = at::einsum("oc,bctf->botf", {mixing, s});
    const auto high = low + drawn({kItems, 6, kFrames, kBins}, 44);
    const auto best = [&](const at::Tensor& t) {
      const auto term = term_from_yaml(std::string("{name: ") + name + ", adapter: {type: linear}}",
                                       student, teacher, kItems);
      term->to(torch::kDouble);
      const nn::Taps a{{"latent", s}}, b{{"latent", t}};
      return fit(*term, [&] {
        return term->forward({a, b, torch::ones({kItems, kFrames}, torch::kDouble)});
      });
    };
    EXPECT_LT(best(low), 1e-6) << name;
    EXPECT_GT(best(high), 0.05) << name;
  }
}

}  // namespace
}  // namespace limbeck::test
