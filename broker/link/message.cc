#include <cstdlib>
#include <utility>

#include "broker/link/link.h"

namespace skein::broker {
namespace {

void add_headers(natsMsg* message, std::vector<Header>& headers) {
  const char** names = nullptr;
  int count = 0;
  if (natsMsgHeader_Keys(message, &names, &count) != NATS_OK) {
    return; // has none
  }
  for (int i = 0; i < count; ++i) {
    const char** values = nullptr;
    int values_count = 0;
    if (natsMsgHeader_Values(message, names[i], &values, &values_count) == NATS_OK) {
      for (int v = 0; v < values_count; ++v) {
        headers.push_back({names[i], values[v]});
      }
      std::free(values); // NOLINT: the library allocates with malloc
    }
  }
  std::free(names); // NOLINT
}

} // namespace

Message to_message(natsMsg* message) {
  Message made;
  made.subject = natsMsg_GetSubject(message);
  if (const char* reply = natsMsg_GetReply(message); reply != nullptr) {
    made.reply = reply;
  }
  add_headers(message, made.headers);
  made.payload.assign(natsMsg_GetData(message),
                      static_cast<std::size_t>(natsMsg_GetDataLength(message)));
  return made;
}

std::string_view header_of(natsMsg* message, const char* name) {
  const char* value = nullptr;
  return natsMsgHeader_Get(message, name, &value) == NATS_OK && value != nullptr ? value : "";
}

} // namespace skein::broker
