// A guest that is at war with the code of the sandbox in its own address space: it writes nonsense into what stub and
// kernel share while calls run, jumps into the stub, takes the memory around it away, and rings the doorbell. It may die
// of it. Nobody else may.
#include "adversary.h"

#include <pthread.h>
#include <sys/uio.h>

// The layout of the stub's area: see Sources/Stub/include/stub.h.
#define STUB 0x7ef000000000ull
#define CODE_SIZE 0x10000ull
#define CONFIG (STUB + 0x10000)
#define DOORBELL (STUB + 0x20000)
#define CONTEXTS (STUB + 0x100000)
#define HOT (CONTEXTS + 0x400)
#define BLOCK 0x10000ull
#define SLOTS 8

static volatile int over;

static volatile unsigned char *at(uint64_t address) { return (volatile unsigned char *)address; }

/// Words that mean something to the protocol, and some that don't.
static uint64_t forged_word(void) {
    switch (below(8)) {
    case 0: return 0;
    case 1: return below(8);
    case 2: return ~0ull;
    case 3: return CONTEXTS + below(BLOCK * SLOTS);
    case 4: return STUB + below(CODE_SIZE);
    case 5: return 1ull << below(64);
    case 6: return 0x10000 + below(9);  // commands of the stub's own
    default: return next_random();
    }
}

static void forge_once(void) {
    uint64_t slot = below(SLOTS), block = CONTEXTS + BLOCK * (slot + 1);
    switch (below(9)) {
    case 0: *(volatile uint32_t *)at(HOT + slot * 64) = (uint32_t)below(5); break;         // the state
    case 1: *at(HOT + slot * 64 + 4) = (unsigned char)below(9); break;                     // the kind
    case 2: *(volatile uint64_t *)at(HOT + slot * 64 + 8 * below(8)) = forged_word(); break;
    case 3: *(volatile uint64_t *)at(block + 8 * below(40)) = forged_word(); break;             // registers and flags
    case 4: *(volatile uint64_t *)at(block + 8 * below(512)) = forged_word(); break;            // commands, payloads
    case 5: *(volatile uint64_t *)at(block + 0x1000 + 8 * below(0x600)) = forged_word(); break; // floating point
    case 6:
        // A whole request as a stub would post it.
        *at(HOT + slot * 64 + 4) = (unsigned char)(2 + below(6));
        *(volatile uint16_t *)at(HOT + slot * 64 + 6) = below(2) ? 0 : (uint16_t)next_random();
        *(volatile uint64_t *)at(HOT + slot * 64 + 8) = below(470);
        for (int i = 0; i < 6; i++) *(volatile uint64_t *)at(HOT + slot * 64 + 16 + 8 * (uint64_t)i) = forged_word();
        *(volatile uint32_t *)at(HOT + slot * 64) = 1;
        break;
    case 7:
        // The host's frames of trapped calls, from which the stub loads what it goes on with.
        for (int i = 0; i < 64; i++) *(volatile uint64_t *)at(block + 0xe000 + 8 * below(0x400)) = forged_word();
        break;
    default: *(volatile uint32_t *)at(DOORBELL + 4 * below(1024)) = (uint32_t)next_random();
    }
}

static void *forge(void *argument) {
    random_state ^= (uint64_t)(uintptr_t)argument * 0x9e3779b97f4a7c15ull;
    while (!over) {
        for (uint64_t i = 0, count = 1 + below(40); i < count; i++) forge_once();
        if (below(3) == 0) pause_for((long)below(200));
    }
    return 0;
}

static void *do_nothing(void *argument) { return argument; }

/// A call from memory that is written, which always traps.
static void (*trapping)(void);

static void prepare_trapping(void) {
    static const unsigned char getsid[] = {0x31, 0xff, 0xb8, 124, 0, 0, 0, 0x0f, 0x05, 0xc3};
    void *memory = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) exit(2);
    memcpy(memory, getsid, sizeof getsid);
    trapping = (void (*)(void))(uintptr_t)memory;
}

static void *call(void *argument) {
    (void)argument;
    char bytes[512];
    int pair[2];
    if (pipe(pair) < 0) return 0;
    while (!over) {
        switch (below(10)) {
        case 0: for (int i = 0; i < 100; i++) trapping(); break;
        case 1: if (write(pair[1], bytes, 64) == 64 && read(pair[0], bytes, 64) < 0) return 0; break;
        case 2: munmap(mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 8192); break;
        case 3: close(open("/etc/passwd", O_RDONLY)); break;
        case 4: {
            int file = open("/etc/passwd", O_RDONLY);
            munmap(mmap(0, 4096, PROT_READ, MAP_PRIVATE, file, 0), 4096);
            close(file);
            break;
        }
        case 5: {
            pid_t child = fork();
            if (child == 0) _exit(0);
            if (child > 0) waitpid(child, 0, WNOHANG);
            break;
        }
        case 6: {
            pthread_t thread;
            if (pthread_create(&thread, 0, do_nothing, 0) == 0) pthread_detach(thread);
            break;
        }
        case 7: kill(getpid(), SIGURG); break;
        case 8: pause_for((long)below(500)); break;
        default: waitpid(-1, 0, WNOHANG);
        }
    }
    return 0;
}

/// What comes of nonsense may well be a kill(2): as another user it does not reach the others.
static void stand_apart(void) {
    setpgid(0, 0);
    if (setgid(1000) < 0 || setuid(1000) < 0) _exit(0);
}

static void corrupt(void) {
    stand_apart();
    alarm(4);
    pthread_t thread;
    for (long i = 0; i < 3; i++) pthread_create(&thread, 0, call, (void *)i);
    for (long i = 0; i < 2; i++) pthread_create(&thread, 0, forge, (void *)(i + 1));
    pause_for(60000 + (long)below(60000));
    over = 1;
    _exit(0);
}

/// Jumps to a place in the stub's code with registers that make a host's call likely.
static void jump(void) {
    stand_apart();
    alarm(1);
    static const uint64_t numbers[] = {0, 1, 3, 9, 10, 11, 15, 25, 26, 28, 33, 39, 47, 56, 57, 59, 60, 62, 101, 131, 157, 202, 231, 310};
    uint64_t target = STUB + below(0x1800);
    uint64_t number = numbers[below(sizeof numbers / sizeof *numbers)];
    // Half of the time straight to a host's call.
    if (below(2)) {
        uint64_t start = below(0x1800), offset = start;
        for (; offset < start + 0x1800; offset++)
            if (*at(STUB + offset % 0x1800) == 0x0f && *at(STUB + offset % 0x1800 + 1) == 0x05) break;
        target = STUB + offset % 0x1800;
    }
    // Not clone: processes that the kernel has not made are beyond what it can collect.
    if (number == 56 || number == 57) number = 39;
    uint64_t a = forged_word(), b = forged_word(), c = below(16), d = forged_word();
    if (number == 157) a = below(2) ? 59 : 1;
    if (number == 202) b = below(2);
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = forged_word();
    register uint64_t r9 __asm__("r9") = 0;
    __asm__ volatile("jmp *%[target]" ::[target] "r"(target), "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
                     "r"(r9)
                     : "memory");
}

/// Takes away, covers or freezes what the stub stands on, by the guest's calls and by the stub's own.
static void undermine(void) {
    stand_apart();
    alarm(2);
    pthread_t thread;
    pthread_create(&thread, 0, call, 0);
    for (int i = 0; i < 30; i++) {
        uint64_t place = (STUB - 0x10000 + below(0x200000)) & ~4095ull, length = (1 + below(64)) * 4096;
        switch (below(5)) {
        case 0: munmap((void *)place, length); break;
        case 1: mprotect((void *)place, length, (int)below(8)); break;
        case 2: mmap((void *)place, length, (int)below(8), MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0); break;
        case 3: if (mremap((void *)place, 4096, length, MREMAP_MAYMOVE) == MAP_FAILED) break; break;
        default: madvise((void *)place, length, (int)below(25));
        }
    }
    // By way of the stub: its own `syscall` instruction, with munmap or mprotect of its own pages.
    uint64_t offset = 0;
    while (offset < 0x1800 && !(*at(STUB + offset) == 0x0f && *at(STUB + offset + 1) == 0x05)) offset++;
    uint64_t place = STUB + (below(0x130) << 12), length = (1 + below(32)) << 12;
    uint64_t number = below(2) ? 11 : 10;
    __asm__ volatile("call *%[target]" ::[target] "r"(STUB + offset), "a"(number), "D"(place), "S"(length), "d"(below(8))
                     : "rcx", "r11", "memory");
    pause_for(1000);
}

/// Reads the stub's area by way of calls: none may touch it for the guest.
static void reach(void) {
    char bytes[64] = "forged";
    for (int i = 0; i < 40; i++) {
        uint64_t place = STUB + (below(2) ? below(0x30000) : 0x100000 + below(BLOCK * 4));
        int file = open("/proc/self/mem", O_RDWR);
        if (pread(file, bytes, 64, (off_t)place) > 0 || pwrite(file, bytes, 8, (off_t)place) > 0) _exit(7);
        close(file);
        struct iovec local = {bytes, 64}, remote = {(void *)place, 64};
        if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) > 0) _exit(7);
        int zero = open("/dev/zero", O_RDONLY);
        if (read(zero, (void *)place, 8) > 0) _exit(7);
        close(zero);
    }
}

int main(int count, char **words) {
    uint64_t seed;
    long rounds;
    arguments(count, words, &seed, &rounds, 8);
    if (is_short) rounds = 2;
    prepare_trapping();
    start_witness();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (long round = 0; goes_on(round, rounds); round++) {
        for (int i = 0; i < 2; i++) in_child(corrupt, 8, "corrupt"), ask_witness("forged contexts");
        for (int i = 0; i < 24; i++) in_child(jump, 2, "jump");
        ask_witness("jumps into the stub");
        for (int i = 0; i < 4; i++) in_child(undermine, 4, "undermine"), ask_witness("an undermined stub");
        int status = in_child(reach, 10, "reach");
        if (WIFEXITED(status) && WEXITSTATUS(status) == 7) return fprintf(stderr, "a call has touched the stub's area\n"), 1;
        ask_witness("calls at the stub's area");
        while (waitpid(-1, 0, WNOHANG) > 0) {}
    }
    end_witness();
    puts("forge: done");
    return 0;
}
