#include "train/schedule.h"

namespace limbeck {
namespace {

struct CosineOptions : config::Component<CosineOptions> {
  double final_ratio = 0.01;

  void describe(config::Visitor& v) override {
    v.value("final_ratio", final_ratio, "learning rate at the end, as a share of the peak",
            config::between(0, 1));
  }
};

/// Loshchilov and Hutter, arXiv 1608.03983, without restarts.
class Cosine : public Schedule {
 public:
  explicit Cosine(const CosineOptions& options) : options_(options) {}

  double factor(int64_t step, int64_t steps) const override {
    return half_cosine(1, options_.final_ratio, progress_at(step, steps));
  }

 private:
  CosineOptions options_;
};

}  // namespace

void add_cosine(ScheduleRegistry& registry) {
  registry.add<Cosine, CosineOptions>("cosine", "half a cosine from the peak to final_ratio");
}

}  // namespace limbeck
