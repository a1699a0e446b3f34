#include "cli/checks.h"

#include <algorithm>
#include <string>

namespace skein::cli {

CLI::Validator not_empty() {
  return {[](std::string& text) { return text.empty() ? "is empty" : ""; }, ""};
}

CLI::Validator from_one() {
  return {[](std::string& text) {
            const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
            const bool some = text.find_first_not_of('0') != std::string::npos;
            return digits && some && text.size() <= 18
                       ? std::string()
                       : "\"" + text + "\" is no whole number from 1 on";
          },
          ""};
}

} // namespace skein::cli
