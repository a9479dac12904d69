#pragma once

#include "limbeck/core/error.h"

namespace limbeck {

/// An interruption of which the log tells already, with what was saved.
class ToldInterrupt : public Interrupted {
 public:
  using Interrupted::Interrupted;
};

/// From now on the first SIGHUP, SIGINT or SIGTERM is only remembered; a second SIGINT or SIGTERM
/// ends the process at once. A SIGHUP that is ignored (nohup) stays so. A SIGUSR1, which would end
/// the process, is remembered as a request to save.
void catch_interrupts();

/// The remembered signal's number, or 0. Loops ask between steps, save, and throw Interrupted with
/// this answer: another call may have another.
int interrupt_signal();

/// True if a SIGUSR1 came since this was asked before: save, and go on.
bool take_save_request();

/// Throws Interrupted if a signal was remembered.
void throw_if_interrupted();

}  // namespace limbeck
