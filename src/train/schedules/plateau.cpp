#include <algorithm>
#include <limits>

#include "train/schedule.h"

namespace limbeck {
namespace {

struct PlateauOptions : config::Component<PlateauOptions> {
  double factor = 0.5;
  int64_t patience = 5;
  double min_change = 0;
  double min_ratio = 0.01;

  void describe(config::Visitor& v) override {
    v.value("factor", factor, "by which the learning rate falls", config::between(0.001, 0.999));
    v.value("patience", patience, "validations without a better value, after which it falls",
            config::at_least(1));
    v.value("min_change", min_change, "by which a value must be better to count as better",
            config::at_least(0));
    v.value("min_ratio", min_ratio, "least learning rate, as a share of the peak",
            config::between(0, 1));
  }
};

class Plateau : public Schedule {
 public:
  explicit Plateau(const PlateauOptions& options) : options_(options) {}

  double factor(int64_t, int64_t) const override { return ratio_; }

  void observe(double value) override {
    if (value > best_ + options_.min_change) {
      best_ = value;
      waited_ = 0;
    } else if (++waited_ == options_.patience) {
      ratio_ = std::max(ratio_ * options_.factor, options_.min_ratio);
      waited_ = 0;
    }
  }

  void reset() override { *this = Plateau(options_); }

  std::map<std::string, double> state() const override {
    std::map<std::string, double> state = {{"ratio", ratio_},
                                           {"waited", static_cast<double>(waited_)}};
    if (best_ > kNone) state["best"] = best_;
    return state;
  }

  void load_state(const std::map<std::string, double>& state) override {
    ratio_ = state.at("ratio");
    waited_ = static_cast<int64_t>(state.at("waited"));
    best_ = state.contains("best") ? state.at("best") : kNone;
  }

 private:
  static constexpr double kNone = -std::numeric_limits<double>::infinity();

  PlateauOptions options_;
  double ratio_ = 1;
  double best_ = kNone;
  int64_t waited_ = 0;  ///< validations since the best
};

}  // namespace

void add_plateau(ScheduleRegistry& registry) {
  registry.add<Plateau, PlateauOptions>(
      "plateau", "falls whenever the validation value (select) has not become better for a while");
}

}  // namespace limbeck
