#pragma once

#include <string>

#include "limbeck/eval/result_table.h"

namespace limbeck {

/// How many pairs have sides of unequal lengths, of which the longer one is cut; "" for none.
std::string cut_text(const ResultTable& table);

// All of these show means that may be compared (ResultTable::paired), and say of what they are.

/// Of a table of one run, "| noisy | … |" and "| system | … |": means over the utterances, in the
/// order of the metrics, then the SI-SDR improvement where it is known; what must be said of them
/// below.
std::string score_table(const ResultTable& scores);

/// The same means by speaker, by SNR and by noise, each where the set has more than one; "" if none
/// is known.
std::string breakdown_tables(const ResultTable& scores);

/// A row for each run (means over the utterances), then mean ± sample standard deviation over them.
std::string runs_table(const ResultTable& scores);

}  // namespace limbeck
