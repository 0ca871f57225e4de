/*
 * summary: only children that were waited for count in RUSAGE_CHILDREN
 * calls: getrusage wait4 rt_sigaction
 * timeout: 40
 */
#include "apus.h"
#include <sys/mman.h>

static void eat(void) {
    size_t size = 64 << 20;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) _exit(1);
    for (size_t i = 0; i < size; i += 4096) memory[i] = 1;
    _exit(0);
}

static long largest(void) {
    struct rusage usage;
    must("getrusage", getrusage(RUSAGE_CHILDREN, &usage));
    return usage.ru_maxrss;
}

/* Nobody waits for it, so a pipe that it alone holds tells of its end. */
static void unawaited(const char *what) {
    int ends[2];
    char byte;
    long before = largest();
    must("pipe", pipe(ends));
    if (must("fork", fork()) == 0) eat();
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 0) must("read", -1);
    close(ends[0]);
    int status;
    result("wait", waitpid(-1, &status, 0));
    fact(what, largest() > before);
}

int main(void) {
    number("at the start", largest());
    handle(SIGCHLD, SIG_IGN, 0);
    unawaited("counted though SIGCHLD is ignored");
    handle(SIGCHLD, SIG_DFL, SA_NOCLDWAIT);
    unawaited("counted though there are no zombies");
    handle(SIGCHLD, SIG_DFL, 0);
    wait_status("waited for", in_child(eat));
    fact("counted", largest() >= 64 << 10);
    return 0;
}
