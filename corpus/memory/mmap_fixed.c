/*
 * summary: MAP_FIXED replaces what is there, neighbours stay; holes and pieces appear in /proc/self/maps
 * calls: mmap munmap mprotect
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/mman.h>

static char *base;

/* The mappings of the 16 pages from base on, as offsets in pages with their protection; nothing here allocates. */
static void show(const char *what) {
    static char maps[65536];
    char out[512] = "";
    size_t used = 0, length = 0;
    int fd = must("open", open("/proc/self/maps", O_RDONLY));
    for (long n; (n = read(fd, maps + length, sizeof maps - 1 - length)) > 0;) length += n;
    must("close", close(fd));
    maps[length] = 0;
    for (char *row = strtok(maps, "\n"); row; row = strtok(NULL, "\n")) {
        unsigned long start, end;
        char rights[8];
        if (sscanf(row, "%lx-%lx %7s", &start, &end, rights) != 3) continue;
        long from = (long)(start - (unsigned long)base) / 4096, to = (long)(end - (unsigned long)base) / 4096;
        if (end <= (unsigned long)base || start >= (unsigned long)base + 16 * 4096) continue;
        used += snprintf(out + used, sizeof out - used, " %ld-%ld:%s", from, to, rights);
    }
    line("%s:%s", what, out);
}

static void map(int page, int pages, int protection) {
    void *wanted = base + page * 4096;
    void *got = mmap(wanted, pages * 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (got != wanted) outcome("mmap", -1);
}

int main(void) {
    int both = PROT_READ | PROT_WRITE;
    base = mmap(NULL, 18 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    base += 4096;
    must("munmap", munmap(base, 16 * 4096));
    show("empty between guards");
    map(2, 4, both);
    memset(base + 2 * 4096, 'a', 4 * 4096);
    show("four pages");
    map(3, 1, PROT_READ);
    number("a new page in the middle is zero", base[3 * 4096]);
    line("its neighbours are %c and %c", base[3 * 4096 - 1], base[4 * 4096]);
    show("a read-only one in the middle");
    must("mprotect", mprotect(base + 3 * 4096, 4096, both));
    show("made writable, it joins them");
    must("munmap", munmap(base + 4 * 4096, 4096));
    show("a hole");
    map(6, 2, both);
    map(4, 1, both);
    show("the hole filled, two more");
    must("mprotect", mprotect(base + 5 * 4096, 2 * 4096, PROT_READ));
    show("protection across two");
    must("mprotect", mprotect(base + 2 * 4096, 6 * 4096, PROT_READ | PROT_EXEC));
    show("all executable");
    void *hint = base + 10 * 4096;
    fact("a free hint is taken", mmap(hint, 4096, both, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == hint);
    void *other = mmap(hint, 4096, both, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fact("a taken hint is not", other != hint && other != MAP_FAILED);
    void *free_place = base + 12 * 4096;
    fact("MAP_FIXED_NOREPLACE takes a free place",
         mmap(free_place, 4096, both, MAP_PRIVATE | MAP_ANONYMOUS | 0x100000, -1, 0) == free_place);
    void *overlap = mmap(free_place - 4096, 8192, both, MAP_PRIVATE | MAP_ANONYMOUS | 0x100000, -1, 0);
    outcome("and refuses an overlap", overlap == MAP_FAILED ? -1 : 0);
    must("munmap", munmap(base, 16 * 4096));
    show("all unmapped at once");
    return 0;
}
