#include "cli/run/interrupt.h"

#include <unistd.h>

#include <csignal>
#include <string>

#include "cli/context.h"

namespace skein::cli {
namespace {

volatile std::sig_atomic_t interrupts = 0;
volatile std::sig_atomic_t silent = 0; // a handler may be reading the last words

// A handler may only write what stands ready.
std::string& first_words() {
  static std::string words;
  return words;
}

std::string& last_words() {
  static std::string words;
  return words;
}

void say(const std::string& words) {
  if (::write(STDERR_FILENO, words.data(), words.size()) < 0) {
    return; // nobody to tell
  }
}

void on_interrupt(int) {
  interrupts = interrupts + 1;
  if (interrupts > 1) {
    if (silent == 0) {
      say(last_words());
    }
    ::_exit(kInterrupted);
  }
  say(first_words());
}

// A terminal that goes away ends a run as safely as Ctrl-C, but not that of a `nohup`.
void catch_all() {
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  if (std::signal(SIGHUP, on_interrupt) == SIG_IGN) {
    std::signal(SIGHUP, SIG_IGN);
  }
}

} // namespace

void catch_interrupts(const RunId& run) {
  first_words() = "\nstopping run " + run.get() + " safely; once more leaves it at once\n";
  last_words() =
      "run " + run.get() + " is left as it is; go on with: skein run resume " + run.get() + "\n";
  catch_all();
}

void catch_interrupts_beside(const RunId& run) {
  first_words() = "\nleaving run " + run.get() + ", which goes on\n";
  last_words().clear();
  catch_all();
}

void catch_interrupts() {
  first_words().clear();
  last_words().clear();
  catch_all();
}

void said_how_to_go_on() { silent = 1; }

bool interrupted() { return interrupts > 0; }

} // namespace skein::cli
