// Code that changes under everybody's feet: calls from code made at run time and rewritten while it runs, text that is
// patched by the sandbox and then written over by its program, mappings of one's own program laid over it.
#include "adversary.h"

#include <pthread.h>
#include <ucontext.h>

static volatile int over;

/// `mov $number, %eax; syscall; ret`, with or without the padding that becomes an island.
static unsigned char *make(unsigned char *place, uint32_t number) {
    static const unsigned char end[] = {0x0f, 0x05, 0xc3, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90};
    place[0] = 0xb8;
    memcpy(place + 1, &number, 4);
    memcpy(place + 5, end, sizeof end);
    return place + 5 + sizeof end;
}

static unsigned char *code;
static int descriptor;

static void *run(void *argument) {
    random_state ^= (uint64_t)(uintptr_t)argument * 0x9e3779b97f4a7c15ull;
    while (!over) {
        long (*call)(long) = (long (*)(long))(code + 17 * below(200));
        call(-1);
    }
    return argument;
}

static void *change(void *argument) {
    while (!over) {
        unsigned char *place = code + 17 * below(200);
        switch (below(5)) {
        case 0: make(place, below(2) ? SYS_getppid : SYS_close); break;
        case 1: place[5 + below(2)] = (unsigned char)below(256); break;
        case 2: place[below(17)] = 0x90; break;
        case 3: mprotect(code, 4096, (int)below(8)); break;
        default: mprotect(code, 4096, 7);
        }
    }
    return argument;
}

static void fault(int number, siginfo_t *info, void *context) {
    (void)number, (void)info;
    ucontext_t *user = context;
    // Out of whatever it was: the caller's address is on the stack.
    uint64_t *stack = (uint64_t *)user->uc_mcontext.gregs[REG_RSP];
    if ((uint64_t)user->uc_mcontext.gregs[REG_RIP] - (uint64_t)code > 1 << 16) _exit(0);
    user->uc_mcontext.gregs[REG_RIP] = (greg_t)stack[0];
    user->uc_mcontext.gregs[REG_RSP] += 8;
    mprotect(code, 4096, 7);
}

/// The code lies in a file that is mapped as text is, so that its calls are patched, or in plain memory, as a JIT's.
static void lay_out(int isFile) {
    static unsigned char page[8192];
    unsigned char *place = page;
    for (int i = 0; i < 200; i++) make(place + 17 * i, below(2) ? SYS_getppid : SYS_close);
    char name[] = "/tmp/patches-XXXXXX";
    descriptor = mkstemp(name);
    if (write(descriptor, page, sizeof page) != sizeof page) _exit(0);
    code = isFile ? mmap(0, 8192, PROT_READ | PROT_EXEC, MAP_PRIVATE, descriptor, 0)
                  : mmap(0, 8192, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) _exit(0);
    if (!isFile) memcpy(code, page, sizeof page);
    unlink(name);
}

static void rewrite(void) {
    alarm(2);
    struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGSEGV, &action, 0), sigaction(SIGILL, &action, 0), sigaction(SIGTRAP, &action, 0), sigaction(SIGBUS, &action, 0);
    lay_out((int)below(2));
    // Each of its calls has become a jump before anything changes.
    for (int i = 0; i < 200; i++)
        for (int k = 0; k < 3; k++) ((long (*)(long))(code + 17 * i))(-1);
    mprotect(code, 4096, 7);
    pthread_t threads[3];
    pthread_create(&threads[0], 0, run, 0);
    pthread_create(&threads[1], 0, run, (void *)1);
    pthread_create(&threads[2], 0, change, (void *)2);
    pause_for(20000 + (long)below(30000));
    over = 1;
    _exit(0);
}

/// Patched text that is moved, covered by itself, cut in two, given back, copied by fork and read by calls. What it does and
/// what it says of itself stays right: an error ends the guest.
static void shuffle(void) {
    alarm(4);
    lay_out(1);
    for (int pass = 0; pass < 40; pass++) {
        for (int i = 0; i < 200; i += 7)
            for (int k = 0; k < 3; k++) {
                long (*call)(long) = (long (*)(long))(code + 17 * i);
                long got = call(-1), wanted = code[17 * i + 1] == SYS_close || *(code + 17 * i) == 0xe9 ? got : getppid();
                if (got != wanted && got != -EBADF) _exit(8);
            }
        switch (below(6)) {
        case 0: code = mremap(code, 8192, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, mmap(0, 8192, 0, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)); break;
        case 1: mmap(code, 8192, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, descriptor, 0); break;
        case 2: mprotect(code, 4096, PROT_READ), mprotect(code, 4096, PROT_READ | PROT_EXEC); break;
        case 3: {
            pid_t child = fork();
            if (child == 0) continue;
            int status;
            if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 8) _exit(8);
            break;
        }
        case 4: madvise(code, 4096, MADV_DONTNEED); break;
        default: {
            unsigned char bytes[4096];
            int file = open("/proc/self/mem", O_RDWR);
            if (pread(file, bytes, 4096, (off_t)(uintptr_t)code) < 0 || pwrite(file, bytes, 4096, (off_t)(uintptr_t)code) < 0) break;
            close(file);
        }
        }
        if (code == MAP_FAILED) _exit(0);
    }
    _exit(0);
}

int main(int count, char **words) {
    uint64_t seed;
    long rounds;
    arguments(count, words, &seed, &rounds, 60);
    if (is_short) rounds = 10;
    start_witness();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (long round = 0; goes_on(round, rounds); round++) {
        in_child(rewrite, 4, "rewrite");
        int status = in_child(shuffle, 6, "shuffle");
        if (WIFEXITED(status) && WEXITSTATUS(status) == 8) return fprintf(stderr, "a patched call gave a wrong result\n"), 1;
        ask_witness("rewritten code");
        while (waitpid(-1, 0, WNOHANG) > 0) {}
    }
    end_witness();
    puts("patches: done");
    return 0;
}
