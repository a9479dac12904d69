#pragma once

#include <string>
#include <vector>

#include "limbeck/eval/result_table.h"

namespace limbeck {

/// Which scores of a run are not defined, and why: "x si_sdr: the signal is silent". Those of other
/// metrics than the table's are passed over.
std::vector<std::string> undefined_scores(const ResultTable& table, const RunResults& run);

}  // namespace limbeck
