/*
 * summary: memory that is mapped and unmapped very often: where it lies, what is left of it, limits, locks, children, threads
 * calls: mmap munmap mprotect mremap madvise mlockall munlockall setrlimit prlimit64 fork clone mincore
 */
#include "apus.h"
#include "fault.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>

#define PAGE 4096l
#define HUGE (2l << 20)
/* More than there is between libraries, and no huge pages. */
#define PIECE ((16l << 20) + PAGE)
#define PLAIN MAP_PRIVATE | MAP_ANONYMOUS

static char *zeros(long size, int protection) { return mmap(NULL, size, protection, PLAIN, -1, 0); }
static char *room(long size) { return zeros(size, PROT_READ | PROT_WRITE); }

/* Until whoever learns from use has learned. */
static void heat(void) {
    for (int i = 0; i < 40; i++) {
        char *start = room(PIECE);
        if (start == MAP_FAILED || munmap(start, PIECE)) return;
    }
}

/* Whether something is mapped there. */
static int there(char *address) {
    unsigned char byte;
    return mincore(address, PAGE, &byte) == 0;
}

static void places(void) {
    line("-- places");
    char *first = room(PIECE), *second = room(PIECE), *third = room(2 * PIECE);
    fact("one below the other", second == first - PIECE && third == second - 2 * PIECE);
    fact("zeros", first[0] == 0 && third[2 * PIECE - 1] == 0);
    first[0] = 'a', second[0] = 'b', third[0] = 'c';
    result("unmap", munmap(second, PIECE));
    fact("a gap", there(first) && !there(second) && there(third));
    number("its fault", fault(second));
    fact("too small for two", room(2 * PIECE) == third - 2 * PIECE);
    fact("its upper end", room(PIECE - 8 * PAGE) == second + 8 * PAGE);
    fact("what is left of it", room(PIECE / 2) != second && mmap(NULL, 8 * PAGE, PROT_READ, PLAIN, -1, 0) != MAP_FAILED);
    fact("zeros again", second[8 * PAGE] == 0);
    result("a part at the beginning", munmap(third, PIECE));
    result("a part at the end", munmap(third + 2 * PIECE - PAGE, PAGE));
    result("a part in the middle", munmap(third + PIECE + 4 * PAGE, PAGE));
    fact("the rest stands", there(third + PIECE) && there(third + PIECE + 5 * PAGE) && !there(third + PIECE + 4 * PAGE));
    fact("and these are gone", !there(third) && !there(third + 2 * PIECE - PAGE));
    number("fault in the middle", fault(third + PIECE + 4 * PAGE));
    number("fault beside it", fault(third + PIECE + 5 * PAGE));
    result("over all of them", munmap(third - 2 * PIECE, first + PIECE - third + 2 * PIECE));
    fact("gone", !there(first) && !there(second + 8 * PAGE) && !there(third + PIECE));
    result("nothing there", munmap(first, PIECE));
    fact("the same place again", room(PIECE) == first);
    result("unmap", munmap(first, PIECE));
}

static void odd_ones(void) {
    line("-- odd ones");
    char *start = room(PIECE);
    result("not a page's", munmap(start + 1, PAGE));
    result("no length", munmap(start, 0));
    result("too long", munmap(start, -PAGE));
    result("a length that is no page's", munmap(start, PIECE - PAGE + 1));
    fact("all of it", !there(start + PIECE - PAGE) && !there(start));
    result("of no length", (long)mmap(NULL, 0, PROT_READ, PLAIN, -1, 0));
    result("an offset", (long)mmap(NULL, PAGE, PROT_READ, PLAIN, -1, 1));
    result("of no kind", (long)mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0));
    result("too long", (long)room(1l << 47));
    result("by far", (long)room(-PAGE));
    start = room(PIECE - 100);
    fact("a length that is no page's", start[PIECE - 1] == 0);
    result("unmap", munmap(start, PIECE));
    start = room(8 * HUGE);
    fact("huge pages begin with one", (unsigned long)start % HUGE == 0);
    char *other = room(8 * HUGE);
    fact("the next too", (unsigned long)other % HUGE == 0 && other == start - 8 * HUGE);
    result("unmap", munmap(start, 8 * HUGE)), result("unmap", munmap(other, 8 * HUGE));
    fact("a hint", mmap(start + 4 * PAGE, PAGE, PROT_READ, PLAIN, -1, 0) == start + 4 * PAGE);
    result("unmap", munmap(start + 4 * PAGE, PAGE));
    fact("a place", mmap(start, PAGE, PROT_READ, PLAIN | MAP_FIXED, -1, 0) == start);
    number("not to be written", fault(start));
    result("unmap", munmap(start, PAGE));
    start = zeros(PIECE, PROT_NONE);
    number("not to be touched", fault(start));
    result("to be written", mprotect(start + PAGE, PAGE, PROT_READ | PROT_WRITE));
    number("neighbour", fault(start)), number("itself", fault(start + PAGE));
    result("unmap", munmap(start, PIECE));
}

static void others(void) {
    line("-- other calls");
    heat();
    char *start = room(PIECE);
    start[0] = start[PIECE - 1] = 'x';
    fact("moved", (start = mremap(start, PIECE, 2 * PIECE, MREMAP_MAYMOVE)) != MAP_FAILED && start[PIECE - 1] == 'x');
    result("unmap the end", munmap(start + PIECE, PIECE));
    result("forgotten", madvise(start, PAGE, MADV_DONTNEED));
    number("zero", start[0]);
    result("not for children", madvise(start, PIECE, MADV_DONTFORK));
    char *shared = room(PIECE);
    shared[5] = 'p';
    pid_t child = must("fork", fork());
    if (child == 0) {
        char *own = room(PIECE);
        own[0] = 'q';
        int fine = !there(start) && shared[5] == 'p' && own != shared;
        shared[5] = 'c';
        fine = fine && munmap(shared, PIECE) == 0 && !there(shared) && there(own);
        heat();
        _exit(fine ? 7 : 8);
    }
    int status;
    must("waitpid", waitpid(child, &status, 0));
    number("a child's", WEXITSTATUS(status));
    fact("the parent's", shared[5] == 'p' && start[PIECE - 1] == 'x');
    result("unmap", munmap(shared, PIECE)), result("unmap", munmap(start, PIECE));
    int zero = must("open", open("/dev/zero", O_RDONLY));
    start = room(PIECE);
    memset(start, 'y', 16);
    number("read into it", read(zero, start + 4, 4));
    fact("bytes", start[3] == 'y' && start[4] == 0 && start[8] == 'y');
    result("unmap", munmap(start, PIECE));
    result("read to where nothing is", read(zero, start, 4));
    close(zero);
}

static void limits(void) {
    line("-- limits");
    struct rlimit old, all, data;
    heat();
    char *held = room(PIECE);
    getrlimit(RLIMIT_AS, &old);
    all = (struct rlimit){1 << 20, old.rlim_max};
    must("setrlimit", setrlimit(RLIMIT_AS, &all));
    result("beyond the limit", (long)room(PIECE));
    result("unmap", munmap(held, PIECE));
    result("still", (long)room(PIECE));
    must("setrlimit", setrlimit(RLIMIT_AS, &old));
    heat();
    getrlimit(RLIMIT_DATA, &data);
    struct rlimit little = {4096, data.rlim_max};
    must("prlimit", prlimit(0, RLIMIT_DATA, &little, NULL));
    result("data beyond the limit", (long)room(PIECE));
    fact("none that is only read", (held = zeros(PIECE, PROT_READ)) != MAP_FAILED && munmap(held, PIECE) == 0);
    must("prlimit", prlimit(0, RLIMIT_DATA, &data, NULL));
    held = room(PIECE);
    fact("none", held != MAP_FAILED && munmap(held, PIECE) == 0);
}

static void *thread_maps(void *argument) {
    (void)argument;
    static char *kept[50];
    for (int i = 0; i < 50; i++) *(kept[i] = room(64 << 10)) = 't';
    for (int i = 0; i < 50; i++)
        if (*kept[i] != 't' || munmap(kept[i], 64 << 10)) return NULL;
    return kept;
}

static void threads(void) {
    line("-- threads");
    heat();
    pthread_t other;
    void *got;
    returned("pthread_create", pthread_create(&other, NULL, thread_maps, NULL));
    int fine = 1;
    for (int i = 0; i < 50; i++) {
        char *start = room(64 << 10);
        fine = fine && start[5] == 0;
        start[5] = 'm';
        fine = fine && start[0] == 0 && munmap(start, 64 << 10) == 0;
    }
    returned("pthread_join", pthread_join(other, &got));
    fact("each has its own", fine && got != NULL);
}

static void many(void) {
    line("-- many");
    heat();
    enum { COUNT_OF = 300 };
    static char *pages[COUNT_OF];
    int fine = 1;
    for (int i = 0; i < COUNT_OF; i++) pages[i] = zeros(PAGE * (1 + i % 3), i % 2 ? PROT_READ : PROT_READ | PROT_WRITE);
    for (int i = 0; i < COUNT_OF; i++) fine = fine && there(pages[i]);
    for (int i = 0; i < COUNT_OF; i += 2) fine = fine && munmap(pages[i], PAGE * (1 + i % 3)) == 0;
    for (int i = 0; i < COUNT_OF; i++) fine = fine && there(pages[i]) == i % 2;
    for (int i = 1; i < COUNT_OF; i += 2) fine = fine && munmap(pages[i], PAGE * (1 + i % 3)) == 0;
    for (int i = 0; i < COUNT_OF; i++) fine = fine && !there(pages[i]);
    fact("each was there and is gone", fine);
}

int main(void) {
    no_core();
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGSEGV, &action, NULL);
    heat();
    places();
    odd_ones();
    others();
    limits();
    threads();
    many();
    return 0;
}
