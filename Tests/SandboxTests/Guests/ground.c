// Takes the ground away: unmaps, remaps, protects, seals, advises and covers the stub, the trampolines, the vDSO, the stack,
// its own text and everything between, with other threads in the middle of calls.
#include "gadget.h"

#include <pthread.h>
#include <sys/auxv.h>

static volatile int over, mayFork = 1;

static void *call(void *argument) {
    while (!over) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        getppid(), sched_yield();
        close(open("/etc/passwd", O_RDONLY));
    }
    return argument;
}

static uint64_t somewhere(void) {
    switch (below(9)) {
    case 0: return STUB - 0x10000 + (below(0x130) << 12);
    case 1: return getauxval(AT_SYSINFO_EHDR) - 0x4000 + (below(12) << 12);
    case 2: return ((uint64_t)&somewhere & ~4095ull) - 0x40000 + (below(0x80) << 12);   // text and its trampolines
    case 3: return ((uint64_t)&over & ~4095ull) - 0x8000 + (below(16) << 12);
    case 4: return ((uint64_t)__builtin_frame_address(0) & ~4095ull) - 0x40000 + (below(0x44) << 12);
    case 5: return (uint64_t)sbrk(0) - (below(32) << 12);
    case 6: return 0x7ffffffff000ull - (below(0x10000) << 12);
    case 7: return below(1 << 20) << 12;
    default: return next_random() & ~4095ull;
    }
}

static uint64_t extent(void) {
    switch (below(6)) {
    case 0: return 0;
    case 1: return ~0ull << below(64);
    case 2: return 1ull << (12 + below(36));
    default: return (1 + below(64)) << 12;
    }
}

static void dig(void) {
    setpgid(0, 0);
    if (setgid(1000) < 0 || setuid(1000) < 0) _exit(0);
    alarm(2);
    for (int i = 0; i < 40; i++) getppid(), sched_yield();
    pthread_t thread;
    for (int i = 0; i < 2; i++) pthread_create(&thread, 0, call, 0);
    for (int i = 0; i < 400; i++) {
        uint64_t place = somewhere(), length = extent();
        switch (below(12)) {
        case 0: case 1: munmap((void *)place, length); break;
        case 2: case 3: mprotect((void *)place, length, (int)below(16)); break;
        case 4: mmap((void *)place, length, (int)below(8), MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | (below(2) ? MAP_NORESERVE : 0), -1, 0); break;
        case 5: syscall(SYS_mremap, place, length, extent(), below(8), somewhere()); break;
        case 6: madvise((void *)place, length, (int)below(26)); break;
        case 7: syscall(462, place, length, 0); break;  // mseal
        case 8: syscall(SYS_mlock2, place, length, below(2)); break;
        case 9: syscall(SYS_pkey_mprotect, place, length, below(8), -1); break;
        case 10: {
            static const uint64_t numbers[] = {10, 11, 25, 28, 9, 462, 26, 27};
            stub_call(numbers[below(8)], place, length, below(8), below(2) ? 0x32 : below(64), ~0ull, 0);
            break;
        }
        default: {
            int file = open("/etc/passwd", O_RDONLY);
            mmap((void *)place, length, PROT_READ, MAP_FIXED | (below(2) ? MAP_PRIVATE : MAP_SHARED), file, 0);
            close(file);
        }
        }
        if (mayFork && below(40) == 0) {
            pid_t child = fork();
            // Each of them digs on, but has no children: crowds are the business of others.
            if (child == 0) alarm(1), mayFork = 0;
            if (child > 0) waitpid(child, 0, WNOHANG);
        }
    }
    _exit(0);
}

int main(int count, char **words) {
    uint64_t seed;
    long rounds;
    arguments(count, words, &seed, &rounds, 400);
    if (is_short) rounds = 80;
    start_witness();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (long round = 0; goes_on(round, rounds); round++) {
        in_child(dig, 3, "dig");
        if (below(8) == 0) ask_witness("digging");
        while (waitpid(-1, 0, WNOHANG) > 0) {}
    }
    end_witness();
    puts("ground: done");
    return 0;
}
