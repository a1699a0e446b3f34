#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "broker/link/greeting.h"
#include "broker/server/access.h"
#include "broker/server/child.h"
#include "support/folder.h"

namespace skein::test {

/// A nats-server with a configuration of the test's own.
///
/// In the text @PORT@, @STORE@ and @TLS@ stand for a free port, a folder of its own, and the folder
/// of the certificates (ca.crt, server.crt, server.key, client.crt, client.key), made where the
/// text names them.
class NatsProcess {
 public:
  explicit NatsProcess(std::string config) {
    port_ = broker::free_port(0);
    if (config.find("@TLS@") != std::string::npos) {
      make_certificates(folder_.path());
    }
    replace(config, "@PORT@", std::to_string(port_));
    replace(config, "@STORE@", (folder_.path() / "store").string());
    replace(config, "@TLS@", folder_.path().string());
    const auto path = folder_.path() / "test.conf";
    std::ofstream(path) << config;
    auto started = broker::spawn(broker::find_program("nats-server"), {"-c", path.string()});
    EXPECT_TRUE(started) << to_string(started.error());
    child_ = std::move(*started);
    for (int i = 0; i < 1'000; ++i) {
      if (broker::greet({"127.0.0.1", port_, false}, Millis{1'000})) {
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "no nats-server with\n" << config;
  }
  ~NatsProcess() { broker::end(child_, 5'000); }
  NatsProcess(const NatsProcess&) = delete;
  NatsProcess& operator=(const NatsProcess&) = delete;

  std::string url(const std::string& scheme = "nats", const std::string& host = "127.0.0.1") const {
    return scheme + "://" + host + ":" + std::to_string(port_);
  }
  const std::filesystem::path& folder() const { return folder_.path(); }

  static void make_certificates(const std::filesystem::path& folder) {
    const std::string script =
        "cd '" + folder.string() +
        "' && "
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca "
        "-keyout ca.key -out ca.crt && "
        "for who in server client; do "
        "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=$who "
        "-keyout $who.key -out $who.csr && "
        "printf 'subjectAltName=DNS:localhost\\n' > ext && "
        "openssl x509 -req -in $who.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 "
        "-extfile ext -out $who.crt || exit 1; done";
    EXPECT_EQ(std::system(("(" + script + ") >/dev/null 2>&1").c_str()), 0); // NOLINT
  }
  static void replace(std::string& text, const std::string& word, const std::string& by) {
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size())) {
      text.replace(at, word.size(), by);
    }
  }

 private:
  Folder folder_;
  std::uint16_t port_ = 0;
  broker::Child child_;
};

} // namespace skein::test
