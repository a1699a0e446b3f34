#include "cli/app.h"

int main(int argc, char** argv) { return skein::cli::run(argc, argv); }
