// A guest that uses the stub's own host calls against the stub, and for what it may not do: whatever it tries, the stub
// stands, nothing becomes writable that was not, and nobody else comes to harm. Ends with 1 when a deed has succeeded.
#include "gadget.h"

#include <sys/shm.h>
#include <sys/socket.h>

static void fail(const char *what, long result) {
    fprintf(stderr, "%s: %ld\n", what, result);
    _exit(1);
}

/// What must stay as it is: the stub's code.
static uint64_t sum_of_code(void) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < CODE_SIZE; i += 8) sum = sum * 31 + *(const volatile uint64_t *)(STUB + i);
    return sum;
}

/// The stub must still be able to do everything.
static void check_stub(uint64_t sum, const char *after) {
    if (sum_of_code() != sum) fail(after, 0);
    pid_t child = fork();
    if (child == 0) _exit(getppid() > 0 ? 7 : 1);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 7) fail(after, status);
    char *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) fail(after, errno);
    *page = 1;
    munmap(page, 4096);
}

static const struct {
    uint64_t start, size;
} areas[] = {
    {STUB, CODE_SIZE}, {STUB, 4096}, {CONFIG, CONFIG_SIZE}, {DOORBELL, 4096}, {CONTEXTS, CONTEXTS_SIZE},
    {CONTEXTS + 0x8000, 0x10000}, {STUB - 0x10000, 0x20000}, {STUB - 0x1000, 0x200000000ull}, {0, 0x7ffffffff000ull},
    {STUB - 0x1000, 0x1001}, {CONFIG - 0x1000, 0x2000}, {0x7eefffff0000ull, 0xfffffffffffff000ull},
};

/// Unmaps, protects, moves, covers and empties the stub's area.
static void undermine(void) {
    uint64_t sum = sum_of_code();
    char *spare = mmap(0, 0x20000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; i < sizeof areas / sizeof *areas; i++) {
        uint64_t start = areas[i].start, size = areas[i].size;
        if (stub_call(SYS_munmap, start, size, 0, 0, 0, 0) == 0) fail("munmap", (long)i);
        for (uint64_t protection = 0; protection < 8; protection++)
            if (stub_call(SYS_mprotect, start, size, protection, 0, 0, 0) == 0) fail("mprotect", (long)i);
        for (uint64_t kind = 0x11; kind <= 0x12; kind++)
            if (stub_call(SYS_mmap, start, size, 7, kind | 0x20, ~0ull, 0) == (long)start && start) fail("mmap", (long)i);
        if (stub_call(SYS_mmap, start, size, 7, 0x11, 0, 0) == (long)start && start) fail("mmap of the socket", (long)i);
        for (uint64_t flags = 0; flags < 8; flags++) {
            long moved = stub_call(SYS_mremap, start, size, size / 2 ? size / 2 : 4096, flags, (uint64_t)spare, 0);
            if (moved > 0) fail("mremap from the stub", (long)i);
            moved = stub_call(SYS_mremap, (uint64_t)spare, 0x10000, 0x10000, flags | 3, start & ~4095ull, 0);
            if (moved > 0 && (uint64_t)moved >= STUB) fail("mremap to the stub", (long)i);
        }
        for (uint64_t advice = 0; advice < 128; advice++) stub_call(SYS_madvise, start, size, advice, 0, 0, 0);
        check_stub(sum, "undermine");
    }
}

/// Makes writable what it may only read.
static void widen(void) {
    if (stub_call(SYS_mprotect, CONFIG, 4096, 3, 0, 0, 0) == 0) fail("the configuration is writable", 0);
    int file = open("/tmp/read-only", O_RDWR | O_CREAT | O_TRUNC, 0444);
    for (int i = 0; i < 4; i++)
        if (write(file, "0123456789abcdef", 16) != 16) fail("write", errno);
    close(file);
    file = open("/tmp/read-only", O_RDONLY);
    char *shared = mmap(0, 4096, PROT_READ, MAP_SHARED, file, 0);
    if (shared == MAP_FAILED) fail("mmap", errno);
    if (stub_call(SYS_mprotect, (uint64_t)shared, 4096, 3, 0, 0, 0) == 0) fail("a file that may be read", 1);
    close(file);
    int segment = shmget(IPC_PRIVATE, 4096, 0600);
    char *attached = shmat(segment, 0, SHM_RDONLY);
    if (attached == (char *)-1) fail("shmat", errno);
    if (stub_call(SYS_mprotect, (uint64_t)attached, 4096, 3, 0, 0, 0) == 0) fail("a segment that may be read", 1);
    shmdt(attached);
    shmctl(segment, IPC_RMID, 0);
    file = open("/etc/passwd", O_RDONLY);
    shared = mmap(0, 4096, PROT_READ, MAP_SHARED, file, 0);
    if (shared == MAP_FAILED) fail("mmap", errno);
    if (stub_call(SYS_mprotect, (uint64_t)shared, 4096, 3, 0, 0, 0) == 0) fail("a file of the host", 1);
    close(file);
}

/// No descriptor is left that could be mapped, and none can be had.
static void map_descriptors(void) {
    for (uint64_t descriptor = 0; descriptor < 64; descriptor++)
        for (uint64_t kind = 0x11; kind <= 0x12; kind++)
            for (uint64_t protection = 1; protection < 8; protection++)
                if (stub_call(SYS_mmap, 0x10000000, 0x10000, protection, kind, descriptor, 0) == 0x10000000)
                    fail("a descriptor could be mapped", (long)descriptor);
}

/// Takes from its own stub what it needs to be handed descriptors.
static void starve(void) {
    alarm(3);
    switch (below(3)) {
    case 0: stub_call(SYS_close, 0, 0, 0, 0, 0, 0); break;
    case 1: stub_call(SYS_dup2, below(64), below(2), 0, 0, 0, 0); break;
    default: {
        struct msghdr message = {0};
        pid_t child = fork();
        if (child == 0) {
            // Waits for what the kernel sends for somebody else's mapping: nobody's, in this process.
            stub_call(SYS_recvmsg, 0, (uint64_t)&message, 0, 0, 0, 0);
            _exit(0);
        }
        pause_for(2000);
        kill(child, SIGKILL);
        waitpid(child, 0, 0);
        stub_call(SYS_close_range, 1, ~0u, 0, 0, 0, 0);
    }
    }
    int file = open("/etc/passwd", O_RDONLY);
    mmap(0, 4096, PROT_READ, MAP_PRIVATE, file, 0);
    pid_t child = fork();
    if (child == 0) _exit(0);
    if (child > 0) waitpid(child, 0, 0);
}

/// Shuts the kernel's interrupts out and computes: a kill must end it all the same.
static void hold_out(void) {
    uint64_t all = ~0ull;
    if (stub_call(SYS_rt_sigprocmask, SIG_BLOCK, (uint64_t)&all, 0, 8, 0, 0) != 0) fail("sigprocmask", 0);
    for (;;) __asm__ volatile("pause");
}

/// Each `syscall` of the stub with numbers and arguments that mean something to it.
static void jump(void) {
    static const uint64_t numbers[] = {3, 9, 10, 11, 14, 15, 25, 26, 28, 33, 47, 60, 110, 131, 157, 202, 436, 462};
    alarm(1);
    uint64_t sites[256], count = 0;
    for (uint64_t i = 0; i < 0x4000 && count < 256; i++)
        if (stub_code()[i] == 0x0f && stub_code()[i + 1] == 0x05) sites[count++] = STUB + i;
    uint64_t values[] = {0, 1, 2, 3, 9, 10, 59, ~0ull, STUB, CONFIG, CONTEXTS, CONTEXTS_SIZE, 4096, 0x10000, 0x11, 0x12, 0x32,
                         0x7eeffffff000ull, (uint64_t)values};
    uint64_t a[6];
    for (int i = 0; i < 6; i++) a[i] = values[below(sizeof values / sizeof *values)];
    guest_jump(sites[below(count)], numbers[below(sizeof numbers / sizeof *numbers)], a);
}

int main(int count, char **words) {
    uint64_t seed;
    long rounds;
    arguments(count, words, &seed, &rounds, 8);
    start_witness();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    static const struct {
        void (*deed)(void);
        const char *name;
    } deeds[] = {{undermine, "undermine"}, {widen, "widen"}, {map_descriptors, "map descriptors"}};
    for (long round = 0; goes_on(round, rounds); round++) {
        for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
            int status = in_child(deeds[i].deed, 30, deeds[i].name);
            if (status != 0) return fprintf(stderr, "%s: status %#x\n", deeds[i].name, status), 1;
            ask_witness(deeds[i].name);
        }
        for (int i = 0; i < 6; i++) in_child(starve, 8, "starve"), ask_witness("a stub without its socket");
        for (long i = 0; i < some(160); i++) in_child(jump, 0.4, "jump");
        ask_witness("jumps to the stub's calls");
        pid_t child = fork();
        if (child == 0) hold_out();
        pause_for(20000);
        kill(child, SIGKILL);
        int status = collect(child, 5, "hold out");
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) return fprintf(stderr, "hold out: %#x\n", status), 1;
        while (waitpid(-1, 0, WNOHANG) > 0) {}
    }
    end_witness();
    puts("seal: done");
    return 0;
}
