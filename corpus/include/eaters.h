/* Children that have had much in memory when they end. Behind apus.h. */
#include <sys/mman.h>

/* What is looked for, in bytes; what is reported is in KiB. A little more is eaten, as a kernel may count some pages of each processor late. */
#define SIZE (16 << 20)
#define EATEN (SIZE + (1 << 20))

static char *eaten(void) {
    char *memory = mmap(NULL, EATEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) _exit(1);
    for (size_t i = 0; i < EATEN; i += 4096) memory[i] = 1;
    return memory;
}

static void eat(void) {
    eaten();
    _exit(0);
}

static void have_it_eaten(void) {
    int status;
    pid_t child = must("fork", fork());
    if (child == 0) eat();
    waitpid(child, &status, 0);
    _exit(status != 0);
}

static void is_eaten(const char *what, const struct rusage *usage) {
    fact(what, usage->ru_maxrss >= SIZE >> 10 && usage->ru_maxrss < SIZE >> 9);
}
