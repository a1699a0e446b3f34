#include "broker/server/access.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>

#include "broker/server/child.h"
#include "core/value/json.h"

namespace skein::broker {
namespace {

std::string random_word(int letters) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device random;
  std::string word;
  for (int i = 0; i < letters; ++i) {
    word += kLetters[random() % kLetters.size()];
  }
  return word;
}

/// A string of the server's configuration language.
std::string quoted_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out + "\"";
}

/// Never there half, and never readable by others.
Result<void> write_private(const std::filesystem::path& path, const std::string& text) {
  const std::string fresh = path.string() + ".new";
  ::unlink(fresh.c_str());
  const Fd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  const bool written =
      file.get() >= 0 &&
      ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::rename(fresh.c_str(), path.c_str()) == 0;
  if (written) {
    return {};
  }
  return Error{Code::nats_server_failed,
               "'" + path.string() + "' cannot be written: " + std::strerror(errno)};
}

std::string config_text(const std::filesystem::path& folder, const Access& access,
                        const std::string& version) {
  const bool syncs = version_of(version) >= std::pair(2, 10);
  return "# Written by skein at every start.\n"
         "server_name: " +
         quoted_text(access.name) +
         "\n"
         "listen: \"127.0.0.1:" +
         std::to_string(access.port) +
         "\"\n"
         "pid_file: " +
         quoted_text(pid_file_of(folder).string()) +
         "\n"
         "max_payload: 8388608\n"
         "jetstream: {\n"
         "  store_dir: " +
         quoted_text((folder / "store").string()) + "\n" +
         (syncs ? "  sync_interval: \"5s\"\n" : "") +
         "}\n"
         "system_account: SYS\n"
         "accounts: {\n"
         "  SYS: {}\n"
         "  SKEIN: {\n"
         "    jetstream: enabled\n"
         "    users: [ {\n"
         "      user: " +
         quoted_text(access.user) + ", password: " + quoted_text(access.password) +
         "\n"
         "      permissions: { publish: { deny: [\n"
         "        \"$JS.API.ACCOUNT.PURGE.>\", \"$JS.API.SERVER.REMOVE\",\n"
         "        \"$JS.API.ACCOUNT.STREAM.MOVE.>\", \"$JS.API.ACCOUNT.STREAM.CANCEL_MOVE.>\",\n"
         "        \"$JS.API.STREAM.RESTORE.>\"\n"
         "      ] } }\n"
         "    } ]\n"
         "  }\n"
         "}\n";
}

} // namespace

std::filesystem::path config_of(const std::filesystem::path& folder) {
  return folder / "server.conf";
}

std::filesystem::path pid_file_of(const std::filesystem::path& folder) {
  return folder / "server.pid";
}

Access load_access(const std::filesystem::path& folder) {
  Access access{0, "skein-" + random_word(12), "skein", random_word(40)};
  std::ifstream file(folder / "access.json");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto parsed = parse_json(text);
  if (!parsed || !parsed->is(Kind::map)) {
    return access;
  }
  const auto take = [&](const char* key, std::string& into) {
    const Value* found = parsed->find(key);
    if (found != nullptr && found->is(Kind::string) && !found->as_string().empty()) {
      into = found->as_string();
    }
  };
  take("name", access.name);
  take("user", access.user);
  take("password", access.password);
  const Value* port = parsed->find("port");
  if (port != nullptr && port->is(Kind::integer) && port->as_int() > 0 && port->as_int() < 65536) {
    access.port = static_cast<std::uint16_t>(port->as_int());
  }
  return access;
}

Result<void> write_files(const std::filesystem::path& folder, const Access& access,
                         const std::string& version) {
  const std::string url = "nats://127.0.0.1:" + std::to_string(access.port);
  const Value json = object({{"url", url},
                             {"port", std::int64_t{access.port}},
                             {"name", access.name},
                             {"user", access.user},
                             {"password", access.password}});
  if (auto written = write_private(folder / "access.json", to_pretty_json(json) + "\n"); !written) {
    return written;
  }
  return write_private(config_of(folder), config_text(folder, access, version));
}

std::uint16_t free_port(std::uint16_t wanted) {
  for (const std::uint16_t port : {wanted, std::uint16_t{0}}) {
    const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1; // a server that ended a moment ago leaves connections behind
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address); // NOLINT: as the system wants it
    if (::bind(socket.get(), plain, sizeof address) == 0 &&
        ::getsockname(socket.get(), plain, &size) == 0) {
      return ntohs(address.sin_port);
    }
  }
  return 0;
}

std::pair<int, int> version_of(const std::string& text) {
  const auto digits = text.find_first_of("0123456789");
  int major = 0;
  int minor = 0;
  if (digits == std::string::npos ||
      std::sscanf(text.c_str() + digits, "%d.%d", &major, &minor) != 2) {
    return {0, 0};
  }
  return {major, minor};
}

} // namespace skein::broker
