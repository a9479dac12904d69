#include "train/pace.h"

#include <torch/version.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#if TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 9
#include <c10/core/CachingDeviceAllocator.h>
#define LIMBECK_ASKS_DEVICE_ALLOCATOR
#endif

namespace limbeck {
namespace {

constexpr double kMib = 1 << 20;

/// What the process holds in memory.
double resident_mib() {
  std::ifstream in("/proc/self/statm");
  int64_t pages = 0;
  int64_t resident = 0;
  in >> pages >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / kMib;
}

/// What tensors take on a GPU.
std::optional<double> device_mib([[maybe_unused]] const at::Device& device) {
#ifdef LIMBECK_ASKS_DEVICE_ALLOCATOR
  if (device.is_cpu()) return std::nullopt;
  auto* allocator = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(device.type()));
  if (allocator == nullptr || !allocator->initialized()) return std::nullopt;
  const auto stats = allocator->getDeviceStats(device.has_index() ? device.index() : 0);
  return static_cast<double>(stats.allocated_bytes[0].current) / kMib;  // 0: of all pools
#else
  return std::nullopt;
#endif
}

}  // namespace

void Pace::begin() {
  begun_ = Clock::now();
  waited_before_ = waited_;
  steps_ = 0;
  samples_ = 0;
}

void Pace::add_audio(const Batch& batch) {
  samples_ = std::accumulate(batch.valid_samples.begin(), batch.valid_samples.end(), samples_);
}

void Pace::end_step(double waited) {
  ++steps_;
  waited_ = waited;
}

nlohmann::json Pace::lap() {
  const double seconds =
      std::max(std::chrono::duration<double>(Clock::now() - begun_).count(), 1e-9);
  nlohmann::json timing = {
      {"steps_per_second", static_cast<double>(steps_) / seconds},
      {"audio_seconds_per_second", static_cast<double>(samples_) / rate_hz_ / seconds},
      {"waiting", (waited_ - waited_before_) / seconds},
      {"memory_mib", resident_mib()}};
  if (const auto mib = device_mib(device_)) timing["device_memory_mib"] = *mib;
  begin();
  return timing;
}

}  // namespace limbeck
