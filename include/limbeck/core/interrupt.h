#pragma once

namespace limbeck {

/// From now on the first SIGINT or SIGTERM is only remembered; a second one ends the process at
/// once.
void catch_interrupts();

/// The remembered signal's number, or 0. Loops ask between steps, save, and throw Interrupted.
int interrupt_signal();

/// Throws Interrupted if a signal was remembered.
void throw_if_interrupted();

}  // namespace limbeck
