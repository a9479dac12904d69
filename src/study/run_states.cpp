#include "study/run_states.h"

#include <optional>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/run/run_view.h"
#include "limbeck/train/identity.h"
#include "limbeck/train/init.h"

namespace limbeck {
namespace {

/// The teacher that a stored identity names.
config::Node teacher_in(const Identity& identity) {
  const config::Node* teacher = identity.facts().find("teacher");
  const config::Node* model = teacher ? teacher->find("model") : nullptr;
  return model ? *model : config::Node();
}

/// Throws Error where the run cannot be read. `is_waiting`: for its teacher.
RunStanding standing_of(const RunView& run, Identity planned, bool is_waiting) {
  if (!run.exists())
    return {is_waiting ? StudyRunState::after_teacher : StudyRunState::to_train, {}};
  const RunView::Found last = run.look_for("last");
  const bool is_torn = !last.folder && !last.unusable.empty();
  const bool came_to_nothing = (!last.folder && !is_torn) || run.diverged();
  const StudyRunState other =
      came_to_nothing ? StudyRunState::to_train_anew : StudyRunState::refused;
  std::optional<Identity> stored;
  try {
    stored = run.identity();
  } catch (const Error& e) {  // where there is none, it is of an older version
    return {run.has_identity() && !came_to_nothing ? StudyRunState::damaged : other, {e.what()}};
  }
  if (is_waiting) planned.set(kTeacherKey, teacher_in(*stored));
  const auto differences = stored->differences(planned);
  if (!differences.empty()) return {other, differences};
  if (is_waiting) return {StudyRunState::after_teacher, {}};
  if (is_torn) {
    throw CheckpointError(run.path().string() +
                          ": no checkpoint is sound: " + join(last.unusable, "; "));
  }
  if (!run.finished(last)) return {StudyRunState::to_resume, {}};
  if (run.pointed("best") != last.folder) run.model_file("best");  // else it is sound, as seen
  return {StudyRunState::done, {}};
}

}  // namespace

const char* state_name(StudyRunState state) {
  switch (state) {
    case StudyRunState::to_train:
      return "to train";
    case StudyRunState::to_train_anew:
      return "to train anew";
    case StudyRunState::to_resume:
      return "to resume";
    case StudyRunState::done:
      return "done";
    case StudyRunState::after_teacher:
      return "after teacher";
    case StudyRunState::damaged:
      return "damaged";
    case StudyRunState::refused:
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

const std::string& RunStates::init_hash(const TrainOptions& options) {
  const auto found = init_hashes_.find(options.init);
  if (found != init_hashes_.end()) return found->second;
  const auto init = find_init(options);
  return init_hashes_[options.init] = init ? init->hash : "";
}

Identity RunStates::identity_of(const StudyRun& run, const std::string& teacher_hash) {
  return training_identity(run.config, data_content(run.config.data), teacher_hash,
                           init_hash(run.config.train));
}

std::string RunStates::recorded_hash(const StudyRun& teacher, const std::string& which) {
  const RunView run(teacher.dir);
  try {
    const bool is_planned = run.identity().differences(identity_of(teacher, "")).empty();
    return is_planned ? run.recorded_model_hash(which) : "";
  } catch (const Error&) {  // told of where the teacher itself is looked at
    return "";
  }
}

RunStates::Teacher RunStates::teacher_of(const StudyRun& student) {
  const std::string& which = student.config.teacher.which;
  const auto known = teacher_hashes_.find({student.teacher, which});
  if (known != teacher_hashes_.end()) return {known->second, true};
  for (const StudyRun& teacher : plan_.teachers) {
    if (teacher.teacher != student.teacher) continue;
    const StudyRunState state = of(teacher).state;
    if (state == StudyRunState::done) {
      const std::string hash = RunView(teacher.dir).look_for_model(which).hash;
      return {teacher_hashes_[{student.teacher, which}] = hash, true};
    }
    // Who has learned from it has done so, whatever became of its files since.
    if (state == StudyRunState::damaged) return {recorded_hash(teacher, which)};
  }
  return {};
}

RunStanding RunStates::of(const StudyRun& run) {
  if (is_known_as_done(run)) return {StudyRunState::done, {}};
  const bool has_teacher = !run.config.distill.terms.empty();
  const Teacher teacher = has_teacher ? teacher_of(run) : Teacher{"", true};
  const Identity planned = identity_of(run, teacher.hash);
  try {
    const auto standing =
        standing_of(RunView(run.dir), planned, has_teacher && teacher.hash.empty());
    const StudyRunState state = standing.state;
    if (state == StudyRunState::done) done_.insert(run.dir);
    const bool needs_teacher =
        state == StudyRunState::to_train || state == StudyRunState::to_resume;
    if (needs_teacher && !teacher.is_trained) return {StudyRunState::after_teacher, {}};
    return standing;
  } catch (const Error& e) {
    return {StudyRunState::damaged, {e.what()}};
  }
}

void RunStates::require_none_refused(const std::vector<const StudyRun*>& runs,
                                     const std::vector<RunStanding>& standings) const {
  std::map<std::string, std::vector<std::string>> labels;  // by what is wrong with them
  size_t count = 0;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (standings[i].state != StudyRunState::refused) continue;
    labels["  " + join(standings[i].reasons, "\n  ")].push_back(runs[i]->label);
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
