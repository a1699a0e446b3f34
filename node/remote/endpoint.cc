#include "node/remote/endpoint.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>

#include "core/value/json.h"

namespace skein::node {
namespace {

constexpr const char* kEndpoint = "node.json";
constexpr const char* kPid = "skein.pid";
constexpr const char* kToken = "token";

std::string contents_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Error failed(const std::filesystem::path& file) {
  return Error{Code::storage_io, "cannot write " + file.string() + ": " + std::strerror(errno),
               "see that the data directory is this user's"};
}

Result<void> write_new(const std::filesystem::path& file, const std::string& text, int flags) {
  const int opened = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
  if (opened < 0) {
    return failed(file);
  }
  const bool written =
      ::write(opened, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool closed = ::close(opened) == 0;
  return written && closed ? Result<void>() : failed(file);
}

// A reader finds the old one or the new one.
Result<void> replace(const std::filesystem::path& file, const std::string& text) {
  const std::filesystem::path part = file.string() + ".part";
  if (auto written = write_new(part, text, O_TRUNC); !written) {
    return written;
  }
  return ::rename(part.c_str(), file.c_str()) == 0 ? Result<void>() : failed(file);
}

std::string new_token() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<unsigned char, 32> random{};
  std::string token;
  if (::getrandom(random.data(), random.size(), 0) == static_cast<ssize_t>(random.size())) {
    for (const unsigned char byte : random) {
      token += {kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return token;
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.pop_back();
  }
  return text;
}

bool alive(std::int64_t pid) {
  return pid > 0 && (::kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM);
}

std::string text_at(const Value& fields, std::string_view name) {
  const Value* field = fields.find(name);
  return field != nullptr && field->is(Kind::string) ? std::string(field->as_string()) : "";
}

} // namespace

Result<void> write_endpoint(const std::filesystem::path& data, const EndpointFile& file) {
  const Value fields = object({{"url", file.url},
                               {"id", file.id},
                               {"name", file.name},
                               {"version", file.version},
                               {"pid", file.pid},
                               {"started_at", to_string(file.started_at)}});
  if (auto written = replace(data / kPid, std::to_string(file.pid) + "\n"); !written) {
    return written;
  }
  return replace(data / kEndpoint, to_pretty_json(fields) + "\n");
}

void remove_endpoint(const std::filesystem::path& data) {
  const auto fields = parse_json(contents_of(data / kEndpoint));
  const Value* pid = fields ? fields->find("pid") : nullptr;
  if (pid != nullptr && *pid == Value(static_cast<std::int64_t>(::getpid()))) {
    std::error_code ignored;
    std::filesystem::remove(data / kEndpoint, ignored);
    std::filesystem::remove(data / kPid, ignored);
  }
}

Result<std::string> token_of(const std::filesystem::path& data) {
  const auto file = data / kToken;
  std::string token = trimmed(contents_of(file));
  if (token.empty()) {
    token = new_token();
    if (token.empty()) {
      return failed(file);
    }
    if (auto written = replace(file, token + "\n"); !written) {
      return written.error();
    }
  }
  return ::chmod(file.c_str(), 0600) == 0 ? Result<std::string>(std::move(token)) : failed(file);
}

std::optional<Endpoint> find_endpoint(const std::filesystem::path& data) {
  if (::access((data / kEndpoint).c_str(), R_OK) != 0) {
    return std::nullopt;
  }
  const auto fields = parse_json(contents_of(data / kEndpoint));
  const Value* pid = fields ? fields->find("pid") : nullptr;
  if (pid == nullptr || !pid->is(Kind::integer) || !alive(pid->as_int())) {
    return std::nullopt;
  }
  return Endpoint{text_at(*fields, "url"), trimmed(contents_of(data / kToken)),
                  text_at(*fields, "id"), data, pid->as_int()};
}

} // namespace skein::node
