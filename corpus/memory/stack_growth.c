/*
 * summary: the stack grows downwards on demand as far as RLIMIT_STACK, MAP_GROWSDOWN likewise; beyond is SIGSEGV
 * calls: prlimit64 mmap rt_sigaction execve
 */
#include "apus.h"
#include <sys/mman.h>

static int __attribute__((noinline)) use_stack(int pages) {
    volatile char *frame = __builtin_alloca((size_t)pages * 4096);
    int sum = 0;
    for (int i = pages - 1; i >= 0; i--) {
        frame[i * 4096] = 1;
        sum += frame[i * 4096];
    }
    return sum;
}

static void three_mebibytes(void) {
    number("touched from the top, pages", use_stack(768));
}

static void beyond(void) {
    number("touched, pages", use_stack(400));
}

static void jump_down(void) {
    volatile char here = 0, *far = &here - (2 << 20);
    *far = 1;
    line("two mebibytes below the stack pointer: written");
}

static void grows_down(void) {
    char *area = mmap(NULL, 64 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must("munmap", munmap(area, 64 * 4096));
    char *page = mmap(area + 60 * 4096, 4096, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
    page[0] = 1;
    (page - 4096)[0] = 2;
    (page - 3 * 4096)[0] = 3;
    line("MAP_GROWSDOWN: %d %d %d, between %d", page[0], (page - 4096)[0], (page - 3 * 4096)[0], (page - 2 * 4096)[0]);
    (page + 4096)[0] = 4;
    line("never reached");
}

int main(int argc, char **argv) {
    no_core();
    if (argc > 1) {
        wait_status("1.6 MiB of stack under a limit of 1 MiB", in_child(beyond));
        return 0;
    }
    struct rlimit limit = {8 << 20, RLIM_INFINITY};
    getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = 8 << 20;
    must("setrlimit", setrlimit(RLIMIT_STACK, &limit));
    wait_status("3 MiB of stack under a limit of 8 MiB", in_child(three_mebibytes));
    wait_status("below the stack pointer", in_child(jump_down));
    wait_status("above a MAP_GROWSDOWN mapping", in_child(grows_down));
    limit.rlim_cur = 1 << 20;
    must("setrlimit", setrlimit(RLIMIT_STACK, &limit));
    wait_status("a limit set later counts at once", in_child(beyond));
    pid_t child = must("fork", fork());
    if (child == 0) {
        execl("/proc/self/exe", argv[0], "again", (char *)NULL);
        _exit(1);
    }
    wait_status("after exec", wait_for(child));
    return 0;
}
