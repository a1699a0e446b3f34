#include "tools/process/process_loop.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "tools/process/orphans.h"

namespace skein::tools {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kGrace{1000};     // between SIGTERM and SIGKILL
constexpr milliseconds kSweepFirst{1};   // while something that a child left behind still dies:
constexpr milliseconds kSweepEvery{10};  // soon for a while, then in no hurry
constexpr milliseconds kCountEvery{100}; // processes of a child
constexpr milliseconds kDrainFor{500};   // before open pipes are given up
constexpr milliseconds kSweepSoonFor{50};
constexpr milliseconds kReapFor{5000};   // more, for the kernel to take killed processes down
constexpr std::size_t kFloodFactor = 64; // a child may write this much more than is kept of it

constexpr int kWakeRole = 0;
constexpr int kOutRole = 1;
constexpr int kErrRole = 2;
constexpr int kExitRole = 3;

Millis since(steady_clock::time_point start) {
  return Millis{std::chrono::duration_cast<milliseconds>(steady_clock::now() - start).count()};
}

/// The process number that bubblewrap wrote: {"child-pid": 123}. 0 where there is none.
pid_t first_process_of(int status) {
  std::array<char, 256> text = {};
  if (status < 0 || ::read(status, text.data(), text.size() - 1) <= 0) {
    return 0;
  }
  const char* key = std::strstr(text.data(), "\"child-pid\":");
  return key == nullptr ? 0 : static_cast<pid_t>(std::atoi(key + std::strlen("\"child-pid\":")));
}

} // namespace

struct ProcessLoop::Child {
  Id id = 0;
  ChildDone done;
  std::string mark;
  std::size_t max_output = 0;
  std::size_t max_processes = 0;
  Spawned process;
  ChildOutcome outcome;
  std::size_t written = 0;
  Phase phase = Phase::running;
  TimePoint started;
  TimePoint give_up; // of draining
  std::optional<TimePoint> deadline;
  std::set<pid_t> dying; // orphans that were killed
  std::optional<TimePoint> alarm;
};

ProcessLoop::ProcessLoop() = default;

ProcessLoop::~ProcessLoop() { close(); }

void ProcessLoop::close() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) {
    wake();
    thread_.join();
  }
}

void ProcessLoop::ensure_thread() {
  if (!thread_.joinable()) {
    wakeup_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    epoll_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
    watch(wakeup_.get(), 0, kWakeRole);
    thread_ = std::thread([this] { run(); });
  }
}

void ProcessLoop::wake() {
  const std::uint64_t one = 1;
  (void)!::write(wakeup_.get(), &one, sizeof one);
}

ProcessLoop::Id ProcessLoop::start(ChildSpec spec, ChildDone done) {
  const std::lock_guard lock(mutex_);
  ensure_thread();
  requests_.push_back({++last_id_, std::move(spec), std::move(done)});
  wake();
  return last_id_;
}

void ProcessLoop::cancel(Id id) {
  const std::lock_guard lock(mutex_);
  if (thread_.joinable()) {
    requests_.push_back({id, {}, nullptr});
    wake();
  }
}

void ProcessLoop::run() {
  // Orphans come to this process instead of init, so that no daemon outlives its call.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  while (!closing_ || !children_.empty()) {
    std::array<epoll_event, 64> events;
    const int ready =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait_millis());
    for (int i = 0; i < ready; ++i) {
      on_ready(events[static_cast<std::size_t>(i)].data.u64);
    }
    take_requests();
    ring_alarms();
    const std::lock_guard lock(mutex_);
    if (stopping_ && !closing_) {
      closing_ = true;
      for (const auto& [id, child] : children_) {
        requests_.push_back({id, {}, nullptr});
      }
      wake();
    }
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

void ProcessLoop::take_requests() {
  std::vector<Request> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(requests_);
  }
  for (Request& request : taken) {
    if (request.done) {
      begin(std::move(request));
    } else if (const auto child = children_.find(request.id); child != children_.end()) {
      stop(*child->second, Stopped::cancelled);
    }
  }
}

void ProcessLoop::begin(Request request) {
  auto child = std::make_unique<Child>();
  child->started = steady_clock::now();
  auto process = closing_ ? Result<Spawned>(Error{Code::step_cancelled, "the node is stopping"})
                          : spawn(request.spec);
  if (!process) {
    request.done(process.error());
    return;
  }
  child->id = request.id;
  child->done = std::move(request.done);
  child->mark = std::move(request.spec.mark);
  child->max_output = request.spec.max_output;
  child->process = std::move(*process);
  if (!watch(child->process.out.get(), child->id, kOutRole) ||
      !watch(child->process.err.get(), child->id, kErrRole) ||
      !watch(child->process.pidfd.get(), child->id, kExitRole)) {
    ::kill(-child->process.pid, SIGKILL);
    ::waitpid(child->process.pid, nullptr, 0);
    child->done(Error{Code::tool_unavailable, "no room to watch another command"});
    return;
  }
  child->max_processes = request.spec.max_processes;
  if (request.spec.timeout) {
    child->deadline = child->started + milliseconds(request.spec.timeout->count);
  }
  watch_on(*child);
  children_.emplace(child->id, std::move(child));
}

void ProcessLoop::watch_on(Child& child) {
  if (child.max_processes != 0) {
    const TimePoint next = steady_clock::now() + kCountEvery;
    set_alarm(child, child.deadline ? std::min(*child.deadline, next) : next);
  } else if (child.deadline) {
    set_alarm(child, *child.deadline);
  }
}

bool ProcessLoop::watch(int fd, Id id, int role) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = id << 2 | static_cast<std::uint64_t>(role);
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void ProcessLoop::on_ready(std::uint64_t token) {
  const int role = static_cast<int>(token & 3);
  if (role == kWakeRole) {
    std::uint64_t count = 0;
    (void)!::read(wakeup_.get(), &count, sizeof count);
    return;
  }
  const auto found = children_.find(token >> 2);
  if (found == children_.end()) {
    return;
  }
  if (role == kExitRole) {
    on_exit(*found->second);
  } else {
    on_output(*found->second, role == kErrRole);
  }
}

void ProcessLoop::on_output(Child& child, bool error) {
  UniqueFd& fd = error ? child.process.err : child.process.out;
  std::string& kept = error ? child.outcome.err : child.outcome.out;
  static thread_local std::array<char, 64u << 10> buffer;
  const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  if (n <= 0) {
    fd.reset(); // closing takes it out of the epoll set, too
    if (child.phase == Phase::draining && !child.process.out && !child.process.err) {
      drain(child);
    }
    return;
  }
  const auto got = static_cast<std::size_t>(n);
  const std::size_t room = child.max_output - std::min(child.max_output, kept.size());
  kept.append(buffer.data(), std::min(got, room));
  child.outcome.truncated = child.outcome.truncated || got > room;
  child.written += got;
  if (child.written / kFloodFactor > child.max_output) {
    stop(child, Stopped::flood);
  }
}

void ProcessLoop::stop(Child& child, Stopped why) {
  if (child.phase != Phase::running) {
    return;
  }
  child.phase = Phase::terminating;
  child.outcome.stopped = why;
  if (child.process.status) {
    // The sandbox itself would die at once of a SIGTERM, and all in it of SIGKILL.
    for (const pid_t pid : grandchildren_of(child.process.pid)) {
      ::kill(pid, SIGTERM);
    }
  } else {
    ::kill(-child.process.pid, SIGTERM);
  }
  set_alarm(child, steady_clock::now() + kGrace);
}

void ProcessLoop::on_exit(Child& child) {
  // The zombie still holds its number: the group can be killed before somebody else gets it.
  ::kill(-child.process.pid, SIGKILL);
  siginfo_t info = {};
  ::waitid(P_PID, static_cast<id_t>(child.process.pid), &info, WEXITED);
  child.process.pidfd.reset();
  if (const pid_t init = first_process_of(child.process.status.get()); init > 0) {
    ::kill(init, SIGKILL); // and with it its namespace; it is this process's child now
    child.dying.insert(init);
  }
  if (info.si_code == CLD_EXITED) {
    child.outcome.exit_code = info.si_status;
  } else {
    child.outcome.signal = info.si_status;
    child.outcome.exit_code = 128 + info.si_status;
  }
  child.outcome.duration = since(child.started);
  child.phase = Phase::draining;
  child.give_up = steady_clock::now() + kDrainFor;
  drain(child);
}

void ProcessLoop::drain(Child& child) {
  const auto known = [this](pid_t pid) {
    return std::any_of(children_.begin(), children_.end(), [&](const auto& row) {
      return row.second->process.pid == pid && row.second->phase != Phase::draining;
    });
  };
  const bool orphans =
      !child.mark.empty() && sweep_orphans(child.mark, child.process.pid, child.dying, known);
  const bool open = child.process.out || child.process.err;
  const TimePoint now = steady_clock::now();
  if ((!orphans && (!open || now >= child.give_up)) || now >= child.give_up + kReapFor) {
    return finish(child);
  }
  const bool fresh = now + kDrainFor < child.give_up + kSweepSoonFor;
  set_alarm(child, now + (fresh ? kSweepFirst : kSweepEvery));
}

void ProcessLoop::on_alarm(Child& child) {
  switch (child.phase) {
    case Phase::running:
      if (child.deadline && steady_clock::now() >= *child.deadline) {
        return stop(child, Stopped::timeout);
      }
      if (grandchildren_of(child.process.pid).size() > child.max_processes) {
        child.outcome.stopped = Stopped::processes;
        child.phase = Phase::killed; // nobody says good bye to a fork bomb
        ::kill(-child.process.pid, SIGKILL);
        return;
      }
      return watch_on(child);
    case Phase::terminating:
      child.phase = Phase::killed;
      ::kill(-child.process.pid, SIGKILL);
      return;
    case Phase::killed:
      return;
    case Phase::draining:
      return drain(child);
  }
}

void ProcessLoop::finish(Child& child) {
  if (child.alarm) {
    alarms_.erase({*child.alarm, child.id});
  }
  const auto node = children_.extract(child.id); // the child lives until `done` has returned
  child.process.out.reset();
  child.process.err.reset();
  child.done(std::move(child.outcome));
}

void ProcessLoop::set_alarm(Child& child, TimePoint at) {
  if (child.alarm) {
    alarms_.erase({*child.alarm, child.id});
  }
  child.alarm = at;
  alarms_.emplace(at, child.id);
}

int ProcessLoop::wait_millis() const {
  if (alarms_.empty()) {
    return -1;
  }
  const auto left = std::chrono::ceil<milliseconds>(alarms_.begin()->first - steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

void ProcessLoop::ring_alarms() {
  const TimePoint now = steady_clock::now();
  while (!alarms_.empty() && alarms_.begin()->first <= now) {
    const Id id = alarms_.begin()->second;
    alarms_.erase(alarms_.begin());
    Child& child = *children_.at(id);
    child.alarm.reset();
    on_alarm(child);
  }
}

} // namespace skein::tools
