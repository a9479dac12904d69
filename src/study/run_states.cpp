#include "study/run_states.h"

#include <optional>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/run/run_view.h"
#include "limbeck/train/identity.h"

namespace limbeck {
namespace {

/// The teacher that a stored identity names.
config::Node teacher_of(const Identity& identity) {
  const config::Node* teacher = identity.facts().find("teacher");
  const config::Node* model = teacher ? teacher->find("model") : nullptr;
  return model ? *model : config::Node();
}

/// Throws Error where the run cannot be read. `is_waiting`: for its teacher.
RunStanding standing_of(const RunView& run, Identity planned, bool is_waiting) {
  if (!run.exists()) return {is_waiting ? RunState::after_teacher : RunState::to_train, {}};
  const RunView::Found last = run.look_for("last");
  const bool is_torn = !last.folder && !last.unusable.empty();
  const bool came_to_nothing = (!last.folder && !is_torn) || run.diverged();
  const RunState other = came_to_nothing ? RunState::to_train_anew : RunState::refused;
  std::optional<Identity> stored;
  try {
    stored = run.identity();
  } catch (const Error& e) {  // where there is none, it is of an older version
    return {run.has_identity() && !came_to_nothing ? RunState::damaged : other, {e.what()}};
  }
  if (is_waiting) planned.set(kTeacherKey, teacher_of(*stored));
  const auto differences = stored->differences(planned);
  if (!differences.empty()) return {other, differences};
  if (is_waiting) return {RunState::after_teacher, {}};
  if (is_torn) {
    throw CheckpointError(run.path().string() +
                          ": no checkpoint is sound: " + join(last.unusable, "; "));
  }
  if (!run.finished()) return {RunState::to_resume, {}};
  run.model_file("best");
  return {RunState::done, {}};
}

}  // namespace

const char* state_name(RunState state) {
  switch (state) {
    case RunState::to_train:
      return "to train";
    case RunState::to_train_anew:
      return "to train anew";
    case RunState::to_resume:
      return "to resume";
    case RunState::done:
      return "done";
    case RunState::after_teacher:
      return "after teacher";
    case RunState::damaged:
      return "damaged";
    case RunState::refused:
      return "refused";
  }
  return "";
}

const std::map<std::string, std::string>& RunStates::data_content(const DataOptions& options) {
  const std::string key = config::to_yaml(config::to_node(options));
  const auto found = data_contents_.find(key);
  if (found != data_contents_.end()) return found->second;
  return data_contents_[key] = content_of(options);
}

std::string RunStates::teacher_hash(const StudyRun& student) {
  const std::string& which = student.config.teacher.which;
  std::string& hash = teacher_hashes_[{student.teacher, which}];
  if (!hash.empty()) return hash;
  for (const StudyRun& teacher : plan_.teachers) {
    if (teacher.teacher != student.teacher || of(teacher).state != RunState::done) continue;
    hash = hash_file(RunView(teacher.dir).model_file(which));
  }
  return hash;
}

RunStanding RunStates::of(const StudyRun& run) {
  const bool has_teacher = !run.config.distill.terms.empty();
  const std::string teacher = has_teacher ? teacher_hash(run) : "";
  const Identity planned = training_identity(run.config, data_content(run.config.data), teacher);
  try {
    return standing_of(RunView(run.dir), planned, has_teacher && teacher.empty());
  } catch (const Error& e) {
    return {RunState::damaged, {e.what()}};
  }
}

void RunStates::require_none_refused(const std::vector<const StudyRun*>& runs) {
  std::map<std::string, std::vector<std::string>> labels;  // by what is wrong with them
  size_t count = 0;
  for (const StudyRun* run : runs) {
    const RunStanding standing = of(*run);
    if (standing.state != RunState::refused) continue;
    labels["  " + join(standing.reasons, "\n  ")].push_back(run->label);
    ++count;
  }
  if (count == 0) return;
  std::string text = format(
      "%s: holds %d runs of another configuration; give another study.dir, or remove their "
      "folders:",
      plan_.dir, count);
  for (const auto& [reasons, of_runs] : labels) {
    text += "\n" + join(of_runs, "; ") + "\n" + reasons;
  }
  throw ConfigError(text);
}

}  // namespace limbeck
