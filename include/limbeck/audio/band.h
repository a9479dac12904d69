#pragma once

#include <span>

namespace limbeck {

/// A band of frequencies.
struct Band {
  double low_hz = 0;
  double high_hz = 0;
};

/// The band between two places on the mel scale (O'Shaughnessy 1987: 2595 · lg(1 + f / 700 Hz)) of
/// a rate's frequencies: 0 is 0 Hz, 1 is half the rate.
Band mel_band(double low, double high, int rate_hz);

/// Takes the band out of both signals, which have one length, without delay. The edges are half
/// cosines of 50 Hz around the band's own; an edge at 0 Hz or half the rate has none.
void remove_band(std::span<float> a, std::span<float> b, int rate_hz, Band band);

}  // namespace limbeck
