#define _GNU_SOURCE
#include "chost.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Linux 6.4.
#ifndef PR_GET_AUXV
#define PR_GET_AUXV 0x41555856
#endif

long apus_host_call(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d, unsigned long e,
                    unsigned long f) {
    register unsigned long r10 __asm__("r10") = d;
    register unsigned long r8 __asm__("r8") = e;
    register unsigned long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

void apus_host_clock(int clock, int64_t *seconds, int64_t *nanoseconds) {
    struct timespec now = {0, 0};
    clock_gettime(clock, &now);
    *seconds = now.tv_sec;
    *nanoseconds = now.tv_nsec;
}

int64_t apus_host_clock_resolution(int clock) {
    struct timespec step = {0, 0};
    clock_getres(clock, &step);
    return step.tv_sec * 1000000000 + step.tv_nsec;
}

uint32_t apus_host_processor(void) {
    // A load, where the C library has registered a restartable sequence; else the vDSO.
    return (uint32_t)sched_getcpu() & 0xff;
}

long apus_host_send_descriptors(int socket, const int *descriptors, int count) {
    char byte = 0;
    struct iovec vector = {&byte, 1};
    union {
        char bytes[CMSG_SPACE(4 * sizeof(int))];
        struct cmsghdr align;
    } control;
    if (count < 1 || count > 4) return -EINVAL;
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = CMSG_SPACE((size_t)count * sizeof(int))};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
    memcpy(CMSG_DATA(header), descriptors, (size_t)count * sizeof(int));
    // A stub that does not take its descriptors must not stop the kernel.
    return apus_host_call(SYS_sendmsg, (unsigned long)socket, (unsigned long)&message, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0,
                          0);
}

static uint32_t *volatile routed_word;
static uint64_t *volatile routed_signals;

static void *routed_thread;

static void on_routed_signal(int signal, siginfo_t *info, void *context) {
    (void)context;
    // Each read once: where there are other threads, one of them may stop the routing at any moment.
    uint32_t *word = routed_word;
    uint64_t *signals = routed_signals;
    if (!word || !signals) return;
    // Queued is what the supervisor passes on: see `pass_on`.
    __atomic_fetch_or(signals + (info->si_code == SI_QUEUE), 1UL << (signal - 1), __ATOMIC_SEQ_CST);
    __atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
    // The thread that waits for the word need not be woken by itself: its wait begins anew, and sees the change.
    if (__builtin_thread_pointer() != routed_thread)
        apus_host_call(SYS_futex, (unsigned long)word, FUTEX_WAKE, 1, 0, 0, 0);
}

void apus_host_route_signals(uint32_t *word, uint64_t *signals, const int *numbers, int count, int stops) {
    routed_word = word;
    routed_signals = signals;
    routed_thread = __builtin_thread_pointer();
    for (int i = 0; i < count; i++) {
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_sigaction = on_routed_signal;
        action.sa_flags = SA_RESTART | (stops ? 0 : SA_NOCLDSTOP) | SA_SIGINFO;
        // In the background, a call on the terminal that began again would cause the same signal for ever.
        if (numbers[i] == SIGTTIN || numbers[i] == SIGTTOU) action.sa_flags = SA_SIGINFO;
        sigaction(numbers[i], &action, NULL);
    }
}

static void leaf(uint32_t sub, uint32_t *a, uint32_t *b) {
    uint32_t c, d;
    __asm__ volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(c), "=d"(d) : "a"(0xd), "c"(sub));
}

void apus_host_extended_state(uint64_t *components, uint32_t *size) {
    uint32_t low, high, length, offset;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    // Tile state (bits 17 and 18) is saved only for processes that have asked for it, which stubs never do.
    uint64_t present = ((uint64_t)high << 32 | low) & ~0x60000UL;
    uint32_t end = 512 + 64;
    for (uint32_t component = 2; component < 63; component++) {
        if (!(present >> component & 1)) continue;
        leaf(component, &length, &offset);
        if (offset + length > end) end = offset + length;
    }
    *components = present;
    *size = end;
}

int apus_host_fork(void) {
    int child = fork();
    return child < 0 ? -errno : child;
}

static int supervised;

static void pass_on(int signal, siginfo_t *info, void *context) {
    (void)context;
    // What the terminal sends (SI_KERNEL) comes to the child by itself. The rest was meant for one process, not for a group.
    if (info->si_code <= 0) sigqueue(supervised, signal, (union sigval){0});
}

// By the linker.
extern char __executable_start[], __etext[];

void apus_host_forget_start(void) {
    uintptr_t start = (uintptr_t)__executable_start & ~4095ul, end = (uintptr_t)__etext & ~4095ul;
    // A private mapping of a file that nobody has written to: what is needed again comes from the page cache.
    if (start < end) madvise((void *)start, end - start, MADV_DONTNEED);
    malloc_trim(0);
}

int apus_host_supervise(int child) {
    supervised = child;
    apus_host_forget_start();
    const int passed[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGINT, SIGQUIT, SIGWINCH};
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_flags = SA_RESTART | SA_SIGINFO;
    action.sa_sigaction = pass_on;
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++) sigaction(passed[i], &action, 0);
    int status = 0;
    for (;;) {
        int ended = waitpid(child, &status, WUNTRACED);
        if (ended < 0 && errno == EINTR) continue;
        if (ended < 0) return 0;
        // A stopped kernel stops its supervisor too, so that the shell sees a stopped job.
        if (WIFSTOPPED(status)) {
            raise(SIGSTOP);
            kill(child, SIGCONT);
            continue;
        }
        return status;
    }
}

static int stands_in_proc;

void apus_host_stand_in_proc(void) { stands_in_proc = 1; }

int apus_host_stands_in_proc(void) { return stands_in_proc; }

unsigned long apus_host_auxiliary(unsigned long type) {
    // getauxval(AT_HWCAP) tells the C library's view of the processor; a guest's C library wants the kernel's.
    unsigned long vector[128];
    long size = prctl(PR_GET_AUXV, vector, sizeof vector, 0, 0);
    if (size < 0) {
        int file = open(stands_in_proc ? "self/auxv" : "/proc/self/auxv", O_RDONLY | O_CLOEXEC);
        if (file < 0) return getauxval(type);
        size = read(file, vector, sizeof vector);
        close(file);
    }
    if (size > (long)sizeof vector) size = sizeof vector;
    for (long index = 0; index + 1 < size / (long)sizeof vector[0] && vector[index] != AT_NULL; index += 2)
        if (vector[index] == type) return vector[index + 1];
    return 0;
}

int apus_host_has_bit_instructions(void) { return __builtin_cpu_supports("bmi2") != 0; }

int apus_host_mount_proc(void) {
    if (unshare(CLONE_NEWNS) < 0) return -errno;
    /* What is mounted upon a private mount stays here. "/" itself need not be a mount: not in a chroot(2). */
    if (mount(0, "/proc", 0, MS_PRIVATE, 0) < 0) return -errno;
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0) < 0) return -errno;
    return 0;
}
