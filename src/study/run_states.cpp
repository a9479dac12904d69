#include "study/run_states.h"

#include "limbeck/core/format.h"
#include "limbeck/run/run_view.h"
#include "limbeck/run/trained_model.h"
#include "limbeck/train/identity.h"

namespace limbeck {
namespace {

/// The teacher that a stored identity names.
config::Node teacher_of(const Identity& identity) {
  const config::Node* teacher = identity.facts().find("teacher");
  const config::Node* model = teacher ? teacher->find("model") : nullptr;
  return model ? *model : config::Node();
}

}  // namespace

const char* state_name(RunState state) {
  switch (state) {
    case RunState::to_train:
      return "to train";
    case RunState::to_resume:
      return "to resume";
    case RunState::done:
      return "done";
    case RunState::after_teacher:
      return "after teacher";
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
    hash = find_model(teacher.dir, which).hash;
  }
  return hash;
}

RunStanding RunStates::of(const StudyRun& run) {
  const bool has_teacher = !run.config.distill.terms.empty();
  const std::string teacher = has_teacher ? teacher_hash(run) : "";
  const bool is_waiting = has_teacher && teacher.empty();
  const RunView view(run.dir);
  if (!view.exists()) return {is_waiting ? RunState::after_teacher : RunState::to_train, {}};
  Identity planned = training_identity(run.config, data_content(run.config.data), teacher);
  try {
    const Identity stored = view.identity();
    if (is_waiting) planned.set(kTeacherKey, teacher_of(stored));
    const auto differences = stored.differences(planned);
    if (!differences.empty()) return {RunState::refused, differences};
    if (is_waiting) return {RunState::after_teacher, {}};
    return {view.finished() ? RunState::done : RunState::to_resume, {}};
  } catch (const Error& e) {  // without identity, or damaged
    return {RunState::refused, {e.what()}};
  }
}

void RunStates::require_none_refused(const std::vector<const StudyRun*>& runs) {
  std::map<std::string, std::vector<std::string>> labels;  // by what is wrong with them
  size_t count = 0;
  for (const StudyRun* run : runs) {
    const RunStanding standing = of(*run);
    if (standing.state != RunState::refused) continue;
    labels["  " + join(standing.differences, "\n  ")].push_back(run->label);
    ++count;
  }
  if (count == 0) return;
  std::string text = format(
      "%s: holds %d runs of another configuration; give another study.dir, or remove their folders "
      "(--restart is for single runs):",
      plan_.dir, count);
  for (const auto& [differences, of_runs] : labels) {
    text += "\n" + join(of_runs, "; ") + "\n" + differences;
  }
  throw ConfigError(text);
}

}  // namespace limbeck
