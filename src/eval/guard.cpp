#include "eval/guard.h"

#include "limbeck/data/training_record.h"

namespace limbeck {

std::vector<std::string> guard_model(const std::filesystem::path& model_file, const TestSet& set,
                                     bool allow_leak, Logger& logger) {
  std::vector<std::string> notes = set.notes;
  const auto record = TrainingRecord::of_model(model_file);
  if (!record) {
    logger.info(
        model_file.string() +
        ": nothing is known of what it was trained on (no data.json), so a leak of the test "
        "set would not be seen");
    return notes;
  }
  if (record->teacher_unknown) {
    logger.info(model_file.string() +
                ": nothing is known of what its teacher was trained on, so a leak of the test set "
                "through the teacher would not be seen");
  }
  for (const std::string& note : record->notes) add_note(notes, note, "training: ");
  add_note(notes,
           refuse_leaks(record->leaks_into(fingerprints(set.pairs.entries)), allow_leak,
                        model_file.string() + " against " + set.pairs.path.string(), logger));
  return notes;
}

}  // namespace limbeck
