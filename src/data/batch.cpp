#include "limbeck/data/batch.h"

#include <algorithm>
#include <stdexcept>

namespace limbeck {

Batch collate(std::vector<Example> examples, int64_t segment_samples) {
  Batch batch;
  batch.size = static_cast<int64_t>(examples.size());
  batch.samples = segment_samples;
  for (const Example& example : examples) {
    const auto samples = static_cast<int64_t>(example.noisy.size());
    if (example.clean.size() != example.noisy.size() ||
        (segment_samples > 0 && samples > segment_samples)) {
      throw std::logic_error("example '" + example.recipe.id +
                             "' has another length than its data set says");
    }
    batch.samples = std::max(batch.samples, samples);
  }
  batch.noisy.resize(static_cast<size_t>(batch.size * batch.samples));
  batch.clean.resize(batch.noisy.size());
  int64_t row = 0;
  for (Example& example : examples) {
    std::copy(example.noisy.begin(), example.noisy.end(), batch.noisy.begin() + row);
    std::copy(example.clean.begin(), example.clean.end(), batch.clean.begin() + row);
    row += batch.samples;
    batch.valid_samples.push_back(static_cast<int64_t>(example.noisy.size()));
    batch.recipes.push_back(std::move(example.recipe));
  }
  return batch;
}

}  // namespace limbeck
