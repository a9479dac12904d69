#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "limbeck/audio/band.h"

namespace limbeck {

/// Samples [start, start + count) of the recording or pair `id`.
struct Piece {
  std::string id;
  int64_t start = 0;
  int64_t count = 0;
};

int64_t samples_of(const std::vector<Piece>& pieces);

/// What an example was made of; with the recordings at hand, it can be made again, bit for bit.
struct Recipe {
  std::string id;
  std::vector<Piece> speech;  ///< of a data set of pairs: the pairs
  std::vector<Piece> noise;   ///< as long as the speech; empty for pairs
  std::string response;       ///< id of the room's impulse response; empty: none
  double early_ms = 0;        ///< of the response, kept in the clean side
  double snr_db = 0;          ///< as drawn; the gains are what counts
  double level_dbfs = 0;      ///< of the speech in the mixture, over its active parts
  double speech_gain = 1;
  double noise_gain = 1;
  std::string clean_hash;  ///< `hash_audio` of what comes out; empty: not known
  std::string noisy_hash;

  // What a loader did afterwards, with the other examples of a batch at hand. Not in files.
  std::string noise_of;  ///< id of the example that gave its noise; empty: its own noise
  Band removed;          ///< empty: none

  int64_t samples() const { return samples_of(speech); }
};

/// "id@start+count;id@start+count…"
std::string pieces_text(const std::vector<Piece>& pieces);

/// A CSV file of mixtures, with columns
///
///     id,speech,noise,response,early_ms,snr_db,level_dbfs,speech_gain,noise_gain,samples,
///     clean_hash,noisy_hash
///
/// where speech and noise are pieces (see pieces_text) and ids those of manifests.
///
/// Throws DataError as `file:line: reason`: missing column, empty or repeated id, a number, piece
/// or hash that is none, lengths that differ.
std::vector<Recipe> read_recipes(const std::filesystem::path& path);

/// Replaces the file at once. Throws DataError for an id that holds ';', which separates pieces.
void write_recipes(const std::filesystem::path& path, const std::vector<Recipe>& recipes);

}  // namespace limbeck
