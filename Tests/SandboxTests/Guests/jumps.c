// A jump to each address of the stub's code and of the trampolines, with registers that make something of it. A round goes
// through all of them.
#include "gadget.h"

#include <setjmp.h>
#include <sys/time.h>

static uint64_t places[64], spans[64];
static int kinds;

/// Its trampolines: where the jumps lead that stand in place of hot `syscall`s. Reading its own text, a guest sees them.
static void find_trampolines(void) {
    for (int i = 0; i < 200; i++) getppid(), sched_yield(), close(-1), lseek(-1, 0, 0);
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned long start, end;
        char mode[8];
        if (sscanf(line, "%lx-%lx %7s", &start, &end, mode) != 3 || mode[2] != 'x' || mode[0] != 'r') continue;
        if (strstr(line, "[vsyscall]")) continue;
        for (const unsigned char *byte = (const unsigned char *)start; byte + 5 < (const unsigned char *)end; byte++) {
            if (*byte != 0xe9) continue;
            int32_t far;
            memcpy(&far, byte + 1, 4);
            uint64_t target = (uint64_t)byte + 5 + (uint64_t)(int64_t)far;
            // Out of everything that the guest has been told it has.
            if (target >= start && target < end) continue;
            uint64_t page = target & ~4095ull;
            int known = 0;
            for (int i = 0; i < kinds; i++) known |= places[i] == page;
            if (known || kinds == 60) continue;
            places[kinds] = page, spans[kinds++] = 4096;
        }
    }
    if (maps) fclose(maps);
}

static sigjmp_buf home;
static void back(int number) { siglongjmp(home, number); }

static void comb(uint64_t start, uint64_t length) {
    static char stack[65536];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&alternate, 0);
    struct sigaction action = {.sa_handler = back, .sa_flags = SA_ONSTACK | SA_NODEFER};
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS, SIGALRM};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaction(numbers[i], &action, 0);
    static const uint64_t calls[] = {0, 3, 9, 10, 11, 13, 14, 15, 24, 25, 28, 39, 47, 60, 131, 157, 202, 231, 0x10000, 0x10005, ~0ull};
    static const struct itimerval soon = {{0, 0}, {0, 20000}};
    for (volatile uint64_t at = start; at < start + length; at++) {
        if (sigsetjmp(home, 1)) continue;
        setitimer(ITIMER_REAL, &soon, 0);
        uint64_t values[] = {0, 1, ~0ull, STUB, CONFIG, CONTEXTS, CONTEXTS + 0x10000, DOORBELL, (uint64_t)places, below(1 << 20),
                             next_random()};
        uint64_t a[6];
        for (int i = 0; i < 6; i++) a[i] = values[below(sizeof values / sizeof *values)];
        guest_jump(at, calls[below(sizeof calls / sizeof *calls)], a);
    }
}

static uint64_t next_place, last_place;
static void comb_some(void) {
    alarm(4);
    setpgid(0, 0);
    if (setgid(1000) < 0 || setuid(1000) < 0) _exit(0);
    comb(next_place, last_place - next_place);
}

int main(int count, char **words) {
    uint64_t seed;
    long rounds;
    arguments(count, words, &seed, &rounds, 1);
    start_witness();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    places[kinds] = STUB, spans[kinds++] = 0x3000;
    find_trampolines();
    printf("jumps: %d pages of trampolines\n", kinds - 1);
    uint64_t total = 0;
    for (int kind = 0; kind < kinds; kind++) total += spans[kind];
    for (long round = 0; goes_on(round, rounds); round++)
        // Begun anywhere, since there may be no time for all of them: other seeds have the others.
        for (uint64_t done = 0, begin = below(total); done < total && !is_enough(); done += last_place - next_place) {
            uint64_t offset = (begin + done) % total;
            int kind = 0;
            while (offset >= spans[kind]) offset -= spans[kind++];
            // A child mostly dies early: pieces are small, so that each address is tried by somebody.
            uint64_t piece = is_short ? 256 : 1 + below(4), end = places[kind] + spans[kind];
            next_place = places[kind] + offset;
            last_place = next_place + piece < end ? next_place + piece : end;
            in_child(comb_some, 1, "jumps");
            if (below(64) == 0) ask_witness("a jump");
            while (waitpid(-1, 0, WNOHANG) > 0) {}
        }
    end_witness();
    puts("jumps: done");
    return 0;
}
