// Random bytes by the million over everything that stub and kernel share, from sibling threads, while calls are made: hot
// lines, blocks, bounce areas, signal stacks, answers, the doorbell. And wake-ups that nobody has asked for.
#include "gadget.h"

#include <pthread.h>
#include <sys/uio.h>

enum { BLOCK = 0x10000, FLOODS = 2, CALLERS = 3 };
#define ANSWERS CONTEXTS

static volatile int over;
static volatile uint64_t written;

static void pour(uint64_t start, uint64_t length) {
    volatile uint64_t *words = (volatile uint64_t *)start;
    for (uint64_t i = 0; i < length / 8; i++) words[i] = next_random();
    written += length;
}

static void *flood(void *argument) {
    random_state ^= (uint64_t)(uintptr_t)argument * 0x9e3779b97f4a7c15ull;
    while (!over) {
        uint64_t slot = below(FLOODS + CALLERS + 2), block = CONTEXTS + BLOCK * (slot + 1);
        switch (below(9)) {
        case 0: pour(CONTEXTS, HOT - CONTEXTS + 64 * 8); break;
        case 1: pour(HOT + slot * 64 + 8, 56); break;        // arguments, not the state
        case 2: pour(block, 0x1000); break;                       // registers, commands, payload lists
        case 3: pour(block + 0x1000, 0x3000); break;              // floating point
        case 4: pour(block + 0x4000, 0x4000); break;              // bounce area
        case 5: pour(block + 0x8000, 0x8000); break;              // the stack of host signals
        case 6: pour(ANSWERS, HOT - ANSWERS); break;
        case 7:
            // A wake-up: of the kernel, of a sibling that sleeps, and of nobody.
            *(volatile uint32_t *)(DOORBELL + 4 * below(1024)) = (uint32_t)next_random();
            stub_call(SYS_futex, DOORBELL + 4 * below(1024), 1, 1 << 30, 0, 0, 0);
            stub_call(SYS_futex, HOT + slot * 64, 1, 1 << 30, 0, 0, 0);
            break;
        default: *(volatile uint32_t *)(HOT + slot * 64) = (uint32_t)below(4);
        }
    }
    return 0;
}

static void *call(void *argument) {
    random_state ^= (uint64_t)(uintptr_t)argument * 0x2545f4914f6cdd1dull;
    static char bytes[100000];
    int pair[2];
    if (pipe2(pair, O_NONBLOCK) < 0) return 0;
    while (!over) {
        struct iovec vector[64];
        for (int i = 0; i < 64; i++) vector[i] = (struct iovec){bytes + below(1000), below(2000)};
        switch (below(9)) {
        case 0: if (write(pair[1], bytes, below(sizeof bytes)) < 0) break; break;
        case 1: if (read(pair[0], bytes, below(sizeof bytes)) < 0) break; break;
        case 2: if (writev(pair[1], vector, 64) < 0) break; break;
        case 3: if (readv(pair[0], vector, 64) < 0) break; break;
        case 4: munmap(mmap(0, 1 << 16, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1 << 16); break;
        case 5: close(open("/proc/self/maps", O_RDONLY)); break;
        case 6: raise(SIGURG); break;
        case 7: {
            struct sigaction action = {.sa_handler = SIG_IGN};
            sigaction(SIGUSR1, &action, 0);
            break;
        }
        default: getpid(), getppid(), sched_yield();
        }
    }
    return 0;
}

static void drown(void) {
    setpgid(0, 0);
    if (setgid(1000) < 0 || setuid(1000) < 0) _exit(0);
    alarm(4);
    pthread_t thread;
    for (long i = 0; i < CALLERS; i++) pthread_create(&thread, 0, call, (void *)(i + 1));
    for (long i = 0; i < FLOODS; i++) pthread_create(&thread, 0, flood, (void *)(i + 1));
    pause_for(30000 + (long)below(60000));
    over = 1;
    _exit(0);
}

int main(int count, char **words) {
    uint64_t seed;
    long rounds;
    arguments(count, words, &seed, &rounds, 60);
    if (is_short) rounds = 12;
    start_witness();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (long round = 0; goes_on(round, rounds); round++) {
        in_child(drown, 6, "flood");
        ask_witness("a flood");
        while (waitpid(-1, 0, WNOHANG) > 0) {}
    }
    end_witness();
    puts("floods: done");
    return 0;
}
