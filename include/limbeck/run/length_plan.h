#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "limbeck/run/identity.h"

namespace limbeck {

/// A training of `from` steps that was asked for `to` steps when it had done `at`.
struct Extension {
  int64_t at = 0;
  int64_t from = 0;
  int64_t to = 0;
};

/// For how many steps a training is planned, as each step sees it: those before an extension were
/// trained as parts of a shorter one.
class LengthPlan {
 public:
  /// `extensions` in the order in which they were asked for.
  explicit LengthPlan(int64_t steps, std::vector<Extension> extensions = {})
      : steps_(steps), extensions_(std::move(extensions)) {}

  int64_t steps() const { return steps_; }
  const std::vector<Extension>& extensions() const { return extensions_; }

  /// As step `step`, from 0, sees it.
  int64_t steps_at(int64_t step) const {
    for (const Extension& extension : extensions_) {
      if (step < extension.at) return extension.from;
    }
    return steps_;
  }
  /// With so many steps done, training was, or is, over.
  bool ends_at(int64_t step) const { return step > 0 && step == steps_at(step - 1); }

 private:
  int64_t steps_;
  std::vector<Extension> extensions_;
};

/// The extensions that a run's identity tells of (`train.extended`).
std::vector<Extension> extensions_in(const Identity& identity);
void set_extensions(Identity& identity, const std::vector<Extension>& extensions);

}  // namespace limbeck
