/*
 * summary: what ended children had in memory is known to who asks for it only then
 * calls: getrusage wait4 fork
 * timeout: 40
 */
#include "apus.h"
#include <sys/mman.h>

/* In bytes; what is reported is in KiB. */
#define SIZE (16 << 20)

static void eat(void) {
    size_t size = SIZE;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) _exit(1);
    for (size_t i = 0; i < size; i += 4096) memory[i] = 1;
    _exit(0);
}

static void have_it_eaten(void) {
    int status;
    pid_t child = must("fork", fork());
    if (child == 0) eat();
    waitpid(child, &status, 0);
    _exit(status != 0);
}

int main(void) {
    struct rusage usage, before;
    /* What execve(2) has replaced counts, too: whoever started this may have been large. */
    must("getrusage", getrusage(RUSAGE_SELF, &before));
    wait_status("a child that has eaten", in_child(eat));
    must("getrusage", getrusage(RUSAGE_CHILDREN, &usage));
    fact("as much is known", usage.ru_maxrss >= SIZE >> 10 && usage.ru_maxrss < SIZE >> 9);
    must("getrusage", getrusage(RUSAGE_SELF, &usage));
    fact("not of the parent", usage.ru_maxrss < before.ru_maxrss + (SIZE >> 11));

    int status;
    pid_t child = must("fork", fork());
    if (child == 0) have_it_eaten();
    must("wait4", wait4(child, &status, 0, &usage));
    wait_status("one whose child has eaten", status);
    fact("that counts as its own", usage.ru_maxrss >= SIZE >> 10 && usage.ru_maxrss < SIZE >> 9);
    return 0;
}
