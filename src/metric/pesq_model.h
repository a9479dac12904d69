#pragma once
// Private parts of PESQ. Section numbers (01 1.8, 04 4.5, ...) are those of the open description
// https://github.com/WYCLIFF001/pesq, folder spec/; the model is that of ITU-T P.862 (2001),
// P.862.1 and P.862.2, and Rix, Beerends, Hollier, Hekstra, "Perceptual evaluation of speech
// quality (PESQ)", ICASSP 2001. Integer divisions truncate toward zero, as there.

#include <span>
#include <vector>

#include "limbeck/audio/aligned_buffer.h"
#include "metric/levels/filters.h"

namespace limbeck::metric::pesq {

/// One row of the Bark tables (03 3.8, 06 6.4.1).
struct BarkBand {
  int bins;           // FFT bins in this band
  float centre_bark;  // Bark
  float width_bark;   // Bark
  float correction;   // power density correction factor
  float threshold;    // absolute hearing threshold, power
};

/// Point of a filter curve (02 2.5, 2.6).
struct CurvePoint {
  float hz;
  float db;
};

/// Everything that depends on the sample rate (06 6.4).
struct RateConstants {
  int rate_hz;
  int window;         // W, VAD window, 4 ms
  int margin;         // 75 windows of silence on each side
  int padding;        // P, 320 ms
  int align_size;     // A, FFT length of the fine alignment
  int frame;          // F, model frame, 32 ms
  int hop;            // Q, model hop, 16 ms
  float power_scale;  // Sp
  std::span<const BarkBand> bands;
  std::span<const Biquad> cascade;  // input filter of the alignment
};

const RateConstants& rate_constants(int rate_hz);
std::span<const CurvePoint> alignment_curve();
std::span<const CurvePoint> irs_receive_curve();

inline constexpr int kMarginWindows = 75;
inline constexpr float kLoudnessScale = 1.866055e-1f;  // Sl
inline constexpr Biquad kWidebandFilter{2.740826f, -5.4816519f, 2.740826f, -1.9444777f,
                                        0.94597794f};

/// A signal after level normalization (01 1.3) and the Fourier transform of its raw samples.
struct LevelledSignal {
  int nominal_length = 0;  // N = L + 2 margins
  float scale = 0;         // calibration factor, already in `samples`, not in `spectrum`
  FloatBuffer samples;     // N + P
  FloatBuffer spectrum;    // of the region of L + P samples after the first margin
};

/// Voice activity of each 4 ms window (01 1.8).
struct VoiceActivity {
  std::vector<float> energy;
  FloatBuffer log_energy;
};

/// A signal after the input filter of one mode.
struct FilteredSignal {
  int nominal_length = 0;
  FloatBuffer model;    // what the listener hears, N + P (01 1.4)
  FloatBuffer working;  // for the alignment only, N + P (01 1.5, 1.6)
  VoiceActivity activity;
};

/// Stretch of the reference with one delay; windows count from the start of the buffer.
struct Utterance {
  int start = 0;
  int end = 0;
  int coarse_delay = 0;  // samples
  int delay = 0;         // samples
  float confidence = 0;
};

/// Level normalization. Throws DataError naming `role` if the 300-3500 Hz band holds nothing.
LevelledSignal normalize_level(std::span<const float> signal, const RateConstants& constants,
                               int longest_nominal, const char* role);

/// Model copy of a signal behind the handset (narrowband, 01 1.4) or headphones (wideband, 06 6.3).
FloatBuffer apply_handset_filter(const LevelledSignal& signal, const RateConstants& constants);
FloatBuffer apply_headphone_filter(const LevelledSignal& signal, const RateConstants& constants);

/// Working copies: DC removal and input filter cascade (01 1.5, 1.6) of up to four signals at once.
void make_working_copies(std::span<FilteredSignal* const> signals, const RateConstants& constants);

VoiceActivity detect_voice_activity(const FilteredSignal& signal, const RateConstants& constants);

/// Utterances and their delays (01 1.9 to 1.13); empty if there is no speech to align.
std::vector<Utterance> align(const FilteredSignal& reference, const FilteredSignal& degraded,
                             const RateConstants& constants);

/// Raw score from the model copies (03 to 05).
double perceptual_score(const FilteredSignal& reference, const FilteredSignal& degraded,
                        std::span<const Utterance> utterances, const RateConstants& constants);

}  // namespace limbeck::metric::pesq
