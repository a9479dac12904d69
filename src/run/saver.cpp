#include "limbeck/run/saver.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "run/layout.h"

namespace limbeck {
namespace fs = std::filesystem;

Saver::Saver(RunDir& run, const KeepOptions& keep, int64_t most_failures)
    : run_(run), store_(run.path(), keep), most_failures_(most_failures) {}

void Saver::resume_at(int64_t step, int64_t best_step, bool is_newest) {
  if (is_newest) store_.settle(step, best_step);
  newest_.step = step;
}

void Saver::save(int64_t step, CheckpointFiles files) {
  // Of what came before, only the best checkpoint is worth its memory; and what validation found
  // where the checkpoint itself is written.
  const bool is_wanted = newest_.is_best || newest_.files.empty();
  if (!newest_.is_written() && is_wanted && !(owed_ && owed_->is_best && !newest_.is_best)) {
    owed_ = std::move(newest_);
  }
  newest_ = {step, std::move(files), "", false};
  if (try_to_write()) return;
  ++failures_;
  run_.trouble().tell(
      run_.path(), error_,
      format("step %d is not saved; training goes on, and the next save tries again (it ends after "
             "%d failures in a row)",
             step, most_failures_));
  if (failures_ < most_failures_) return;
  throw DataError(
      format("%s: could not be written %d times in a row (%s); training ends at step "
             "%d. %s",
             run_.path(), failures_, reason_in(error_), step, put_elsewhere()));
}

void Saver::add_validation(int64_t step, const std::string& json, bool is_best) {
  if (step != newest_.step) throw std::logic_error("Saver: validated another checkpoint");
  newest_.validation = json;
  newest_.is_best = is_best;
  if (!newest_.files.empty() || try_to_write()) return;
  run_.trouble().tell(run_.path(), error_, "training goes on, and the next save tries again");
}

void Saver::finish() {
  if (is_saved() || try_to_write()) return;
  throw DataError(format("%s: cannot be written (%s); training ends at step %d. %s", run_.path(),
                         reason_in(error_), newest_.step, put_elsewhere()));
}

void Saver::rescue(Logger& logger) {
  if (is_saved() || try_to_write()) return;
  logger.warn(
      format("%s: cannot be written (%s). %s", run_.path(), reason_in(error_), put_elsewhere()));
}

bool Saver::try_to_write() {
  try {
    run_.require_there();
    run_.metrics().sync();
    if (owed_) write(*owed_);
    owed_.reset();
    write(newest_);
  } catch (const DataError& e) {
    error_ = e.what();
    return false;
  }
  failures_ = 0;
  run_.trouble().over(run_.path());
  return true;
}

void Saver::write(Checkpoint& checkpoint) {
  if (!checkpoint.files.empty()) store_.save(checkpoint.step, checkpoint.files);
  checkpoint.files.clear();
  if (!checkpoint.validation.empty()) {
    store_.add_validation(checkpoint.step, checkpoint.validation, checkpoint.is_best);
  }
  checkpoint.validation.clear();
}

/// Puts a small run into the folder for temporary files, from which training can go on. Returns
/// what to say of it; afterwards nothing is left to write.
std::string Saver::put_elsewhere() {
  if (newest_.files.empty()) {
    newest_ = {newest_.step, {}, "", false};
    owed_.reset();
    return format(
        "Step %d is saved there; what validation found of it is not, and the same "
        "command validates it again",
        newest_.step);
  }
  const char* variable = std::getenv("TMPDIR");
  std::vector<fs::path> bases = {"/tmp"};
  if (variable != nullptr && *variable != '\0') bases.insert(bases.begin(), variable);
  std::string failures;
  for (const fs::path& base : bases) {
    try {
      const fs::path saved = put_below(base);
      newest_ = {newest_.step, {}, "", false};
      owed_.reset();
      return format(
          "It is not saved there, but in %s. To go on from it once the folder can be written, copy "
          "what is in %s into %s and give the same command; or give --fork %s and another run.dir",
          saved, saved / kCheckpoints, run_.path() / kCheckpoints, saved);
    } catch (const Error& e) {
      failures += format(" (%s)", e.what());
    }
  }
  return format("It is saved nowhere: neither there nor elsewhere%s", failures);
}

fs::path Saver::put_below(const fs::path& base) {
  std::string folder =
      (fs::absolute(base) / format("limbeck-%s-XXXXXX", fs::absolute(run_.path()).filename()));
  if (::mkdtemp(folder.data()) == nullptr) {
    throw DataError(folder + ": cannot be made: " + std::strerror(errno));
  }
  try {
    run_.describe_in(folder);
    CheckpointStore store(folder, {.last = 2});
    if (owed_ && !owed_->files.empty()) {
      store.save(owed_->step, owed_->files);
      store.add_validation(owed_->step, owed_->validation, owed_->is_best);
    }
    CheckpointFiles files = newest_.files;
    if (!run_.metrics().kept().empty()) files[kKeptLinesFile] = run_.metrics().kept();
    store.save(newest_.step, files);
    if (!newest_.validation.empty()) {
      store.add_validation(newest_.step, newest_.validation, newest_.is_best);
    }
  } catch (const Error&) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    throw;
  }
  return folder;
}

}  // namespace limbeck
