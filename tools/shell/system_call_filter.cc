#include "tools/shell/system_call_filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace skein::tools {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kMachine = AUDIT_ARCH_X86_64;
constexpr std::uint32_t kForeignCalls = 0x40000000; // the x32 table, which would go round the list
#elif defined(__aarch64__)
constexpr std::uint32_t kMachine = AUDIT_ARCH_AARCH64;
constexpr std::uint32_t kForeignCalls = 0x40000000;
#else
constexpr std::uint32_t kMachine = 0;
constexpr std::uint32_t kForeignCalls = 0;
#endif

constexpr std::uint32_t kRefused[] = {
    SYS_acct,
    SYS_add_key,
    SYS_bpf,
    SYS_clock_settime,
    SYS_delete_module,
    SYS_finit_module,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fsopen,
    SYS_fspick,
    SYS_init_module,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_io_uring_setup,
    SYS_kexec_load,
    SYS_keyctl,
    SYS_mount,
    SYS_mount_setattr,
    SYS_move_mount,
    SYS_name_to_handle_at,
    SYS_open_by_handle_at,
    SYS_open_tree,
    SYS_perf_event_open,
    SYS_pivot_root,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_ptrace,
    SYS_reboot,
    SYS_request_key,
    SYS_setns,
    SYS_settimeofday,
    SYS_swapoff,
    SYS_swapon,
    SYS_syslog,
    SYS_umount2,
    SYS_unshare,
    SYS_userfaultfd,
};

sock_filter statement(std::uint16_t code, std::uint32_t value) { return {code, 0, 0, value}; }

sock_filter jump(std::uint16_t test, std::uint32_t value, std::uint8_t yes, std::uint8_t no) {
  return {static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), yes, no, value};
}

} // namespace

std::string system_call_filter() {
  if (kMachine == 0) {
    return {};
  }
  constexpr std::uint16_t kLoad = BPF_LD | BPF_W | BPF_ABS;
  constexpr std::uint16_t kReturn = BPF_RET | BPF_K;
  const auto refuse = statement(kReturn, SECCOMP_RET_ERRNO | EPERM);
  std::vector<sock_filter> program{
      statement(kLoad, offsetof(seccomp_data, arch)), jump(BPF_JEQ, kMachine, 1, 0),      refuse,
      statement(kLoad, offsetof(seccomp_data, nr)),   jump(BPF_JGE, kForeignCalls, 0, 1), refuse,
  };
  for (const std::uint32_t call : kRefused) {
    program.push_back(jump(BPF_JEQ, call, 0, 1));
    program.push_back(refuse);
  }
  program.push_back(statement(kReturn, SECCOMP_RET_ALLOW));
  return {reinterpret_cast<const char*>(program.data()), program.size() * sizeof(sock_filter)};
}

} // namespace skein::tools
