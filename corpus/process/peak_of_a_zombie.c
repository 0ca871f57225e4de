/*
 * summary: wait4 tells what a zombie and its children had in memory, though nobody has asked before
 * calls: wait4 waitid
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

/* Its end is known before anybody asks for more. */
static pid_t ended(void (*what)(void)) {
    siginfo_t info;
    pid_t child = must("fork", fork());
    if (child == 0) what();
    must("waitid", waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
    return child;
}

int main(void) {
    struct rusage usage;
    int status;
    pid_t eater = ended(eat), parent = ended(have_it_eaten);
    must("wait4", wait4(eater, &status, 0, &usage));
    wait_status("a child that has eaten", status);
    fact("as much is known", usage.ru_maxrss >= SIZE >> 10 && usage.ru_maxrss < SIZE >> 9);
    must("wait4", wait4(parent, &status, 0, &usage));
    wait_status("one whose child has eaten", status);
    fact("that counts as its own", usage.ru_maxrss >= SIZE >> 10 && usage.ru_maxrss < SIZE >> 9);
    return 0;
}
