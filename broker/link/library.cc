#include "broker/link/library.h"

#include <string>

namespace skein::broker {
namespace {

constexpr std::int64_t kConnectMs = 2'000;
constexpr std::int64_t kPingMs = 2'000;
constexpr int kPings = 2;
constexpr int kPool = 2; ///< threads that call back, of all connections
constexpr int kBuffer = 128 << 10;

Result<void> check(natsStatus status, const char* what) {
  if (status == NATS_OK) {
    return {};
  }
  return Error{Code::broker_refused, std::string(what) + ": " + natsStatus_GetText(status),
               "see that the file is there, readable, and in PEM form"};
}

Result<void> set_credentials(natsOptions* made, const NatsOptions& options) {
  if (!options.user.empty()) {
    natsOptions_SetUserInfo(made, options.user.c_str(), options.password.c_str());
  }
  if (!options.token.empty()) {
    natsOptions_SetToken(made, options.token.c_str());
  }
  if (!options.credentials.empty()) {
    return check(
        natsOptions_SetUserCredentialsFromFiles(made, options.credentials.c_str(), nullptr),
        "the credentials file cannot be used");
  }
  if (!options.nkey.empty()) {
    return check(natsOptions_SetNKeyFromSeed(made, options.nkey.c_str(), options.seed.c_str()),
                 "the nkey seed cannot be used");
  }
  return {};
}

Result<void> set_tls(natsOptions* made, const NatsTls& tls, const Address& address) {
  if (!tls.on && !address.tls) {
    return {};
  }
  natsOptions_SetSecure(made, true);
  natsOptions_SkipServerVerification(made, !tls.verify_server);
  if (tls.verify_server) {
    natsOptions_SetExpectedHostname(made, (tls.host.empty() ? address.host : tls.host).c_str());
  }
  if (!tls.authority.empty()) {
    if (auto good = check(natsOptions_LoadCATrustedCertificates(made, tls.authority.c_str()),
                          "the certificate authority cannot be used");
        !good) {
      return good;
    }
  }
  if (!tls.certificate.empty()) {
    return check(natsOptions_LoadCertificatesChain(made, tls.certificate.c_str(), tls.key.c_str()),
                 "the certificate and key of the client cannot be used");
  }
  return {};
}

/// Once in a process, before the first connection.
void set_up_library() {
  static const bool done = [] {
    nats_Open(-1);
    return nats_SetMessageDeliveryPoolSize(kPool) == NATS_OK;
  }();
  (void)done;
}

} // namespace

natsStatus publish(natsConnection* connection, const Message& message, const std::string& reply,
                   const std::string& id) {
  const char* const subject = message.subject.c_str();
  const char* const back = reply.empty() ? nullptr : reply.c_str();
  const int size = static_cast<int>(message.payload.size());
  if (message.headers.empty() && id.empty()) {
    return back == nullptr
               ? natsConnection_Publish(connection, subject, message.payload.data(), size)
               : natsConnection_PublishRequest(connection, subject, back, message.payload.data(),
                                               size);
  }
  natsMsg* made = nullptr;
  natsStatus status = natsMsg_Create(&made, subject, back, message.payload.data(), size);
  for (const Header& header : message.headers) {
    if (status == NATS_OK) {
      status = natsMsgHeader_Add(made, header.name.c_str(), header.value.c_str());
    }
  }
  if (status == NATS_OK && !id.empty()) {
    status = natsMsgHeader_Add(made, "Nats-Msg-Id", id.c_str());
  }
  if (status == NATS_OK) {
    status = natsConnection_PublishMsg(connection, made);
  }
  natsMsg_Destroy(made);
  return status;
}

Result<LibraryOptions> make_options(const NatsOptions& options, const std::string& url,
                                    const Address& address) {
  set_up_library();
  natsOptions* raw = nullptr;
  natsOptions_Create(&raw);
  LibraryOptions made(raw, natsOptions_Destroy);
  natsOptions_SetURL(raw, url.c_str());
  natsOptions_SetName(raw, options.name.c_str());
  natsOptions_SetAllowReconnect(raw, false);
  natsOptions_SetIgnoreDiscoveredServers(raw, true);
  natsOptions_SetTimeout(raw, kConnectMs);
  natsOptions_SetPingInterval(raw, kPingMs);
  natsOptions_SetMaxPingsOut(raw, kPings);
  natsOptions_SetSendAsap(raw, true); // into the buffer of the loop, which sends at once
  natsOptions_SetIOBufSize(raw, kBuffer);
  natsOptions_UseGlobalMessageDelivery(raw, true);
  if (auto good = set_credentials(raw, options); !good) {
    return good.error();
  }
  if (auto good = set_tls(raw, options.tls, address); !good) {
    return good.error();
  }
  return made;
}

} // namespace skein::broker
