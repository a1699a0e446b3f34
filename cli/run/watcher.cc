#include "cli/run/watcher.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace skein::cli {
namespace {

constexpr Millis kBeforeProgress{1'000};

bool speaks_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') {
      const std::string_view text(value);
      return text.find("UTF-8") != text.npos || text.find("utf8") != text.npos;
    }
  }
  return false;
}

std::size_t columns_from_environment() {
  const char* columns = std::getenv("COLUMNS");
  const unsigned long wanted = columns != nullptr ? std::strtoul(columns, nullptr, 10) : 0;
  return wanted > 0 && wanted < 10'000 ? wanted : 80;
}

} // namespace

Show fitting(Show wanted, std::FILE* to) {
  const char* terminal = std::getenv("TERM");
  const bool draws =
      ::isatty(::fileno(to)) != 0 && (terminal == nullptr || std::string_view(terminal) != "dumb");
  if (draws) {
    return wanted;
  }
  return wanted == Show::tree ? Show::lines : wanted == Show::progress ? Show::nothing : wanted;
}

Watcher::Watcher(const Context& context, node::Node& node, RunId run, Show show, std::FILE* to)
    : context_(context),
      node_(node),
      run_(std::move(run)),
      show_(fitting(show, to)),
      to_(to),
      started_(now()),
      story_([&node](const ContentHash& revision) {
        return node::definition_of(node.store(), revision);
      }),
      unicode_(speaks_utf8()) {}

// Listens first and reads second, so that no entry falls between.
void Watcher::begin() {
  watch_ = node_.watch(run_, [this](const Entry& entry) {
    const std::lock_guard lock(mutex_);
    arrived_.push_back(entry);
  });
  read_rest();
}

void Watcher::read_rest() {
  const Seq next(story_.last().get() + 1);
  const auto read = node_.store().read_journal(run_, next, [&](const Entry& entry) {
    const auto told = story_.take(entry);
    if (told) {
      tell(entry, *told);
    }
    return told.ok();
  });
  if (!read) {
    show_ = Show::nothing; // whoever waits for the run says why
  }
}

void Watcher::take_new() {
  std::deque<Entry> fresh;
  {
    const std::lock_guard lock(mutex_);
    fresh.swap(arrived_);
  }
  for (const Entry& entry : fresh) {
    if (entry.seq > story_.last()) {
      if (const auto told = story_.take(entry)) {
        tell(entry, *told);
      }
    }
  }
}

void Watcher::tell(const Entry& entry, const Told& told) {
  if (show_ != Show::lines) {
    return;
  }
  if (to_ == stdout && context_.structured()) {
    print_next(context_.format, to_value(entry, told));
    return;
  }
  const std::string line = to_string(told.at) + "  " + std::to_string(told.seq.get()) + "  " +
                           (told.step.empty() ? "" : told.step + " ") + shortened(told.what, 200) +
                           "\n";
  if (to_ == stdout) {
    put(line);
    std::fflush(stdout); // a reader at the other end of the pipe waits for it
  } else {
    std::fputs(line.c_str(), to_);
  }
}

void Watcher::tick() {
  if (show_ == Show::nothing || (show_ == Show::progress && now() - started_ < kBeforeProgress)) {
    return;
  }
  if (!watch_) {
    begin();
  }
  take_new();
  ++frame_;
  if (story_.machine() == nullptr || show_ == Show::lines) {
    return;
  }
  const Scene scene = scene_of(story_, now());
  redraw(show_ == Show::tree ? draw(scene, style())
                             : std::vector<std::string>{draw_line(scene, style())});
}

// The end of a run may be known before its last entries have come from its node.
void Watcher::finish() {
  if (show_ == Show::progress) {
    redraw({});
    show_ = Show::nothing;
  }
  if (show_ != Show::nothing && watch_) {
    take_new();
    read_rest();
  }
  tick();
  watch_.reset();
}

void Watcher::redraw(std::vector<std::string> lines) {
  std::string out = drawn_ > 0 ? "\x1b[" + std::to_string(drawn_) + "A\r" : "";
  for (const std::string& line : lines) {
    out += line + "\x1b[K\n";
  }
  out += drawn_ > lines.size() ? "\x1b[J" : "";
  drawn_ = lines.size();
  std::fputs(out.c_str(), to_);
  std::fflush(to_);
}

Style Watcher::style() const {
  Style style;
  winsize size{};
  if (::ioctl(::fileno(to_), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    style.columns = size.ws_col;
    style.rows = std::max<std::size_t>(size.ws_row, 4) - 1; // the cursor stands below
  } else {
    style.columns = columns_from_environment();
  }
  style.colour = context_.colour;
  style.unicode = unicode_;
  style.frame = frame_;
  return style;
}

} // namespace skein::cli
