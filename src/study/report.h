#pragma once

#include <filesystem>
#include <string>

#include "limbeck/study/config.h"
#include "limbeck/study/results.h"

namespace limbeck {

/// Writes table.md, table.tex, results.csv, summary.json and figures/ into the folder of a study,
/// each whole or not at all; returns what is in table.md. The same results give the same bytes.
/// All runs have means over the same utterances of a set (ResultTable::paired). What the trainings
/// have logged is read from `dir`/<id of the run>, where it is there. Throws DataError: a file
/// cannot be written.
std::string write_report(const std::filesystem::path& dir, const StudyConfig& config,
                         const StudyResults& results);

}  // namespace limbeck
