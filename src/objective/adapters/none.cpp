#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/objective/adapter.h"

namespace limbeck::objective {
namespace {

class None : public Adapter {
 public:
  None(const config::NoOptions&, const AdapterShape& shape) {
    if (shape.student_channels == shape.teacher_channels) return;
    throw ConfigError(
        format("adapter 'none' needs equal channels, but the student has %d and the teacher %d; "
               "use adapter: {type: linear}",
               shape.student_channels, shape.teacher_channels));
  }
  at::Tensor forward(const at::Tensor& x, const nn::Execution&) override { return x; }
};

}  // namespace

void add_none(AdapterRegistry& registry) {
  registry.add<None, config::NoOptions>("none", "the feature as it is; needs equal channels");
}

}  // namespace limbeck::objective
