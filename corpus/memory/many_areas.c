/*
 * summary: thousands of areas at a time: locked, unlocked, kept from children, joined again, with a hole among them
 * calls: mlock munlock mlockall munlockall madvise mprotect fork munmap
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/mman.h>

#define PAGE 4096l
#define PAGES 2400l

static char *base;

/* How many areas there are in the stretch, as /proc/self/maps tells, with their pages. Without stdio, whose buffer would be
   mapped into a hole. */
static void areas(const char *what) {
    static char text[1 << 18];
    size_t length = 0;
    long got, count = 0, pages = 0;
    int maps = must("open", open("/proc/self/maps", O_RDONLY));
    while ((got = read(maps, text + length, sizeof text - 1 - length)) > 0) length += (size_t)got;
    close(maps);
    text[length] = 0;
    unsigned long start, end, from = (unsigned long)base, to = from + PAGES * PAGE;
    for (char *line = text; line != NULL && *line; line = strchr(line, '\n'), line += line != NULL) {
        if (sscanf(line, "%lx-%lx", &start, &end) != 2 || end <= from || start >= to) continue;
        count++;
        pages += (long)(((end < to ? end : to) - (start > from ? start : from)) / PAGE);
    }
    number(what, count);
    number("pages", pages);
}

static void locked(const char *what) {
    char status[8192];
    int file = must("open", open("/proc/self/status", O_RDONLY));
    long length = must("read", read(file, status, sizeof status - 1));
    close(file);
    status[length] = 0;
    char *row = strstr(status, "\nVmLck:");
    number(what, row == NULL ? -1 : atol(row + 7) * 1024 / PAGE);
}

static void child(void) {
    areas("areas of a child");
    locked("locked of a child");
    _exit(base[3 * PAGE] == 'x' ? 7 : 8);
}

static void gone(void) { _exit(base[8 * PAGE] == 'x' ? 7 : 8); }

int main(void) {
    no_core();
    base = mmap(NULL, (PAGES + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) must("mmap", -1);
    /* Apart from what is mapped beside it. */
    base += PAGE;
    must("mprotect", mprotect(base, PAGES * PAGE, PROT_READ | PROT_WRITE));
    memset(base, 'x', PAGES * PAGE);
    for (long i = 0; i < PAGES; i += 2) must("mprotect", mprotect(base + i * PAGE, PAGE, PROT_READ));
    areas("every other page is for reading only");
    result("mlock of all", mlock(base, PAGES * PAGE));
    locked("locked");
    wait_status("a child", in_child(child));
    result("munlock from the midst of one to the midst of another", munlock(base + 11 * PAGE, (PAGES - 22) * PAGE));
    locked("locked");
    areas("areas");
    for (long i = 0; i < PAGES; i += 8) must("madvise", madvise(base + i * PAGE, PAGE, MADV_DONTFORK));
    wait_status("a child without every eighth page", in_child(child));
    wait_status("which looks for one", in_child(gone));
    result("MADV_DOFORK of all", madvise(base, PAGES * PAGE, MADV_DOFORK));
    must("munmap", munmap(base + PAGES / 2 * PAGE, PAGE));
    result("mlock over a hole", mlock(base, PAGES * PAGE));
    locked("locked");
    result("munlock over the hole", munlock(base, PAGES * PAGE));
    locked("locked");
    result("munlockall", munlockall());
    locked("locked");
    result("mprotect over the hole", mprotect(base, PAGES * PAGE, PROT_READ | PROT_WRITE));
    areas("joined before it");
    must("mprotect", mprotect(base + (PAGES / 2 + 1) * PAGE, (PAGES / 2 - 1) * PAGE, PROT_READ | PROT_WRITE));
    areas("joined");
    return 0;
}
