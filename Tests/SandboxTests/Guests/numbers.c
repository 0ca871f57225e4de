// Every call number there could be, by every way in: 0 to 600, the x32 numbers, negative ones, `int $0x80`, with arguments
// that mean nothing at all. The children die of it, and are replaced.
#include "adversary.h"

static long foreign(long number, const uint64_t *a) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]), "D"(a[4]) : "memory", "r8", "r9", "r10", "r11");
    return result;
}

static uint64_t anything(void) {
    switch (below(8)) {
    case 0: return below(8);
    case 1: return (uint64_t)&anything & ~4095ull;
    case 2: return (uint64_t)__builtin_frame_address(0) - below(4096);
    case 3: return 1ull << below(64);
    case 4: return ~(1ull << below(64));
    case 5: return -below(200);
    case 6: return 0x7ef000000000ull + below(0x4200000);
    default: return next_random();
    }
}

static void call_anything(void) {
    setpgid(0, 0);
    if (setgid(1000) < 0 || setuid(1000) < 0) _exit(0);
    signal(SIGALRM, SIG_DFL);
    alarm(1);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < 600; i++) {
        uint64_t a[6];
        for (int k = 0; k < 6; k++) a[k] = anything();
        long number = (long)below(600);
        if (number == SYS_exit || number == SYS_exit_group || number == SYS_pause) continue;
        switch (below(12)) {
        case 0: number |= 0x40000000; break;
        case 1: number = -number; break;
        case 2: number |= (long)(next_random() << 32); break;
        case 3: foreign(number, a); continue;
        case 4: number = (long)next_random(); break;
        default: break;
        }
        syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
}

int main(int count, char **words) {
    uint64_t seed;
    long rounds;
    arguments(count, words, &seed, &rounds, 300);
    if (is_short) rounds = 60;
    start_witness();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (long round = 0; goes_on(round, rounds); round++) {
        in_child(call_anything, 2, "numbers");
        if (below(8) == 0) ask_witness("any number");
        while (waitpid(-1, 0, WNOHANG | __WALL) > 0) {}
    }
    end_witness();
    puts("numbers: done");
    return 0;
}
