#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "limbeck/study/config.h"

namespace limbeck {

enum class NodeKind {
  teacher,  ///< a training of a teacher
  cache,    ///< what a trained teacher says of the batches that are met again
  point,    ///< a student's training with one point of a method's search
  student,  ///< a student's training that counts
  scores,   ///< of a teacher or student on every set
};

/// "teacher", …
const char* to_string(NodeKind kind);

/// One thing to be done: it can be run by itself once what it needs is done, `limbeck-study node
/// DIR ID`.
struct StudyNode {
  /// Path below the study's folder, and its name: "runs/causal-student/cosine/seed-2",
  /// "teachers/t", "cache/causal-student/seed-2", "search/causal-student/cosine/point-3/seed-101",
  /// "scores/runs/causal-student/cosine/seed-2". A sweep point has a part of its own in it where
  /// something is swept, a teacher's seed where teachers are trained with several ("teachers/t/
  /// seed-1", "runs/causal-student/cosine/teacher-1/seed-2").
  std::string id = {};
  std::string label = {};  ///< "causal student, cosine, seed 2"
  NodeKind kind = NodeKind::student;
  std::vector<size_t> needs = {};  ///< indices of nodes, all before this one
  size_t scenario = 0;             ///< of caches, points and students, and of students' scores
  size_t method = 0;               ///< of points and students, and of students' scores
  /// Of caches and students, and of students' scores: index in StudyPlan::sweep. Points are trained
  /// without any of it.
  size_t sweep = 0;
  size_t point = 0;          ///< of points: index in the method's list
  std::string teacher = {};  ///< name of the teacher that it is, or that its scenario names
  /// 0 for a student of a method without terms: it follows no teacher, and is trained once for all
  /// of them. Points follow the first.
  int64_t teacher_seed = 0;
  int64_t seed = 0;

  bool is_training() const;  ///< of a teacher, a point or a student
};

/// One combination of swept values, or a point of a search: "train.batch_size=8"; empty where there
/// is nothing.
struct SettingPoint {
  std::string name;
  std::vector<std::pair<std::string, config::Node>> settings;  ///< dotted key, value
};

/// The grid of a study. Nodes stand in an order in which they may be run: teachers, caches, points,
/// students, scores.
struct StudyPlan {
  std::filesystem::path dir;
  std::filesystem::path store;
  std::vector<StudyNode> nodes;
  std::vector<SettingPoint> sweep;                ///< at least one, which may be empty
  std::vector<std::vector<SettingPoint>> search;  ///< by method; all empty: nothing is chosen

  /// Index of the node with this id, if there is one.
  std::optional<size_t> find(const std::string& id) const;
  /// Index of the one that a node needs; nothing where it needs none.
  std::optional<size_t> need(const StudyNode& node, NodeKind kind) const;
};

/// Lays out the grid and resolves every configuration with every point in it; checks names, keys,
/// taps, shapes and budgets, and that all that name a protocol name the same. Reads no data. Throws
/// one ConfigError with all that is wrong.
StudyPlan plan_study(const StudyConfig& config);

/// The same for a study that was planned before, as by each of its processes: networks are not
/// built to see whether they fit.
StudyPlan replan_study(const StudyConfig& config);

}  // namespace limbeck
