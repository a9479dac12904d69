#include <algorithm>
#include <functional>
#include <map>

#include "corpus/synthetic/dsp.h"
#include "limbeck/audio/mix.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/corpus/synthetic.h"

namespace limbeck {
namespace {

using Samples = std::vector<double>;

Samples white(Random& random, int64_t count) {
  Samples samples(static_cast<size_t>(count));
  for (double& x : samples) x = random.uniform(-1, 1);
  return samples;
}

/// −3 dB an octave: low-passed noises an octave apart, each of the same power.
Samples pink(Random& random, int64_t count) {
  Samples samples(static_cast<size_t>(count));
  for (double corner_hz = 30; corner_hz < 8000; corner_hz *= 2) {
    OnePole low(corner_hz);
    const double gain = std::sqrt(8000 / corner_hz);
    for (double& x : samples) x += gain * low(random.uniform(-1, 1));
  }
  return samples;
}

/// −6 dB an octave above `corner_hz`.
Samples brown(Random& random, int64_t count, double corner_hz = 60) {
  Samples samples = white(random, count);
  OnePole low(corner_hz);
  for (double& x : samples) x = low(x);
  return samples;
}

/// To RMS 1, so that parts can be mixed by stated gains.
Samples scaled(Samples samples) {
  double sum = 0;
  for (const double x : samples) sum += x * x;
  const double rms = std::sqrt(sum / static_cast<double>(samples.size()));
  if (rms > 0) {
    for (double& x : samples) x /= rms;
  }
  return samples;
}

void add(Samples& to, const Samples& from, double gain) {
  for (size_t i = 0; i < to.size(); ++i) to[i] += gain * from[i];
}

/// A slow random curve around 1, never below 0.05: how strong a gust, a crowd or a motor is.
Samples sway(Random& random, int64_t count, double corner_hz, double depth) {
  OnePole first(corner_hz);
  OnePole second(corner_hz);
  Samples curve(static_cast<size_t>(count));
  for (double& x : curve) x = second(first(random.uniform(-1, 1)));
  curve = scaled(std::move(curve));
  for (double& x : curve) x = std::max(0.05, 1 + depth * x);
  return curve;
}

void multiply(Samples& samples, const Samples& by) {
  for (size_t i = 0; i < samples.size(); ++i) samples[i] *= by[i];
}

/// Harmonics of a wandering fundamental. Partial k has the gain k^−tilt times a drawn factor.
Samples harmonics(Random& random, int64_t count, double hz, double tilt, double wander) {
  const auto partials = std::min<size_t>(40, static_cast<size_t>(7500 / hz));
  std::vector<double> gains(partials);
  std::vector<double> phases(partials);
  for (size_t k = 0; k < partials; ++k) {
    gains[k] = random.uniform(0.2, 1) * std::pow(static_cast<double>(k + 1), -tilt);
    phases[k] = random.uniform(0, 2 * std::numbers::pi);
  }
  const Samples pace = sway(random, count, 0.7, wander);
  Samples samples(static_cast<size_t>(count));
  double angle = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    angle += 2 * std::numbers::pi * hz * pace[i] / kSyntheticRateHz;
    for (size_t k = 0; k < partials; ++k) {
      samples[i] += gains[k] * std::sin(angle * static_cast<double>(k + 1) + phases[k]);
    }
  }
  return samples;
}

/// `rate_hz` strokes a second at drawn times, each ringing in a resonance of its own.
Samples strokes(Random& random, int64_t count, double rate_hz, double low_hz, double high_hz,
                double bandwidth_hz) {
  Samples samples(static_cast<size_t>(count));
  const auto ringing = static_cast<size_t>(samples_of(std::min(2.5 / bandwidth_hz, 0.5)));
  double at = 0;
  for (;;) {
    at += -std::log(1 - random.uniform()) / rate_hz * kSyntheticRateHz;
    if (at >= static_cast<double>(count)) return samples;
    Resonator resonance;
    resonance.tune(random.uniform(low_hz, high_hz), bandwidth_hz * random.uniform(0.6, 1.6));
    double input = std::exp(0.5 * random.normal());
    const auto first = static_cast<size_t>(at);
    for (size_t i = first; i < std::min(samples.size(), first + ringing); ++i) {
      samples[i] += resonance(input);
      input = 0;
    }
  }
}

Samples babble(SeedKey key, int64_t count, uint64_t talkers) {
  Samples samples(static_cast<size_t>(count));
  for (uint64_t i = 0; i < talkers; ++i) {
    const SeedKey talker = key.with("talker").with(i);
    const auto speech = synthetic_speech(talker, talker.with("words"), count);
    const double gain = Random(talker.with("gain")).uniform(0.5, 1);
    for (size_t k = 0; k < samples.size(); ++k) samples[k] += gain * speech[k];
  }
  return samples;
}

Samples hum(Random& random, int64_t count) {
  const double mains_hz = random.uniform() < 0.5 ? 50 : 60;
  Samples samples = scaled(harmonics(random, count, mains_hz, random.uniform(0.3, 0.9), 1e-4));
  add(samples, scaled(pink(random, count)), 0.25);
  return samples;
}

Samples engine(Random& random, int64_t count) {
  Samples samples = scaled(harmonics(random, count, random.uniform(28, 60), 0.6, 0.05));
  multiply(samples, sway(random, count, 3, 0.25));
  add(samples, scaled(pink(random, count)), 0.5);
  return samples;
}

Samples fan(Random& random, int64_t count) {
  Samples samples = scaled(brown(random, count, random.uniform(100, 300)));
  add(samples, scaled(harmonics(random, count, random.uniform(90, 180), 1, 0.003)), 0.4);
  add(samples, scaled(white(random, count)), 0.12);
  return samples;
}

Samples machine(Random& random, int64_t count) {
  Samples samples = scaled(harmonics(random, count, random.uniform(45, 80), 1, 0.003));
  add(samples, scaled(strokes(random, count, 6, 600, 3000, 60)), 0.3);
  add(samples, scaled(pink(random, count)), 0.5);
  return samples;
}

Samples wind(Random& random, int64_t count) {
  const Samples gusts = sway(random, count, 0.5, 0.6);
  Samples samples = white(random, count);
  OnePole first(100);
  OnePole second(200);
  for (size_t i = 0; i < samples.size(); ++i) {
    if (i % 64 == 0) {  // stronger gusts are brighter
      first.tune(40 + 60 * gusts[i]);
      second.tune(80 + 120 * gusts[i]);
    }
    samples[i] = second(first(samples[i])) * gusts[i];
  }
  return samples;
}

Samples rain(Random& random, int64_t count) {
  Samples samples = scaled(strokes(random, count, 150, 1500, 6500, 700));
  OnePole low(1500);
  Samples hiss = white(random, count);
  for (double& x : hiss) x = low.high(x);
  add(samples, scaled(std::move(hiss)), 0.8);
  return samples;
}

Samples pulsing(Random& random, int64_t count) {
  Samples samples = scaled(pink(random, count));
  const double rate_hz = random.uniform(2, 8);
  for (size_t i = 0; i < samples.size(); ++i) {
    const double angle = 2 * std::numbers::pi * rate_hz * static_cast<double>(i) / kSyntheticRateHz;
    samples[i] *= 0.55 + 0.45 * std::sin(angle);
  }
  return samples;
}

Samples cafe(SeedKey key, Random& random, int64_t count) {
  Samples samples = scaled(babble(key, count, 12));
  add(samples, scaled(strokes(random, count, 1.5, 2500, 6000, 40)), 0.4);
  add(samples, scaled(pink(random, count)), 0.8);
  return samples;
}

using Maker = std::function<Samples(SeedKey, Random&, int64_t)>;

/// For those that need no key of their own.
template <Samples (*make)(Random&, int64_t)>
Samples plain(SeedKey, Random& random, int64_t count) {
  return make(random, count);
}

const std::map<std::string, Maker, std::less<>>& makers() {
  static const std::map<std::string, Maker, std::less<>> table = {
      {"babble", [](SeedKey key, Random&, int64_t count) { return babble(key, count, 6); }},
      {"brown", [](SeedKey, Random& random, int64_t count) { return brown(random, count); }},
      {"cafe", cafe},
      {"clatter", [](SeedKey, Random& random,
                     int64_t count) { return strokes(random, count, 5, 400, 5000, 80); }},
      {"engine", plain<engine>},
      {"fan", plain<fan>},
      {"hum", plain<hum>},
      {"machine", plain<machine>},
      {"pink", plain<pink>},
      {"pulsing", plain<pulsing>},
      {"rain", plain<rain>},
      {"white", plain<white>},
      {"wind", plain<wind>},
  };
  return table;
}

}  // namespace

const std::vector<std::string>& synthetic_noise_kinds() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, maker] : makers()) all.push_back(name);
    return all;
  }();
  return names;
}

std::vector<float> synthetic_noise(std::string_view kind, SeedKey key, int64_t samples) {
  const auto maker = makers().find(kind);
  if (maker == makers().end()) {
    throw ConfigError("unknown noise '" + std::string(kind) +
                      "'; known: " + join(synthetic_noise_kinds(), ", "));
  }
  Random random(key.with("noise"));
  const Samples exact = scaled(maker->second(key, random, samples));
  std::vector<float> noise(exact.begin(), exact.end());
  apply_gain(noise, gain_of_db(-26));
  limit_peak(noise, {});
  return noise;
}

}  // namespace limbeck
