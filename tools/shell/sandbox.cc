#include "tools/shell/sandbox.h"

#include <algorithm>
#include <filesystem>

#include "tools/hidden.h"
#include "tools/shell/system_call_filter.h"

namespace skein::tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBubblewrap = "/usr/bin/bwrap";

// Names, time zone and libraries: what programs read of /etc before they do anything. Each line is
// a mount, about a third of a millisecond of every call; certificates and name service files wait
// for a call that has the network.
constexpr const char* kEtc[] = {
    "/etc/alternatives",  "/etc/group",  "/etc/ld.so.cache",     "/etc/localtime",
    "/etc/nsswitch.conf", "/etc/passwd", "/etc/ssl/openssl.cnf",
};
constexpr const char* kNetworkEtc[] = {
    "/etc/ca-certificates", "/etc/gai.conf",    "/etc/host.conf", "/etc/hosts",
    "/etc/protocols",       "/etc/resolv.conf", "/etc/services",  "/etc/ssl/certs",
};
constexpr const char* kSystem[] = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};

using Arguments = std::vector<std::string>;

void add(Arguments& to, std::initializer_list<std::string> words) {
  to.insert(to.end(), words.begin(), words.end());
}

/// /bin and its like are links into /usr on merged systems and directories on others.
void add_system(Arguments& to) {
  add(to, {"--ro-bind", "/usr", "/usr"});
  for (const char* path : kSystem) {
    std::error_code problem;
    if (const fs::path target = fs::read_symlink(path, problem); !problem) {
      add(to, {"--symlink", target.string(), path});
    } else {
      add(to, {"--ro-bind-try", path, path});
    }
  }
}

/// A directory in memory, which no limit of a process counts.
void add_temporary(Arguments& to, const char* path, const Sandbox& sandbox) {
  if (sandbox.max_temporary != 0) {
    add(to, {"--size", std::to_string(sandbox.max_temporary)});
  }
  add(to, {"--tmpfs", path});
}

/// An empty directory over each that the binds before would show. One that is not there would be
/// made, on the host too.
void add_hidden(Arguments& to, const Sandbox& sandbox) {
  const auto holds_a_root = [&](const std::string& path) {
    return std::any_of(sandbox.roots.begin(), sandbox.roots.end(),
                       [&](const std::string& root) { return is_at_or_below(root, path); });
  };
  for (const std::string& path : sandbox.hidden) {
    std::error_code problem;
    if (fs::is_directory(path, problem) &&
        (visible_in_sandbox(path, sandbox) || holds_a_root(path))) {
      add(to, {"--tmpfs", path, "--remount-ro", path});
    }
  }
}

Arguments arguments(const Sandbox& sandbox) {
  Arguments out{kBubblewrap,
                "--unshare-user",
                "--unshare-all",
                "--disable-userns",
                "--die-with-parent",
                "--new-session",
                "--cap-drop",
                "ALL",
                "--hostname",
                "sandbox",
                "--seccomp",
                "3",
                "--args",
                "4",
                "--json-status-fd",
                "5"};
  if (sandbox.network) {
    out.push_back("--share-net");
  }
  add_system(out);
  for (const char* path : kEtc) {
    add(out, {"--ro-bind-try", path, path});
  }
  if (sandbox.network) {
    for (const char* path : kNetworkEtc) {
      add(out, {"--ro-bind-try", path, path});
    }
  }
  add(out, {"--proc", "/proc", "--dev", "/dev"});
  add_temporary(out, "/dev/shm", sandbox);
  add_temporary(out, "/tmp", sandbox);
  for (const std::string& path : sandbox.read_only) {
    add(out, {"--ro-bind", path, path});
  }
  for (const std::string& path : sandbox.roots) {
    add(out, {"--bind", path, path});
  }
  add_hidden(out, sandbox);
  add(out, {"--remount-ro", "/dev", "--remount-ro", "/"});
  return out;
}

/// The variables of the command as arguments that bubblewrap reads from a file. None is in its own
/// environment but the mark: LD_PRELOAD and its like would act on bubblewrap itself, which is not
/// shut in. On the command line, process lists would show them.
std::string environment_arguments(const std::vector<std::string>& environment) {
  std::string out;
  for (const std::string& entry : environment) {
    const std::size_t equals = std::min(entry.find('='), entry.size());
    const std::string value = entry.substr(std::min(equals + 1, entry.size()));
    for (const std::string& word : {std::string("--setenv"), entry.substr(0, equals), value}) {
      out += word + '\0';
    }
  }
  return out;
}

ChildSpec wrapped(ChildSpec bare, const Sandbox& sandbox, const std::string& directory) {
  Arguments argv = arguments(sandbox);
  add(argv, {"--chdir", directory, "--"});
  argv.insert(argv.end(), bare.argv.begin(), bare.argv.end());
  bare.argv = std::move(argv);
  bare.directory.clear();
  bare.files = {system_call_filter(), environment_arguments(bare.environment)};
  bare.environment = {bare.mark};
  bare.sandboxed = true;
  return bare;
}

} // namespace

Result<void> check(const Sandbox& sandbox) {
  for (const std::string& root : sandbox.roots) {
    if (is_at_or_below("/proc", root) || is_at_or_below("/dev", root)) {
      return Error{Code::tool_denied,
                   "no sandbox can hold a command back that may write all of " + root,
                   "start skein in a directory for its work, or say `sandbox: none`"};
    }
  }
  return {};
}

ChildSpec sandboxed(ChildSpec bare, const Sandbox& sandbox) {
  const std::string directory = bare.directory.empty() ? "/tmp" : bare.directory;
  return wrapped(std::move(bare), sandbox, directory);
}

ChildSpec sandbox_probe() {
  ChildSpec bare;
  bare.argv = {"true"};
  bare.mark = "SKEIN_EFFECT_KEY=look-at-the-sandbox";
  bare.environment = {"PATH=/usr/bin:/bin", bare.mark};
  bare.timeout = Millis{10'000};
  return wrapped(std::move(bare), {}, "/");
}

bool visible_in_sandbox(const std::string& directory, const Sandbox& sandbox) {
  const auto below = [&](const std::string& root) { return is_at_or_below(directory, root); };
  const auto& roots = sandbox.roots;
  const auto& shown = sandbox.read_only;
  return below("/usr") || std::any_of(std::begin(kSystem), std::end(kSystem), below) ||
         std::any_of(roots.begin(), roots.end(), below) ||
         std::any_of(shown.begin(), shown.end(), below);
}

} // namespace skein::tools
