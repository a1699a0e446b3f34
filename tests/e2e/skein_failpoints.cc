// The command of cli/main.cc, for tests that end it at a named place.
#include "cli/app.h"
#include "e2e/failpoints.h"

int main(int argc, char** argv) {
  skein::test::install_failpoints();
  return skein::cli::run(argc, argv);
}
