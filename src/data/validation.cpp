#include "limbeck/data/validation.h"

#include <algorithm>

#include "data/sampler.h"

namespace limbeck {
namespace {

constexpr double kMostPadding = 0.1;

void cut(std::vector<float>& signal, int64_t start, int64_t samples) {
  const auto first = signal.begin() + start;
  signal.erase(first + samples, signal.end());
  signal.erase(signal.begin(), first);
}

}  // namespace

std::vector<FixedItem> fixed_items(const Dataset& dataset, int64_t count, uint64_t seed) {
  EpochPlan plan(SeedKey(seed).with("fixed"), dataset.size());
  std::vector<FixedItem> items;
  for (int64_t position = 0; position < (count > 0 ? count : dataset.size()); ++position) {
    const int64_t index = plan.index_at(position);
    items.push_back({index, plan.key_at(position), dataset.samples(index)});
  }
  return items;
}

ValidationSet::ValidationSet(std::unique_ptr<const Dataset> dataset, int64_t count, uint64_t seed,
                             int64_t batch_size)
    : dataset_(std::move(dataset)) {
  const int64_t longest = kLongestSeconds * rate_hz();
  for (const FixedItem& item : fixed_items(*dataset_, count, seed)) {
    const int64_t parts = (item.samples + longest - 1) / longest;
    for (int64_t part = 0; part < parts; ++part) {
      const int64_t start = part * item.samples / parts;
      items_.push_back({item, start, (part + 1) * item.samples / parts - start});
    }
  }
  std::stable_sort(items_.begin(), items_.end(),
                   [](const Part& a, const Part& b) { return a.samples < b.samples; });
  int64_t sum = 0;
  for (size_t i = 0; i < items_.size(); ++i) {
    const auto members = static_cast<int64_t>(i - (starts_.empty() ? 0 : starts_.back())) + 1;
    sum += items_[i].samples;
    const auto padded = static_cast<double>(members * items_[i].samples);
    const bool fits =
        members <= batch_size && static_cast<double>(sum) >= (1 - kMostPadding) * padded;
    if (i > 0 && fits) continue;
    starts_.push_back(i);
    sum = items_[i].samples;
  }
  starts_.push_back(items_.size());
}

Example ValidationSet::read(const Part& part) const {
  Example example = dataset_->get(part.item.index, part.item.key);
  if (part.samples == part.item.samples) return example;
  cut(example.noisy, part.start, part.samples);
  cut(example.clean, part.start, part.samples);
  return example;
}

Batch ValidationSet::batch(int64_t number) const {
  std::vector<Example> examples;
  const auto n = static_cast<size_t>(number);
  for (size_t i = starts_.at(n); i < starts_.at(n + 1); ++i) examples.push_back(read(items_[i]));
  return collate(std::move(examples), 0);
}

Batch ValidationSet::example(int64_t number) const {
  std::vector<Example> one;
  one.push_back(read(items_.at(static_cast<size_t>(number))));
  return collate(std::move(one), 0);
}

double ValidationSet::padding() const {
  double valid = 0;
  double all = 0;
  for (size_t n = 0; n + 1 < starts_.size(); ++n) {
    for (size_t i = starts_[n]; i < starts_[n + 1]; ++i) {
      valid += static_cast<double>(items_[i].samples);
      all += static_cast<double>(items_[starts_[n + 1] - 1].samples);
    }
  }
  return 1 - valid / all;
}

}  // namespace limbeck
