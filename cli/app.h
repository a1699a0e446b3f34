#pragma once

namespace skein::cli {

/// The whole command: reads the words, does what they say, answers the exit code.
int run(int argc, char** argv);

} // namespace skein::cli
