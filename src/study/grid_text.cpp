#include <map>

#include "limbeck/core/format.h"
#include "limbeck/core/table.h"
#include "study/run_states.h"

namespace limbeck {

std::string grid_text(const StudyPlan& plan, const std::vector<NodeStanding>& standings,
                      bool names) {
  constexpr NodeKind kKinds[] = {NodeKind::teacher, NodeKind::cache, NodeKind::point,
                                 NodeKind::student, NodeKind::scores};
  struct Counts {
    int64_t all = 0, done = 0, resumed = 0, wrong = 0;
  };
  std::map<NodeKind, Counts> counts;
  std::map<std::string, std::vector<std::string>> wrong;  // labels by what is wrong
  std::string listing;
  for (size_t i = 0; i < plan.nodes.size(); ++i) {
    const StudyNode& node = plan.nodes[i];
    const NodeState state = standings[i].state;
    Counts& count = counts[node.kind];
    ++count.all;
    count.done += state == NodeState::done;
    count.resumed += state == NodeState::to_resume;
    if (names) listing += format("%s: %s (%s)\n", node.label, to_string(state), node.id);
    if (state != NodeState::changed && state != NodeState::damaged &&
        state != NodeState::diverged) {
      continue;
    }
    ++count.wrong;
    std::string text = to_string(state);
    for (const std::string& reason : standings[i].reasons) text += "\n  " + reason;
    wrong[text].push_back(node.label);
  }
  std::vector<std::vector<std::string>> rows;
  for (const NodeKind kind : kKinds) {
    const auto found = counts.find(kind);
    if (found == counts.end()) continue;
    const auto& [all, done, resumed, bad] = found->second;
    rows.push_back({to_string(kind), std::to_string(all), std::to_string(done),
                    std::to_string(all - done - bad), std::to_string(resumed),
                    std::to_string(bad)});
  }
  std::string text = markdown_table(
      {"nodes", "all", "done", "to do", "of these begun", "changed, damaged or diverged"}, rows);
  if (names) text += "\n" + listing;
  for (const auto& [what, labels] : wrong) {
    text += "\n" + join(labels, "; ") + ": " + what + "\n";
  }
  return text;
}

}  // namespace limbeck
