// How a fork of the kernel process becomes the sleeping template from which every guest process descends. This half runs
// in the kernel's own image, once.
#define _GNU_SOURCE
#include "stub.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(offsetof(struct apus_cold, stack_top) == 160, "entry.S knows this offset");
_Static_assert(offsetof(struct apus_cold, in_stub) == 168, "entry.S knows this offset");
_Static_assert(offsetof(struct apus_cold, interrupt_pending) == 172, "entry.S knows this offset");
_Static_assert(offsetof(struct apus_cold, fp_mask) == 176, "entry.S knows this offset");
_Static_assert(offsetof(struct apus_cold, fp_pointer) == 184, "entry.S knows this offset");
_Static_assert(APUS_CONTEXTS_SIZE >= APUS_BLOCK_SIZE * (APUS_MAX_THREADS + 1), "a block for each thread");
_Static_assert(APUS_LOCAL_FILES_OFFSET >= APUS_BLOCK_SIZE * (APUS_MAX_THREADS + 1) &&
                   APUS_LOCAL_FILES_OFFSET + sizeof(struct apus_local_file) * APUS_LOCAL_FILES <= APUS_CONTEXTS_SIZE,
               "the local files fit behind the last block");
_Static_assert(sizeof(struct apus_local_file) == 64, "one cache line");
_Static_assert(APUS_STUB_PAGES >= APUS_STUB_END && APUS_STUB_PAGES_END < APUS_HOST_TASK_SIZE, "above the stub");
_Static_assert(sizeof(struct apus_local_answer) * APUS_LOCAL_ANSWERS <= APUS_KERNEL_WAITS_OFFSET - APUS_ANSWERS_OFFSET,
               "the answers fit before the count of waits");
_Static_assert(APUS_HOT_OFFSET % 64 == 0 && APUS_HOT_OFFSET >= APUS_MARK_OFFSET + 8 &&
                   APUS_HOT_OFFSET + sizeof(struct apus_hot) * APUS_MAX_THREADS <= APUS_BLOCK_SIZE,
               "the hot lines fit between the mark and the first block");
_Static_assert(sizeof(struct apus_hot) == 64, "one cache line");
_Static_assert(offsetof(struct apus_cold, out) + sizeof(struct apus_payload) - offsetof(struct apus_cold, out_count) == 64,
    "a small result and its place in one cache line");
_Static_assert(offsetof(struct apus_cold, in) + sizeof(struct apus_payload) - offsetof(struct apus_cold, in_bytes) == 64,
    "a small payload and its place in one cache line");
_Static_assert(offsetof(struct apus_cold, in_bytes) % 64 == 0 && offsetof(struct apus_cold, out_count) % 64 == 0,
    "the two sides write different lines");
_Static_assert(sizeof(struct apus_cold) <= APUS_FP_AREA, "the cold state fits before the floating-point area");
_Static_assert(sizeof(struct apus_config) <= APUS_STUB_CONFIG_SIZE, "the configuration fits its pages");
_Static_assert(APUS_STUB_CONTEXTS == 0x7ef000100000UL && APUS_CONTEXTS_SIZE == 0x4000000UL, "entry.S knows these");

extern char __start_apus_stub[], __stop_apus_stub[];
extern char apus_stub_restorer[], apus_stub_enter[], apus_stub_told[];
void apus_stub_on_order(struct apus_cold *cold);
void apus_stub_on_signal(int signal, siginfo_t *info, void *context);
void apus_stub_first(struct apus_cold *cold);

const void *apus_stub_image(void) { return __start_apus_stub; }
size_t apus_stub_image_size(void) { return (size_t)(__stop_apus_stub - __start_apus_stub); }

/// Where a function of the image lies once it is copied.
static uint64_t placed(const void *function) {
    return APUS_STUB_BASE + (uint64_t)((const char *)function - __start_apus_stub);
}

uint64_t apus_stub_call_entry(void) { return placed(apus_stub_enter); }
uint64_t apus_stub_order_entry(void) { return placed(apus_stub_on_order); }
uint64_t apus_stub_told_address(void) { return placed(apus_stub_told); }

struct kernel_sigaction {
    uint64_t handler, flags, restorer, mask;
};

static void require(int holds, int step) {
    if (!holds) _exit(100 + step);
}

static void *map(uint64_t address, size_t size, int protection, int flags, int descriptor) {
    return mmap((void *)address, size, protection, flags | MAP_FIXED_NOREPLACE, descriptor, 0);
}

static void seal(uint64_t address, size_t size) { syscall(APUS_HOST_MSEAL, address, size, 0); }

/// The listener, if one is asked for, becomes the lowest free descriptor.
static int install(struct apus_filter filter, unsigned long flags) {
    struct sock_fprog program = {(unsigned short)filter.count, (struct sock_filter *)filter.instructions};
    return filter.count && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) >= 0;
}

static void __attribute__((noreturn)) become_template(int contexts, int config, int doorbell, int socket,
                                                      struct apus_filter asking, struct apus_filter other,
                                                      const struct apus_host_vdso *vdso) {
    // The C library's per-thread registrations would make the host write into memory that is about to go.
    char *thread = __builtin_thread_pointer();
    syscall(SYS_rseq, thread + __rseq_offset, 32, 1, RSEQ_SIG);
    syscall(SYS_set_robust_list, 0, 24);
    syscall(SYS_set_tid_address, 0);

    void *code = map(APUS_STUB_BASE, APUS_STUB_CODE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    require(code == (void *)APUS_STUB_BASE, 1);
    require(apus_stub_image_size() <= APUS_STUB_CODE_SIZE, 2);
    memcpy(code, apus_stub_image(), apus_stub_image_size());
    require(mprotect(code, APUS_STUB_CODE_SIZE, PROT_READ | PROT_EXEC) == 0, 3);
    require(map(APUS_STUB_CONFIG, APUS_STUB_CONFIG_SIZE, PROT_READ, MAP_SHARED, config) != MAP_FAILED, 4);
    require(map(APUS_STUB_DOORBELL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, doorbell) != MAP_FAILED, 5);
    require(map(APUS_STUB_CONTEXTS, APUS_CONTEXTS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, contexts) != MAP_FAILED, 6);
    require(madvise((void *)APUS_STUB_CONTEXTS, APUS_CONTEXTS_SIZE, MADV_DONTFORK) == 0, 7);
    require(apus_stub_keep_host_vdso(vdso), 18);
    // From here on nobody unmaps, protects, moves or replaces these; a fork inherits that, but not the contexts. Older
    // hosts do not know the call: there the filter's checks of addresses have to do.
    seal(APUS_STUB_BASE, APUS_STUB_CODE_SIZE);
    seal(APUS_STUB_CONFIG, APUS_STUB_CONFIG_SIZE);
    seal(APUS_STUB_DOORBELL, 4096);
    seal(APUS_STUB_CONTEXTS, APUS_CONTEXTS_SIZE);
    for (uint32_t i = 0; i < vdso->count; i++)
        seal(APUS_STUB_HOST_VDSO + (vdso->start[i] - vdso->start[0]), vdso->size[i]);

    // A group of its own: the terminal's signals are the kernel's to forward. Not a session, which the host's scheduler
    // would weigh against the kernel's (sched_autogroup): each switch between the two cost half as much again.
    require(setpgid(0, 0) == 0, 22);
    require(dup2(socket, APUS_SOCKET) == APUS_SOCKET, 8);
    require(syscall(SYS_close_range, APUS_SOCKET + 1, ~0U, 0) == 0, 9);
    const struct rlimit descriptors = {APUS_MAX_DESCRIPTORS, APUS_MAX_DESCRIPTORS}, nothing_left = {0, 0};
    require(setrlimit(RLIMIT_NOFILE, &descriptors) == 0, 20);
    require(setrlimit(RLIMIT_CORE, &nothing_left) == 0, 21);
    require(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, 10);
    // The kernel may have ended before that.
    require((uint32_t)syscall(SYS_getppid) == ((const struct apus_config *)APUS_STUB_CONFIG)->kernel_process, 16);

    struct kernel_sigaction action = {placed(apus_stub_on_signal),
                                      SA_SIGINFO | SA_ONSTACK | SA_NODEFER | 0x04000000, placed(apus_stub_restorer), 0};
    const int handled[] = {SIGSYS, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGCHLD};
    struct kernel_sigaction standard = {0, 0, 0, 0};
    for (int signal = 1; signal <= 64; signal++)
        if (signal != SIGKILL && signal != SIGSTOP) syscall(SYS_rt_sigaction, signal, &standard, 0, 8);
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++) {
        // A trapped call's registers tell all that there is to know; the host need not write a siginfo.
        struct kernel_sigaction plain = action;
        if (handled[i] == SIGSYS) plain.flags &= ~(uint64_t)SA_SIGINFO;
        require(syscall(SYS_rt_sigaction, handled[i], &plain, 0, 8) == 0, 11);
    }
    uint64_t none = 0;
    require(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, 0, 8) == 0, 12);

    struct apus_cold *block = (struct apus_cold *)(APUS_STUB_CONTEXTS + APUS_BLOCK_SIZE);
    stack_t stack = {(char *)block + APUS_STACK, 0, APUS_STACK_SIZE};
    require(sigaltstack(&stack, 0) == 0, 13);

    require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, 14);
    // Guests' capabilities are the kernel's to grant: on the host there are none. Without CAP_SETPCAP the bounding set
    // stays, which nothing can be gained from.
    for (int number = 0; number < 64; number++) prctl(PR_CAPBSET_DROP, number, 0, 0, 0);
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    const struct __user_cap_data_struct nothing[2] = {{0, 0, 0}, {0, 0, 0}};
    require(syscall(SYS_capset, &header, nothing) == 0, 17);
    // What this thread tells soon is for a tracer to see.
    volatile const struct apus_config *shared = (const struct apus_config *)APUS_STUB_CONFIG;
    while (shared->traced == APUS_TRACED_SOON) sched_yield();
    // NEW_LISTENER, WAIT_KILLABLE_RECV (Linux 5.19): a call that the kernel has let pass is carried out.
    if (!install(asking, 1 << 3 | 1 << 5)) require(install(other, 0) || shared->traced, 15);
    __asm__ volatile("mov %0, %%rsp\n\tmov %1, %%rdi\n\txor %%ebp, %%ebp\n\tcall *%2\n\tud2" ::"r"(
                         (char *)block + APUS_BLOCK_SIZE - 64),
                     "r"(block), "r"(placed(apus_stub_first))
                     : "rdi", "memory");
    __builtin_unreachable();
}

int apus_stub_spawn_template(int contexts, int config, int doorbell, int socket, struct apus_filter asking,
                             struct apus_filter other, const struct apus_host_vdso *vdso) {
    // Not fork(): the C library's bookkeeping is of no use to a child that throws the library away.
    long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child < 0) return -1;
    if (child == 0) become_template(contexts, config, doorbell, socket, asking, other, vdso);
    return (int)child;
}
