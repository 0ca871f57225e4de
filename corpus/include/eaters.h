/* Children that have had much in memory when they end. Behind apus.h. */
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

static void is_eaten(const char *what, const struct rusage *usage) {
    fact(what, usage->ru_maxrss >= SIZE >> 10 && usage->ru_maxrss < SIZE >> 9);
}
