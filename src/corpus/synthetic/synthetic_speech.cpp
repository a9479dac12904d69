#include <algorithm>
#include <array>

#include "corpus/synthetic/dsp.h"
#include "limbeck/audio/mix.h"
#include "limbeck/corpus/synthetic.h"

namespace limbeck {
namespace {

constexpr int kFormants = 5;
constexpr int64_t kControlSamples = 40;  // 2.5 ms between changes of the filters

/// What does not change while a person speaks.
struct Voice {
  double pitch_hz;
  double melody_semitones;  // range of the pitch over a phrase
  double tract;             // scales all formants: short vocal tracts have higher ones
  double open_quotient;     // part of a period in which the glottis is open
  double tilt_hz;           // corner of the low-pass on the pulses: soft to bright
  double breath;
  double jitter;
  double pace;
};

Voice make_voice(SeedKey speaker) {
  Random random(speaker.with("voice"));
  const bool high = random.uniform() < 0.5;
  Voice voice{};
  voice.pitch_hz = high ? random.uniform(165, 255) : random.uniform(85, 150);
  voice.melody_semitones = random.uniform(3, 7);
  voice.tract = high ? random.uniform(1.08, 1.24) : random.uniform(0.9, 1.08);
  voice.open_quotient = random.uniform(0.45, 0.75);
  voice.tilt_hz = random.uniform(2000, 5000);
  voice.breath = random.uniform(0.01, 0.05);
  voice.jitter = random.uniform(0.004, 0.015);
  voice.pace = random.uniform(0.85, 1.2);
  return voice;
}

/// Targets of one sound. Frequencies in Hz for a tract of length 1.
struct Sound {
  double formant[3] = {500, 1500, 2500};
  double voicing = 0;     // gain of the glottal pulses
  double aspiration = 0;  // gain of noise through the formants
  double frication = 0;   // gain of noise past the formants
  double friction_hz = 4000;
  double seconds = 0.08;
};

// Mean formants of American English vowels of men (Peterson and Barney, JASA 24, 1952).
constexpr std::array<std::array<double, 3>, 10> kVowels = {{{270, 2290, 3010},
                                                            {390, 1990, 2550},
                                                            {530, 1840, 2480},
                                                            {660, 1720, 2410},
                                                            {730, 1090, 2440},
                                                            {570, 840, 2410},
                                                            {440, 1020, 2240},
                                                            {300, 870, 2240},
                                                            {640, 1190, 2390},
                                                            {490, 1350, 1690}}};
// m, n, l, r, w, j: voiced throughout.
constexpr std::array<std::array<double, 3>, 6> kSonorants = {{{250, 1100, 2200},
                                                              {250, 1600, 2600},
                                                              {350, 1100, 2700},
                                                              {330, 1200, 1600},
                                                              {300, 700, 2200},
                                                              {280, 2200, 3000}}};
// Centre of the noise and its gain: s, sh, f, th.
constexpr std::array<std::array<double, 2>, 4> kFricatives = {
    {{6000, 0.9}, {3200, 0.8}, {4500, 0.25}, {6500, 0.2}}};
constexpr std::array<double, 3> kBursts = {900, 2600, 4200};  // p, k, t

Sound vowel(Random& random) {
  Sound sound;
  const auto& target = kVowels[random.below(kVowels.size())];
  for (int i = 0; i < 3; ++i)
    sound.formant[i] = target[static_cast<size_t>(i)] * random.uniform(0.94, 1.06);
  sound.voicing = random.uniform(0.7, 1);
  sound.seconds = random.uniform(0.07, 0.17);
  return sound;
}

void add_consonant(Random& random, const Sound& next, std::vector<Sound>& sounds) {
  Sound sound = next;  // formants lean towards the vowel
  const double which = random.uniform();
  if (which < 0.4) {
    const auto& target = kSonorants[random.below(kSonorants.size())];
    for (int i = 0; i < 3; ++i) sound.formant[i] = target[static_cast<size_t>(i)];
    sound.voicing = random.uniform(0.3, 0.5);
    sound.seconds = random.uniform(0.05, 0.09);
  } else if (which < 0.7) {
    const auto& target = kFricatives[random.below(kFricatives.size())];
    sound.friction_hz = target[0] * random.uniform(0.92, 1.08);
    sound.frication = target[1] * random.uniform(0.6, 1);
    sound.voicing = random.uniform() < 0.35 ? 0.2 : 0;
    sound.seconds = random.uniform(0.06, 0.13);
  } else {
    Sound closure = next;
    closure.voicing = random.uniform() < 0.5 ? 0.06 : 0;
    closure.seconds = random.uniform(0.03, 0.07);
    sounds.push_back(closure);
    sound.friction_hz = kBursts[random.below(kBursts.size())];
    sound.frication = random.uniform(0.5, 1);
    sound.aspiration = closure.voicing > 0 ? 0.05 : 0.25;
    sound.voicing = 0;
    sound.seconds = random.uniform(0.012, 0.035);
  }
  sounds.push_back(sound);
}

Sound pause(double seconds) {
  Sound sound;
  sound.seconds = seconds;
  return sound;
}

struct Phrase {
  int64_t begin;
  int64_t end;
};

struct Score {
  std::vector<Sound> sounds;
  std::vector<int64_t> starts;  // first sample of each sound
  std::vector<Phrase> phrases;  // between pauses; the melody falls over each
};

Score make_score(const Voice& voice, Random& random, int64_t samples) {
  Score score;
  int64_t at = 0;
  const auto append = [&](const std::vector<Sound>& sounds) {
    for (const Sound& sound : sounds) {
      score.starts.push_back(at);
      score.sounds.push_back(sound);
      at += samples_of(sound.seconds / voice.pace);
    }
  };
  append({pause(random.uniform(0.05, 0.4))});
  while (at < samples) {
    const int64_t begin = at;
    const auto words = 2 + static_cast<int64_t>(random.below(4));
    for (int64_t word = 0; word < words; ++word) {
      std::vector<Sound> sounds;
      const auto syllables = 1 + random.below(3);
      for (uint64_t i = 0; i < syllables; ++i) {
        const Sound nucleus = vowel(random);
        if (random.uniform() < 0.85) add_consonant(random, nucleus, sounds);
        sounds.push_back(nucleus);
        if (random.uniform() < 0.3) sounds.push_back(vowel(random));  // a diphthong
        if (random.uniform() < 0.35) add_consonant(random, nucleus, sounds);
      }
      append(sounds);
      if (random.uniform() < 0.3) append({pause(random.uniform(0.02, 0.08))});
    }
    score.phrases.push_back({begin, at});
    append({pause(random.uniform(0.15, 0.6))});
  }
  return score;
}

/// Glottal pulses: derivative of the flow, polynomial of KLGLOTT88 (Klatt and Klatt, JASA 87(2),
/// 1990).
class Glottis {
 public:
  Glottis(const Voice& voice, Random& random)
      : voice_(voice), random_(random), tilt_(voice.tilt_hz) {
    begin_period();
  }

  double operator()(double pitch_hz) {
    phase_ += pitch_hz * period_scale_ / kSyntheticRateHz;
    if (phase_ >= 1) {
      phase_ -= 1;
      begin_period();
    }
    const double x = phase_ / voice_.open_quotient;
    open_ = x < 1;
    return tilt_(open_ ? strength_ * (2 * x - 3 * x * x) : 0);
  }

  bool open() const { return open_; }

 private:
  void begin_period() {
    period_scale_ = 1 + voice_.jitter * random_.normal();
    strength_ = 1 + 0.06 * random_.normal();
  }

  const Voice& voice_;
  Random& random_;
  OnePole tilt_;
  double phase_ = 0;
  double period_scale_ = 1;
  double strength_ = 1;
  bool open_ = false;
};

/// Pitch over the utterance: each phrase starts high, falls, and has an accent somewhere.
class Melody {
 public:
  Melody(const Voice& voice, const Score& score, Random& random) : voice_(voice), score_(score) {
    for (size_t i = 0; i < score.phrases.size(); ++i) accents_.push_back(random.uniform(0.1, 0.8));
  }

  double hz(int64_t at) {
    while (phrase_ + 1 < score_.phrases.size() && at >= score_.phrases[phrase_].end) ++phrase_;
    const Phrase& phrase = score_.phrases[phrase_];
    const double place =
        std::clamp(static_cast<double>(at - phrase.begin) /
                       static_cast<double>(std::max<int64_t>(phrase.end - phrase.begin, 1)),
                   0.0, 1.0);
    const double bump = std::exp(-std::pow((place - accents_[phrase_]) / 0.12, 2));
    const double semitones = voice_.melody_semitones * (0.35 - 0.9 * place + 0.8 * bump);
    return voice_.pitch_hz * std::exp2(semitones / 12);
  }

 private:
  const Voice& voice_;
  const Score& score_;
  std::vector<double> accents_;
  size_t phrase_ = 0;
};

/// The sounding state, which follows the targets with inertia.
struct Tract {
  double formant[kFormants];
  double voicing = 0, aspiration = 0, frication = 0, friction_hz = 4000;
  Resonator resonators[kFormants];
  Resonator friction;

  explicit Tract(const Sound& first) {
    for (int i = 0; i < 3; ++i) formant[i] = first.formant[i];
    formant[3] = 3500;
    formant[4] = 4500;
  }

  void approach(const Sound& target, double scale) {
    static constexpr double kBandwidths[kFormants] = {70, 90, 130, 200, 250};
    // 2.5 ms steps: formants move within some 20 ms, loudness within some 6 ms.
    for (int i = 0; i < 3; ++i) formant[i] += 0.12 * (target.formant[i] - formant[i]);
    voicing += 0.33 * (target.voicing - voicing);
    aspiration += 0.33 * (target.aspiration - aspiration);
    frication += 0.33 * (target.frication - frication);
    if (target.frication > 0) friction_hz = target.friction_hz;
    for (int i = 0; i < kFormants; ++i) {
      resonators[i].tune(std::min(formant[i] * scale, 7600.0), kBandwidths[i]);
    }
    friction.tune(std::min(friction_hz * std::sqrt(scale), 7000.0), 900);
  }
};

}  // namespace

std::vector<float> synthetic_speech(SeedKey speaker, SeedKey utterance, int64_t samples) {
  const Voice voice = make_voice(speaker);
  Random plan(utterance.with("score"));
  const Score score = make_score(voice, plan, samples);
  Melody melody(voice, score, plan);
  Random random(utterance.with("source"));
  Glottis glottis(voice, random);
  Tract tract(score.sounds.front());
  OnePole friction_floor(1200);

  std::vector<float> speech(static_cast<size_t>(samples));
  size_t current = 0;
  double pitch_hz = voice.pitch_hz;
  for (int64_t at = 0; at < samples; ++at) {
    if (at % kControlSamples == 0) {
      while (current + 1 < score.starts.size() && score.starts[current + 1] <= at) ++current;
      tract.approach(score.sounds[current], voice.tract);
      pitch_hz = melody.hz(at);
    }
    const double pulse = glottis(pitch_hz);
    const double noise = random.uniform(-1, 1);
    const double breath = voice.breath * tract.voicing * (glottis.open() ? 1 : 0.2);
    double sound = tract.voicing * pulse + (breath + tract.aspiration) * 0.5 * noise;
    for (Resonator& resonator : tract.resonators) sound = resonator(sound);
    const double hiss = friction_floor.high(tract.friction(noise * tract.frication));
    speech[static_cast<size_t>(at)] = static_cast<float>(sound + 0.15 * hiss);
  }
  const double level = active_level_dbfs(speech, kSyntheticRateHz);
  if (std::isfinite(level)) apply_gain(speech, gain_of_db(-26 - level));
  return speech;
}

}  // namespace limbeck
