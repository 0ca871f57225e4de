// Makes host processes that the kernel does not know, by the stub's own clone, and waits until the host has made a file named
// "made" in the folder of the third argument.
#include "adversary.h"

#define STUB 0x7ef000000000ull

int main(int count, char **words) {
    uint64_t seed;
    long rounds;
    arguments(count, words, &seed, &rounds, 3);
    // mov $56, %eax; syscall; then the new task calls what %r13 says.
    const volatile unsigned char *code = (const volatile unsigned char *)STUB;
    uint64_t offset = 0;
    static const unsigned char wanted[] = {0xb8, 56, 0, 0, 0, 0x0f, 0x05};
    for (; offset < 0x4000; offset++) {
        size_t same = 0;
        while (same < sizeof wanted && code[offset + same] == wanted[same]) same++;
        if (same == sizeof wanted) break;
    }
    if (offset == 0x4000) return fprintf(stderr, "the stub has no clone\n"), 1;
    for (long i = 0; i < rounds; i++) {
        long made;
        // CLONE_PARENT | SIGCHLD, the flags that the filter lets through.
        __asm__ volatile("lea 2f(%%rip), %%r13\n\tlea 1f(%%rip), %%rbx\n\tpush %%rbx\n\tpush %%r12\n\tpush %%r13\n\t"
                         "xor %%r10d, %%r10d\n\txor %%r8d, %%r8d\n\tjmp *%1\n2:\n\tpause\n\tjmp 2b\n1:\n"
                         : "=a"(made)
                         : "r"(STUB + offset + 5), "a"(56), "D"(0x8011L), "S"(0L), "d"(0L)
                         : "memory", "rcx", "r11", "r12", "r13", "rbx", "r10", "r8");
        if (made <= 0) return fprintf(stderr, "the stub's clone gave %ld\n", made), 1;
    }
    char path[256];
    snprintf(path, sizeof path, "%s/made", count > 3 ? words[3] : "/bind");
    puts("made");
    while (access(path, F_OK) < 0) pause_for(20000);
    return 0;
}
