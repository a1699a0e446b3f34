#pragma once

#include <string_view>

namespace skein::test {

/// Installs what SKEIN_FAILPOINT asks for: "NAME:NTH:ACTION", several with commas between them.
///
///   abort      the process ends as by kill -9, after one line "failpoint NAME" on standard error
///   exit       the process ends at once with code 86, without destructors
///   delay:MS   the NTH pass and every later one takes MS milliseconds longer
///
/// NTH counts passes of all threads from 1. REQUIRES: called once, before any other thread. What
/// cannot be read ends the process with code 2. Nothing is installed where the variable is not set.
void install_failpoints();

} // namespace skein::test
