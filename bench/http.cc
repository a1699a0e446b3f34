// What a node answers over HTTP on loopback: requests a second of one run, from several connections
// at once, and how long a run takes from the start that a client asks for to the end it hears of.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "node/serve.h"
#include "tests/support/folder.h"
#include "tests/support/raw_client.h"

using namespace skein;
using Clock = std::chrono::steady_clock;

namespace {

constexpr const char* kFlow =
    R"({"apiVersion":"skein.dev/v1","kind":"Flow","metadata":{"name":"one"},"spec":{"steps":)"
    R"([{"id":"only","tool":"transform","with":1}],"output":"${ steps.only.output }"}})";

double seconds(Clock::duration span) { return std::chrono::duration<double>(span).count(); }

struct Asker {
  std::uint16_t port;
  std::string token;

  std::string request(const std::string& line, const std::string& body = "") const {
    return line + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + token +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
};

double requests_per_second(const Asker& asker, const std::string& path, std::size_t clients,
                           std::chrono::milliseconds time) {
  std::atomic<std::uint64_t> answered = 0;
  std::vector<std::thread> threads;
  const auto begun = Clock::now();
  for (std::size_t i = 0; i < clients; ++i) {
    threads.emplace_back([&] {
      test::RawClient client(asker.port);
      const std::string request = asker.request("GET " + path);
      while (Clock::now() - begun < time) {
        client.send(request);
        if (client.read_answer().starts_with("HTTP/1.1 200")) {
          ++answered;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  return static_cast<double>(answered) / seconds(Clock::now() - begun);
}

// Started, waited for over an event stream on another connection, told of its end.
double median_run_ms(const Asker& asker, std::size_t runs) {
  std::vector<double> took;
  test::RawClient client(asker.port);
  for (std::size_t i = 0; i < runs; ++i) {
    const std::string id = "timed-" + std::to_string(i);
    const auto begun = Clock::now();
    client.send(asker.request("POST /v1/runs", R"({"flow":"one","id":")" + id + "\"}"));
    client.read_answer();
    test::RawClient waiting(asker.port);
    waiting.send(asker.request("GET /v1/runs/" + id + "/wait"));
    waiting.read_until("event: settled");
    took.push_back(seconds(Clock::now() - begun) * 1e3);
  }
  std::nth_element(took.begin(), took.begin() + static_cast<std::ptrdiff_t>(took.size() / 2),
                   took.end());
  return took[took.size() / 2];
}

} // namespace

int main() {
  const test::Folder folder;
  node::ServeOptions options;
  options.node.data = folder.path() / "data";
  options.listen = "127.0.0.1:0";
  auto server = node::Server::open(options);
  if (!server) {
    std::fprintf(stderr, "%s\n", to_string(server.error()).c_str());
    return 1;
  }
  const std::string url = (*server)->url();
  std::string token;
  std::ifstream(options.node.data / "token") >> token;
  const Asker asker{static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1))), token};
  test::RawClient client(asker.port);
  client.send(asker.request("POST /v1/resources", kFlow));
  client.read_answer();
  const double run = median_run_ms(asker, 500);
  const std::chrono::milliseconds time(2'000);
  for (const auto& [name, path] : {std::pair<const char*, const char*>{"http_health", "/healthz"},
                                   {"http_get_run", "/v1/runs/timed-0"}}) {
    const double one = requests_per_second(asker, path, 1, time);
    const double many = requests_per_second(asker, path, 16, time);
    std::printf("{\"name\":\"%s\",\"one\":%.0f,\"sixteen\":%.0f}\n", name, one, many);
  }
  std::printf("{\"name\":\"http_run\",\"p50_ms\":%.3f}\n", run);
  return 0;
}
