// Every call number with arguments that are almost right: descriptors of every kind, structures, paths and flags that
// make sense, and pointers that do not quite.
#include "adversary.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>

static unsigned char *arena;      // readable and writable, with an unmapped page behind it
static unsigned char *readable;   // read only
static unsigned char *reserved;   // PROT_NONE
enum { ARENA = 1 << 16 };

static int made(int descriptor) { return descriptor; }

/// Opens a file of every kind, so that small numbers are likely to mean something.
static void open_everything(void) {
    int pair[2];
    made(open("file", O_RDWR | O_CREAT, 0600));
    made(open(".", O_RDONLY | O_DIRECTORY));
    made(open("file", O_PATH));
    if (pipe(pair) == 0) made(pair[0]);
    if (pipe2(pair, O_NONBLOCK) == 0 && write(pair[1], "some bytes", 10) < 0) return;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && write(pair[0], "abc", 3) < 0) return;
    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair);
    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_un address = {AF_UNIX, "socket"};
    bind(listener, (struct sockaddr *)&address, sizeof address);
    listen(listener, 4);
    int epoll = epoll_create1(0);
    struct epoll_event event = {EPOLLIN | EPOLLOUT, {.u64 = 1}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event);
    made(eventfd(3, EFD_NONBLOCK));
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct itimerspec soon = {{0, 1000000}, {0, 1000000}};
    timerfd_settime(timer, 0, &soon, 0);
    sigset_t set;
    sigfillset(&set);
    syscall(SYS_signalfd4, -1, &set, 8, 0);
    int memory = (int)syscall(SYS_memfd_create, "memory", 2);
    if (ftruncate(memory, 3 * 4096 + 17) < 0) return;
    fcntl(memory, F_ADD_SEALS, (int)below(32));
    made(open("/proc/self/maps", O_RDONLY));
    made(open("/proc/self/mem", O_RDWR));
    made(open("/proc/self/fd", O_RDONLY));
    made(open("/proc", O_RDONLY));
    made(open("/dev/null", O_RDWR));
    made(open("/dev/zero", O_RDWR));
    made(open("/dev/full", O_RDWR));
    made(open("/dev/urandom", O_RDWR));
    made(open("/etc/passwd", O_RDONLY));
    syscall(SYS_pidfd_open, getpid(), 0);
    if (mkfifo("fifo", 0600) == 0) made(open("fifo", O_RDWR | O_NONBLOCK));
}

static uint64_t odd_number(void) {
    static const uint64_t numbers[] = {
        0, 1, 2, 3, 7, 8, 15, 16, 63, 64, 255, 511, 512, 1023, 1024, 1025, 4095, 4096, 4097, 65535, 65536, 0x7fff,
        0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7ffffffffffffff0, 0x7fffffffffffffff, 0x8000000000000000,
        0x8000000000000001, 0xfffffffffffff000, 0xffffffffffffffff, 0x7ffff000, 0x7fffffff000, 0x400000000000,
    };
    switch (below(6)) {
    case 0: return 1ull << below(64);
    case 1: return (1ull << below(64)) - 1;
    case 2: return ~(1ull << below(64)) + 1;
    case 3: return below(128);
    default: return numbers[below(sizeof numbers / sizeof *numbers)] + (below(4) ? 0 : below(3) - 1);
    }
}

static uint64_t pointer(void) {
    switch (below(14)) {
    case 0: return 0;
    case 1: return (uint64_t)arena + ARENA - below(64);   // reaches into the unmapped page
    case 2: return (uint64_t)readable + below(4096);
    case 3: return (uint64_t)reserved + below(4096);
    case 4: return 0x7ef000000000ull + below(0x4200000);  // the stub's area
    case 5: return 0x7ffffffff000ull - below(16);         // the end of the address space
    case 6: return 0x800000000000ull << below(16);        // not canonical
    case 7: return odd_number();
    default: return (uint64_t)arena + (below(ARENA) & ~(below(4) ? 7ull : 0ull));
    }
}

static uint64_t descriptor(void) {
    switch (below(12)) {
    case 0: return (uint64_t)-1;
    case 1: return (uint64_t)-100;  // AT_FDCWD
    case 2: return odd_number();
    default: return 3 + below(36);
    }
}

static void write_word(unsigned offset, uint64_t value) { memcpy(arena + offset % (ARENA - 8), &value, 8); }

/// Fills the arena with what structures are made of.
static void fill_arena(void) {
    static const char *const paths[] = {
        "file", ".", "..", "/", "/proc/self/fd/5", "/proc/self/exe", "/proc/self", "/proc/1/stat", "fifo", "socket",
        "/dev/null", "link", "missing/name", "directory", "directory/inner", "/proc/self/task/1/fd/3", "//", "./././",
    };
    for (unsigned at = 0; at < ARENA; at += 8 * (1 + (unsigned)below(12))) {
        switch (below(8)) {
        case 0: write_word(at, pointer()); break;
        case 1: write_word(at, odd_number()); break;
        case 2: write_word(at, descriptor()); break;
        case 3: {
            const char *path = paths[below(sizeof paths / sizeof *paths)];
            if (at + 64 < ARENA) strcpy((char *)arena + at, path);
            break;
        }
        case 4: {
            // Works as iovec, msghdr, sigaction, timespec: address, length, address, length.
            write_word(at, pointer());
            write_word(at + 8, below(3) ? below(8192) : odd_number());
            write_word(at + 16, pointer());
            write_word(at + 24, below(3) ? below(64) : odd_number());
            break;
        }
        case 5: write_word(at, descriptor() | odd_number() << 32); break;
        default: write_word(at, below(3)); break;
        }
    }
}

static uint64_t argument(int index) {
    switch (below(10)) {
    case 0: case 1: case 2: return index == 0 ? descriptor() : pointer();
    case 3: case 4: return pointer();
    case 5: return descriptor();
    case 6: return below(16);
    case 7: return 1ull << below(33) | below(8);
    default: return odd_number();
    }
}

/// Calls that would only end the child early, or that stop it for good.
static int is_left_out(long number) {
    switch (number) {
    case SYS_exit: case SYS_exit_group: case SYS_rt_sigreturn: case SYS_pause: case SYS_fork: case SYS_vfork:
    case SYS_clone: case SYS_clone3: case SYS_rt_sigsuspend: case SYS_restart_syscall: case SYS_kill: return 1;
    default: return 0;
    }
}

static long first_call, call_count;

static void make_calls(void) {
    char folder[64];
    snprintf(folder, sizeof folder, "/tmp/adversary-%d", getpid());
    mkdir(folder, 0777);
    if (chdir(folder) < 0) _exit(0);
    if (below(4) && (setgid(1000) < 0 || setuid(1000) < 0)) _exit(0);
    signal(SIGALRM, SIG_DFL);
    alarm(2);
    arena = mmap(0, ARENA + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(arena + ARENA, 4096);
    readable = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    reserved = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    open_everything();
    for (long i = 0; i < call_count; i++) {
        long number = first_call >= 0 ? first_call : (long)below(470);
        if (is_left_out(number)) continue;
        if (i % 4 == 0) fill_arena();
        uint64_t a[6];
        for (int k = 0; k < 6; k++) a[k] = argument(k);
        // Signals go to this process only; other processes are the guest's witnesses.
        if (number == SYS_tkill || number == SYS_rt_sigqueueinfo || number == SYS_process_vm_writev)
            a[0] = (uint64_t)getpid();
        if (number == SYS_tgkill || number == SYS_rt_tgsigqueueinfo) a[0] = a[1] = (uint64_t)getpid();
        if (number == SYS_prlimit64) a[0] = below(2) ? 0 : (uint64_t)getpid();
        syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
}

int main(int count, char **words) {
    uint64_t seed;
    long rounds;
    arguments(count, words, &seed, &rounds, 1);
    start_witness();
    for (long round = 0; goes_on(round, rounds); round++) {
        // One number at a time first, then all of them mixed.
        call_count = 16;
        long begin = (long)below(470);
        for (long i = 0; i < 470 && !is_enough(); i++) {
            first_call = (begin + i) % 470;
            // No call has these numbers.
            if (first_call > 335 && first_call < 424) continue;
            if (is_left_out(first_call) || (is_short && below(4))) continue;
            in_child(make_calls, 3, "calls");
            if (first_call % 64 == 0) ask_witness("single calls");
        }
        first_call = -1;
        call_count = 400;
        for (int mixed = 0; mixed < some(20); mixed++) in_child(make_calls, 3, "mixed calls");
        ask_witness("mixed calls");
    }
    end_witness();
    puts("calls: done");
    return 0;
}
