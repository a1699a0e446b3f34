// ledger_line FILE WORK [SLEEP_MS [FAIL_UNTIL]]: does some work that can be seen from outside.
//
// Adds one line to FILE, its end of line first, that says who asked (the variables of SKEIN_*), for
// what, when (milliseconds since 1970), and a number that nobody else has; the line is on the disk
// when the command goes on. Prints work and number as JSON. Sleeps for half of SLEEP_MS before and
// after the line. Attempts up to FAIL_UNTIL exit with 75. Holds a shared lock of FILE meanwhile:
// whoever gets the exclusive one knows that nothing runs. The kernel may cut a write short at the
// end of a page where the writer is killed: what is no whole line has not happened.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string nonce() {
  std::random_device device;
  return std::to_string(device()) + "-" + std::to_string(device());
}

std::string milliseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

bool write_line(int file, const std::string& line) {
  return ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
         ::fsync(file) == 0;
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: ledger_line FILE WORK [SLEEP_MS [FAIL_UNTIL]]\n", stderr);
    return 2;
  }
  const auto half = std::chrono::milliseconds(argc > 3 ? std::atol(argv[3]) / 2 : 0);
  const std::string attempt = variable("SKEIN_ATTEMPT");
  const std::string mine = nonce();
  const int file = ::open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0 || ::flock(file, LOCK_SH) != 0) {
    std::perror(argv[1]);
    return 1;
  }
  std::this_thread::sleep_for(half);
  const std::string line = "\n{\"key\":\"" + variable("SKEIN_EFFECT_KEY") + "\",\"run\":\"" +
                           variable("SKEIN_RUN_ID") + "\",\"step\":\"" + variable("SKEIN_STEP_ID") +
                           "\",\"attempt\":" + attempt + ",\"pid\":" + std::to_string(::getpid()) +
                           ",\"at\":" + milliseconds() + ",\"work\":\"" + argv[2] +
                           "\",\"nonce\":\"" + mine + "\"}";
  if (!write_line(file, line)) {
    std::perror(argv[1]);
    return 1;
  }
  std::this_thread::sleep_for(half);
  std::printf("{\"work\":\"%s\",\"nonce\":\"%s\"}\n", argv[2], mine.c_str());
  return argc > 4 && std::atol(attempt.c_str()) <= std::atol(argv[4]) ? 75 : 0;
}
