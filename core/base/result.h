#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "core/base/code.h"

namespace skein {

/// Why something was refused or failed, for a person and for a program.
struct Error {
  Code code;
  std::string detail; ///< names the values and the reason, one sentence, no trailing full stop
  std::string hint;   ///< what to do next; may be empty

  Error(Code c, std::string d, std::string h = {})
      : code(c), detail(std::move(d)), hint(std::move(h)) {}

  bool operator==(const Error&) const = default;
};

/// "SK1101: task 7 is not held at epoch 1", and on a second line "  hint: …" where there is one.
std::string to_string(const Error& error);

/// A value or the error that kept it from being made. No exception crosses a module boundary; this
/// does.
///
/// REQUIRES: value access only after a check; a wrong access asserts.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {} // NOLINT: implicit by design
  Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {} // NOLINT

  bool ok() const { return held_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& operator*() & {
    assert(ok());
    return *std::get_if<0>(&held_);
  }
  const T& operator*() const& {
    assert(ok());
    return *std::get_if<0>(&held_);
  }
  T&& operator*() && {
    assert(ok());
    return std::move(*std::get_if<0>(&held_));
  }
  T* operator->() {
    assert(ok());
    return std::get_if<0>(&held_);
  }
  const T* operator->() const {
    assert(ok());
    return std::get_if<0>(&held_);
  }

  const Error& error() const& {
    assert(!ok());
    return *std::get_if<1>(&held_);
  }
  Error&& error() && {
    assert(!ok());
    return std::move(*std::get_if<1>(&held_));
  }

 private:
  std::variant<T, Error> held_;
};

/// Success or an error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {} // NOLINT: implicit by design

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    assert(!ok());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

} // namespace skein
