#include "train/data_guard.h"

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"

namespace limbeck {

namespace fs = std::filesystem;

TrainingRecord guard_data(const DataSelection& data, const std::optional<fs::path>& teacher_file,
                          bool allow_leak, Logger& logger) {
  TrainingRecord record(data);
  if (teacher_file) {
    if (const auto of_teacher = TrainingRecord::of_model(*teacher_file)) {
      record.inherit(*of_teacher);
    } else {
      record.teacher_unknown = true;
      logger.info(teacher_file->string() +
                  ": nothing is known of what this teacher was trained on (no data.json)");
    }
  }
  add_note(record.notes, refuse_leaks(record.leaks(data), allow_leak, data.source, logger));
  return record;
}

void keep_record(const RunDir& run, const TrainingRecord& record) {
  const fs::path path = run.path() / "data.json";
  const std::string text = record.text();
  if (fs::exists(path) && !TrainingRecord::parse(read_file(path), path.string())
                               .same_data(TrainingRecord::parse(text, path.string()))) {
    throw DataError(run.path().string() + ": was begun on other files than " + record.source +
                    " lists now for train and valid; bring them back, give another run.dir, or "
                    "--restart to start over");
  }
  write_file_atomically(path, text);
}

}  // namespace limbeck
