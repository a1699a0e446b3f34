#include "node/events/letters.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>

#include "core/base/hash.h"
#include "core/value/json.h"
#include "core/value/utf8.h"

namespace skein::node {
namespace {

constexpr std::size_t kMostLetters = 10'000;
constexpr std::size_t kRoomForHeaders = 8u << 10;
constexpr std::chrono::seconds kPatience{30};

Value headers_of(const std::vector<Header>& headers) {
  std::vector<Value> all;
  for (const Header& header : headers) {
    all.push_back(
        Value::of_list({Value(clean_utf8(header.name)), Value(clean_utf8(header.value))}));
  }
  return Value::of_list(std::move(all));
}

std::vector<Header> headers_from(std::string_view text) {
  std::vector<Header> headers;
  const auto value = parse_json(text);
  for (const Value& item :
       value && value->is(Kind::list) ? value->as_list() : std::span<const Value>{}) {
    if (item.is(Kind::list) && item.as_list().size() == 2) {
      headers.push_back(
          {std::string(item.as_list()[0].as_string()), std::string(item.as_list()[1].as_string())});
    }
  }
  return headers;
}

Code code_of(std::string_view text) {
  const auto codes = all_codes();
  const auto found =
      std::ranges::find_if(codes, [&](const CodeRow& row) { return to_string(row.code) == text; });
  return found == codes.end() ? Code::event_invalid : found->code;
}

Message message_of(const Channels& channels, const Letter& letter) {
  std::string headers = to_json(headers_of(letter.original.headers));
  if (headers.size() > kRoomForHeaders / 2) {
    headers = "[]";
  }
  const auto line = [](std::string text) {
    std::ranges::replace_if(
        text, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
    return clipped(clean_utf8(text), 1'000);
  };
  Message message{channels.letter,
                  "",
                  {{"skein-code", to_string(letter.reason.code)},
                   {"skein-reason", line(letter.reason.detail)},
                   {"skein-hint", line(letter.reason.hint)},
                   {"skein-trigger", letter.trigger},
                   {"skein-run", letter.run},
                   {"skein-waits-for", letter.waits_for},
                   {"skein-subject", letter.original.subject},
                   {"skein-headers", headers}},
                  letter.original.payload};
  // libnats reads no header at all of a message in which one is empty.
  std::erase_if(message.headers, [](const Header& header) { return header.value.empty(); });
  return message;
}

Letter letter_from(Stored&& stored) {
  const auto header = [&](std::string_view name) {
    return std::string(event::find_header(stored.message.headers, name));
  };
  Letter letter;
  letter.number = stored.sequence;
  letter.at = stored.at;
  letter.reason =
      Error{code_of(header("skein-code")), header("skein-reason"), header("skein-hint")};
  letter.trigger = header("skein-trigger");
  letter.run = header("skein-run");
  letter.waits_for = header("skein-waits-for");
  letter.original.subject = header("skein-subject");
  letter.original.headers = headers_from(header("skein-headers"));
  letter.original.payload = std::move(stored.message.payload);
  return letter;
}

} // namespace

Result<Appended> append_now(Broker& broker, Message message, const std::string& id) {
  auto promise = std::make_shared<std::promise<Result<Appended>>>();
  auto answer = promise->get_future();
  broker.append(std::move(message), id,
                [promise](Result<Appended> result) { promise->set_value(std::move(result)); });
  return answer.get();
}

Result<std::vector<Stored>> read_all(Broker& broker, const std::string& stream, std::uint64_t from,
                                     std::uint64_t to) {
  struct Reading {
    std::mutex mutex;
    std::condition_variable more;
    std::vector<Stored> all;
    bool done = false;
  };
  const auto state = broker.stream(stream);
  if (!state) {
    return state.error();
  }
  const std::uint64_t last = std::min(to, state->last);
  if (state->messages == 0 || from > last) {
    return std::vector<Stored>();
  }
  auto reading = std::make_shared<Reading>();
  auto tail = broker.tail({stream, "", from}, [reading, last](Stored&& stored) {
    const std::lock_guard lock(reading->mutex);
    reading->done = reading->done || stored.sequence >= last;
    if (stored.sequence <= last) {
      reading->all.push_back(std::move(stored));
    }
    reading->more.notify_all();
  });
  if (!tail) {
    return tail.error();
  }
  std::unique_lock lock(reading->mutex);
  if (!reading->more.wait_for(lock, kPatience, [&] { return reading->done; })) {
    return Error{Code::broker_timeout, "stream " + stream + " could not be read to its end",
                 "see whether the broker is well"};
  }
  std::vector<Stored> all = std::move(reading->all);
  lock.unlock();
  tail->reset();
  return all;
}

Result<void> Letters::open(std::uint32_t replicas, Millis keep) {
  StreamSpec spec;
  spec.name = channels_.dead;
  spec.subjects = {channels_.all_dead};
  spec.replicas = replicas;
  spec.max_age = keep;
  const auto made = broker_.make_stream(spec);
  if (!made) {
    return made.error();
  }
  auto there = read_all(broker_, channels_.dead, 1, made->last);
  if (!there) {
    return there.error();
  }
  for (Stored& stored : *there) {
    on_stored(std::move(stored));
  }
  auto tail = broker_.tail({channels_.dead, "", made->last + 1},
                           [this](Stored&& stored) { on_stored(std::move(stored)); });
  if (!tail) {
    return tail.error();
  }
  subscription_ = std::move(*tail);
  return {};
}

void Letters::on_stored(Stored&& stored) {
  const std::lock_guard lock(mutex_);
  if (stored.message.subject == channels_.settled) {
    const auto number = parse_json(stored.message.payload);
    if (number && number->is(Kind::integer)) {
      open_.erase(static_cast<std::uint64_t>(number->as_int()));
    }
    return;
  }
  Letter letter = letter_from(std::move(stored));
  open_.insert_or_assign(letter.number, std::move(letter));
  if (open_.size() > kMostLetters) {
    open_.erase(open_.begin());
  }
}

Result<void> Letters::add(const Letter& letter) {
  auto promise = std::make_shared<std::promise<Result<void>>>();
  auto added = promise->get_future();
  add(letter, [promise](Result<void> result) { promise->set_value(std::move(result)); });
  return added.get();
}

void Letters::add(const Letter& letter, std::function<void(Result<void>)> answer) {
  Message message = message_of(channels_, letter);
  const std::size_t most =
      broker_.max_payload() - std::min(broker_.max_payload() / 2, kRoomForHeaders);
  if (message.payload.size() > most) {
    message.payload.resize(most);
    message.headers.push_back({"skein-cut", "true"});
  }
  spdlog::warn("dead letter{}: {}", letter.trigger.empty() ? "" : " of trigger " + letter.trigger,
               to_string(letter.reason));
  const std::string id =
      dedupe_key(letter.trigger + " " + letter.run,
                 to_string(content_hash(letter.original.payload)) + to_string(letter.at));
  broker_.append(std::move(message), id, [answer = std::move(answer)](Result<Appended> stored) {
    answer(stored ? Result<void>() : Result<void>(stored.error()));
  });
}

Result<void> Letters::settle(std::uint64_t number) {
  if (!find(number)) {
    return Error{Code::resource_unknown, "there is no dead letter " + std::to_string(number),
                 "see `skein event dead list`"};
  }
  const auto stored = append_now(broker_, {channels_.settled, "", {}, std::to_string(number)}, "");
  if (!stored) {
    return stored.error();
  }
  const std::lock_guard lock(mutex_);
  open_.erase(number);
  return {};
}

std::vector<Letter> Letters::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<Letter> all;
  for (const auto& [number, letter] : open_) {
    all.push_back(letter);
  }
  return all;
}

std::optional<Letter> Letters::find(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(number);
  return found == open_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<Letter> Letters::waiting() const {
  std::vector<Letter> all = list();
  std::erase_if(all, [](const Letter& letter) { return letter.waits_for.empty(); });
  return all;
}

} // namespace skein::node
