// Makes host processes and threads that the kernel does not know, by the stub's own clone, and tells how many it made; then
// waits until the host has made a file named "made" in the folder of the third argument.
#include "gadget.h"

/// One clone by way of the stub; the new task spins for ever. Its number, or a negated errno.
static long stray(uint64_t site, uint64_t flags, uint64_t stack) {
    long made;
    register uint64_t target __asm__("r9") = site;
    // The new task calls what %r13 says; the parent pops %r13 and %r12 and returns.
    __asm__ volatile("lea 2f(%%rip), %%r13\n\tlea 1f(%%rip), %%rbx\n\tpush %%rbx\n\tpush %%r12\n\tpush %%r13\n\t"
                     "xor %%edx, %%edx\n\txor %%r10d, %%r10d\n\txor %%r8d, %%r8d\n\tjmp *%%r9\n2:\n\tpause\n\tjmp 2b\n1:\n"
                     : "=a"(made), "+r"(target), "+D"(flags), "+S"(stack)
                     : "a"(56L)
                     : "memory", "rcx", "rdx", "r11", "r12", "r13", "rbx", "r10", "r8");
    return made;
}

int main(int count, char **words) {
    uint64_t seed;
    long rounds;
    arguments(count, words, &seed, &rounds, 3);
    static char stack[65536];
    // Those that the filter knows, then some that it does not.
    static const uint64_t flags[] = {0x8011, 0x250f00, 0x11, 0x8000, 0x111, 0x100, 0x10f00, 0x10000011, 0x2000, 0x1000011, 0};
    uint64_t site = clone_site();
    int made = 0;
    for (long i = 0; i < rounds; i++) {
        for (size_t kind = 0; kind < sizeof flags / sizeof *flags; kind++) {
            pid_t child = fork();
            if (child == 0) {
                // What is the guest's own is ended with its group.
                setpgid(0, 0);
                long result = stray(site, flags[kind], flags[kind] & 0x100 ? (uint64_t)stack + sizeof stack - 64 : 0);
                // What the filter traps is the guest's own call, and makes what the kernel knows.
                if (kind >= 2) _exit(0);
                if (result > 0 && kind == 1) pause_for(3000000);
                _exit(result > 0 ? 1 : 0);
            }
            int status = collect(child, 8, "stray");
            kill(-child, SIGKILL);
            if (WIFEXITED(status) && WEXITSTATUS(status) == 1) made++;
        }
    }
    printf("made %d\n", made);
    char path[256];
    snprintf(path, sizeof path, "%s/made", count > 3 ? words[3] : "/bind");
    while (access(path, F_OK) < 0) pause_for(20000);
    return 0;
}
