/*
 * summary: after fork every page is one's own on write, in both directions and over generations
 * calls: fork mmap read wait4 mprotect
 * file: data 644 from the file
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/mman.h>

enum { PAGES = 2000 };

static char *area;

static long sum(void) {
    long total = 0;
    for (int i = 0; i < PAGES; i++) total += area[i * 4096];
    return total;
}

static void writes_all(void) {
    for (int i = 0; i < PAGES; i++) area[i * 4096] = 2;
    number("a child that wrote everything", sum());
}

static void writes_some_in_generations(void) {
    for (int depth = 1; depth <= 4; depth++) {
        for (int i = 0; i < PAGES; i += 10) area[i * 4096] += 1;
        pid_t child = must("fork", fork());
        if (child != 0) {
            wait_for(child);
            line("generation %d: %ld", depth, sum());
            _exit(0);
        }
    }
    line("the last: %ld", sum());
}

static void reads_into_it(void) {
    int fd = must("open", open("data", O_RDONLY));
    result("a child's read into shared pages", read(fd, area, 13));
    bytes("the child", area, 13);
}

int main(void) {
    area = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < PAGES; i++) area[i * 4096] = 1;
    wait_status("first", in_child(writes_all));
    number("the parent", sum());
    wait_status("generations", in_child(writes_some_in_generations));
    number("the parent", sum());
    wait_status("read", in_child(reads_into_it));
    number("the parent's first byte", area[0]);

    int gate[2];
    must("pipe", pipe(gate));
    pid_t child = must("fork", fork());
    if (child == 0) {
        char byte;
        must("read", read(gate[0], &byte, 1));
        number("a child, after the parent wrote everything", sum());
        _exit(0);
    }
    for (int i = 0; i < PAGES; i++) area[i * 4096] = 5;
    must("write", write(gate[1], "x", 1));
    wait_status("it", wait_for(child));

    must("mprotect", mprotect(area, PAGES * 4096, PROT_READ));
    child = must("fork", fork());
    if (child == 0) {
        must("mprotect", mprotect(area, PAGES * 4096, PROT_READ | PROT_WRITE));
        area[0] = 9;
        _exit(area[0]);
    }
    wait_status("made writable by the child alone", wait_for(child));
    number("the parent's first byte", area[0]);
    int total = 0;
    for (int i = 0; i < 40; i++) {
        child = must("fork", fork());
        if (child == 0) {
            must("mprotect", mprotect(area, PAGES * 4096, PROT_READ | PROT_WRITE));
            memset(area, i, PAGES * 4096 / 10);
            _exit(area[4096]);
        }
        total += WEXITSTATUS(wait_for(child));
    }
    number("forty children, one after the other", total);
    return 0;
}
