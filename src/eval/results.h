#pragma once

#include <filesystem>
#include <string>

#include "limbeck/eval/evaluator.h"

namespace limbeck {

/// Writes per_utterance.csv, failures.csv, table.md and summary.json into `folder`, the last one
/// last: it vouches for the others. `about` is what is scored, a JSON object; `system` heads the
/// table's row.
void write_evaluation(const std::filesystem::path& folder, const Evaluation& evaluation,
                      const std::string& system, const std::string& about);

/// Reads back what write_evaluation wrote, if it is whole, has scores of these metrics and its
/// `about` is the same; else returns false.
bool read_evaluation(const std::filesystem::path& folder, const std::string& about,
                     const std::vector<Metric>& metrics, Evaluation& evaluation);

/// The rows of a per_utterance.csv with all metrics that it has. Throws DataError naming the file.
Evaluation read_scores(const std::filesystem::path& per_utterance_csv);

/// Improvement in SI-SDR of one utterance, dB; NaN where it is not known.
double si_sdr_improvement(const Evaluation& evaluation, const UtteranceScores& row);

/// "| noisy | … |" and "| system | … |": means over the utterances, in the order of the metrics,
/// then the SI-SDR improvement where it is known; what must be said of them below.
std::string score_table(const Evaluation& evaluation, const std::string& system);

/// The same means by speaker, by SNR and by noise, each where the set has more than one; "" if none
/// is known.
std::string breakdown_tables(const Evaluation& evaluation);

}  // namespace limbeck
