#include "study/scheduler.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "limbeck/core/error.h"
#include "limbeck/core/interrupt.h"

namespace limbeck {
namespace {

class Scheduler {
 public:
  Scheduler(const std::vector<Task>& tasks, const Machine& machine, TaskWork& work, bool fail_fast)
      : tasks_(tasks),
        machine_(machine),
        work_(work),
        fail_fast_(fail_fast),
        status_(tasks.size()),
        is_ready_(tasks.size(), false),
        device_of_(tasks.size(), machine.devices.size()),
        device_is_taken_(machine.devices.size(), false) {}

  std::vector<TaskStatus> run() {
    do {
      if (pool_.size() > 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      has_changed_ = false;
      if (interrupt_signal()) pool_.stop(SIGINT);
      for (const auto& [task, code] : pool_.take_ended()) end(task, code);
      look_for_ready();
      begin_what_fits();
      work_.poll();
    } while (pool_.size() > 0 || (has_changed_ && !is_ending()));
    throw_if_interrupted();
    return status_;
  }

 private:
  TaskState state(size_t task) const { return status_[task].state; }
  /// Nothing is begun any more.
  bool is_ending() const { return pool_.stopped() || interrupt_signal() != 0; }

  void change(size_t task, TaskState state) {
    has_changed_ = true;
    status_[task].state = state;
    work_.changed(task, status_[task]);
  }

  void fail(size_t task) {
    change(task, TaskState::failed);
    if (fail_fast_) pool_.stop(SIGINT);
  }

  /// Needs stand before what needs them, so that one pass sees all that has become ready.
  void look_for_ready() {
    for (size_t task = 0; task < tasks_.size() && !is_ending(); ++task) {
      if (state(task) == TaskState::waiting && !is_ready_[task]) look_at(task);
    }
  }

  void look_at(size_t task) {
    const std::vector<size_t>& needs = tasks_[task].needs;
    const auto pending = [&](size_t need) {
      return state(need) == TaskState::waiting || state(need) == TaskState::running;
    };
    if (std::any_of(needs.begin(), needs.end(), pending)) return;
    try {
      if (work_.is_done(task)) return change(task, TaskState::done);
    } catch (const Error& e) {
      status_[task].error = e.what();
      return fail(task);
    }
    const auto lost = std::find_if(needs.begin(), needs.end(),
                                   [&](size_t need) { return state(need) != TaskState::done; });
    if (lost == needs.end()) {
      is_ready_[task] = true;
    } else {
      status_[task].cause = *lost;
      change(task, TaskState::not_run);
    }
  }

  int64_t cores_of(size_t task) const {
    return takes_device(task) ? 0 : std::min(tasks_[task].cores, machine_.cores);
  }
  bool takes_device(size_t task) const {
    return tasks_[task].on_device && !machine_.devices.empty();
  }

  void begin_what_fits() {
    for (size_t task = 0; task < tasks_.size() && !is_ending(); ++task) {
      if (state(task) == TaskState::waiting && is_ready_[task] && !begin(task)) return;
    }
  }

  /// False if it does not fit beside what runs.
  bool begin(size_t task) {
    if (cores_taken_ + cores_of(task) > machine_.cores) return false;
    size_t device = machine_.devices.size();
    if (takes_device(task)) {
      const auto free = std::find(device_is_taken_.begin(), device_is_taken_.end(), false);
      if (free == device_is_taken_.end()) return false;
      device = static_cast<size_t>(free - device_is_taken_.begin());
    }
    try {
      pool_.start(task, work_.command(task, takes_device(task) ? machine_.devices[device] : ""));
    } catch (const Error& e) {
      status_[task].error = e.what();
      fail(task);
      return true;
    }
    cores_taken_ += cores_of(task);
    device_of_[task] = device;
    if (takes_device(task)) device_is_taken_[device] = true;
    ++status_[task].attempts;
    change(task, TaskState::running);
    return true;
  }

  void end(size_t task, int code) {
    cores_taken_ -= cores_of(task);
    if (takes_device(task)) device_is_taken_[device_of_[task]] = false;
    status_[task].code = code;
    const Verdict verdict = work_.judge(task, code, status_[task].attempts);
    if (verdict == Verdict::done) return change(task, TaskState::done);
    const bool was_stopped = pool_.stopped() && code > 128;
    if (verdict == Verdict::again || was_stopped) return change(task, TaskState::waiting);
    fail(task);
  }

  const std::vector<Task>& tasks_;
  const Machine& machine_;
  TaskWork& work_;
  const bool fail_fast_;
  std::vector<TaskStatus> status_;
  std::vector<char> is_ready_;  ///< all that it needs is done, and it is not
  bool has_changed_ = false;
  int64_t cores_taken_ = 0;
  std::vector<size_t> device_of_;
  std::vector<char> device_is_taken_;
  ProcessPool pool_;  // goes first: its programs may not outlive what they work on
};

}  // namespace

Verdict judge_exit(int code, int attempts) {
  if (code == 0) return Verdict::done;
  const bool died = code == static_cast<int>(ExitCode::internal) || code > 128;
  return died && attempts < 2 ? Verdict::again : Verdict::failed;
}

std::vector<TaskStatus> run_tasks(const std::vector<Task>& tasks, const Machine& machine,
                                  TaskWork& work, bool fail_fast) {
  return Scheduler(tasks, machine, work, fail_fast).run();
}

}  // namespace limbeck
