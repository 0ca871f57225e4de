/*
 * summary: RLIMIT_AS and RLIMIT_DATA: mmap, brk, mremap and threads fail with ENOMEM or EAGAIN, nothing dies
 * calls: prlimit64 mmap brk mremap mprotect fork
 */
#include "apus.h"
#include <pthread.h>
#include <sys/mman.h>

enum { MEBIBYTE = 1 << 20 };

static void *body(void *argument) { return argument; }

static void map(const char *what, size_t length, int flags) {
    void *area = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    outcome(what, area == MAP_FAILED ? -1 : 0);
    if (area != MAP_FAILED) munmap(area, length);
}

static void address_space(void) {
    struct rlimit limit = {256 * MEBIBYTE, 256 * MEBIBYTE};
    char *area = mmap(NULL, MEBIBYTE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must("setrlimit", setrlimit(RLIMIT_AS, &limit));
    map("64 MiB", 64 * MEBIBYTE, 0);
    map("300 MiB", 300 * MEBIBYTE, 0);
    map("300 MiB without reserve", 300 * MEBIBYTE, MAP_NORESERVE);
    int count = 0;
    while (mmap(NULL, MEBIBYTE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) count++;
    fact("1 MiB at a time, even without access, 150 to 256 fit", count >= 150 && count <= 256);
    text("then", errno_name(errno));
    outcome("mremap larger", mremap(area, MEBIBYTE, 8 * MEBIBYTE, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0);
    pthread_t thread;
    returned("a thread", pthread_create(&thread, NULL, body, NULL));
    unsigned long now = syscall(SYS_brk, 0);
    fact("brk does not move", (unsigned long)syscall(SYS_brk, now + 64 * MEBIBYTE) == now);
    fact("malloc gives nothing", malloc(64 * MEBIBYTE) == NULL);
    pid_t child = must("fork", fork());
    if (child == 0) _exit(area[0] + 6);
    wait_status("fork works", wait_for(child));
    memset(area, 1, MEBIBYTE);
    line("what was there before works");
}

static void data(void) {
    struct rlimit limit = {64 * MEBIBYTE, 64 * MEBIBYTE};
    must("setrlimit", setrlimit(RLIMIT_DATA, &limit));
    map("32 MiB of private memory", 32 * MEBIBYTE, 0);
    map("100 MiB", 100 * MEBIBYTE, 0);
    char *none = mmap(NULL, 100 * MEBIBYTE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fact("100 MiB without access", none != MAP_FAILED);
    result("made writable", mprotect(none, 100 * MEBIBYTE, PROT_READ | PROT_WRITE));
    result("a part of it", mprotect(none, 16 * MEBIBYTE, PROT_READ | PROT_WRITE));
    void *shared = mmap(NULL, 100 * MEBIBYTE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fact("shared memory does not count", shared != MAP_FAILED);
}

static void too_many_mappings(void) {
    char *area = mmap(NULL, 512ul * MEBIBYTE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int count = 0;
    for (; count < 70000; count++)
        if (mprotect(area + (long)count * 8192, 4096, PROT_READ) != 0) break;
    fact("tens of thousands of mappings fit", count > 30000 && count < 70000);
    text("then", errno_name(errno));
    result("unmapping all of them", munmap(area, 512ul * MEBIBYTE));
}

int main(void) {
    wait_status("address space", in_child(address_space));
    wait_status("data", in_child(data));
    wait_status("mappings", in_child(too_many_mappings));
    return 0;
}
