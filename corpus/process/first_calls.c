/*
 * summary: what every program asks on its way to main, again afterwards: the heap's end, %fs, its number, limits, parts of mapped files
 * calls: brk arch_prctl set_tid_address getrlimit setrlimit prlimit64 mmap mprotect munmap clone fork
 */
#include "apus.h"
#include "fault.h"
#include <asm/prctl.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define PAGE 4096l

static long called(long number, long a, long b, long c, long d) {
    register long r10 __asm__("r10") = d;
    long got;
    __asm__ volatile("syscall" : "=a"(got) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
    return got;
}
static long raw(const char *what, long got) {
    if (got < 0 && got > -4096) line("%s: %s", what, errno_name((int)-got));
    return got;
}
static char *heap_end(void) { return (char *)called(SYS_brk, 0, 0, 0, 0); }

static void shrink(void) {
    int same = heap_end() == sbrk(0);
    sbrk(-PAGE);
    _exit(same && heap_end() == sbrk(0) ? 7 : 1);
}
static void heap(void) {
    line("-- heap");
    char *end = heap_end();
    fact("as the library has it", end == sbrk(0));
    must("sbrk", (long)sbrk(3 * PAGE + 5));
    fact("it has grown", heap_end() == end + 3 * PAGE + 5);
    number("in a child that lets it shrink", WEXITSTATUS(in_child(shrink)));
    fact("and here as it was", heap_end() == end + 3 * PAGE + 5);
    must("brk", brk(end));
    fact("and as before", heap_end() == end);
}

static void pointer(void) {
    line("-- the thread's pointer");
    unsigned long own = 0, seen = 0;
    static unsigned long place[8] = {11, 22, 33};
    number("get", called(SYS_arch_prctl, ARCH_GET_FS, (long)&own, 0, 0));
    raw("get, to nowhere", called(SYS_arch_prctl, ARCH_GET_FS, 8, 0, 0));
    raw("set beyond all", called(SYS_arch_prctl, ARCH_SET_FS, 0x7ffffffff000, 0, 0));
    raw("set to what is no address", called(SYS_arch_prctl, ARCH_SET_FS, 1l << 62, 0, 0));
    unsigned long words[3] = {0}, back = 0;
    for (int i = 0; i < 40; i++) {
        long set = called(SYS_arch_prctl, ARCH_SET_FS, (long)(place + i % 3), 0, 0);
        __asm__ volatile("mov %%fs:0, %0" : "=r"(seen));
        called(SYS_arch_prctl, ARCH_GET_FS, (long)&back, 0, 0);
        called(SYS_getppid, 0, 0, 0, 0);
        unsigned long later;
        __asm__ volatile("mov %%fs:0, %0" : "=r"(later));
        called(SYS_arch_prctl, ARCH_SET_FS, (long)own, 0, 0);
        words[i % 3] += set == 0 && back == (unsigned long)(place + i % 3) && seen == later ? seen : 1000;
    }
    line("read there: %lu %lu %lu", words[0], words[1], words[2]);
}

struct shared { volatile int word, cleared, number; };
static struct shared *shared;
static char stack[65536] __attribute__((aligned(16)));
static volatile int *cleared_word;

static int outlives(void *unused) {
    (void)unused;
    for (int i = 0; i < 2000 && *cleared_word; i++) called(SYS_sched_yield, 0, 0, 0, 0), usleep(500);
    shared->cleared = *cleared_word == 0;
    return 0;
}

static void thread_number(void) {
    line("-- set_tid_address");
    static volatile int word;
    fact("its number", called(SYS_set_tid_address, (long)&word, 0, 0, 0) == getpid());
    shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int ends[2];
    must("pipe", pipe(ends));
    pid_t child = fork();
    if (child == 0) {
        static volatile int own = 1;
        shared->number = called(SYS_set_tid_address, (long)&own, 0, 0, 0) == getpid();
        cleared_word = &own;
        clone(outlives, stack + sizeof stack, CLONE_VM, NULL);
        _exit(0);
    }
    wait_status("a child whose memory somebody else has, too", wait_for(child));
    close(ends[1]);
    char byte;
    /* That one has the other end as long as it lives. */
    number("until that one ends", read(ends[0], &byte, 1));
    fact("its own number", shared->number);
    fact("the word was cleared as it ended", shared->cleared);
}

static void limits(void) {
    line("-- limits");
    struct rlimit was, now, wanted;
    must("getrlimit", getrlimit(RLIMIT_STACK, &was));
    must("prlimit", prlimit(0, RLIMIT_STACK, NULL, &now));
    fact("both say the same", was.rlim_cur == now.rlim_cur && was.rlim_max == now.rlim_max);
    wanted = (struct rlimit){1 << 20, was.rlim_max};
    must("setrlimit", setrlimit(RLIMIT_STACK, &wanted));
    prlimit(getpid(), RLIMIT_STACK, NULL, &now);
    number("after a change", now.rlim_cur);
    wanted.rlim_cur = 2 << 20;
    must("prlimit", prlimit(0, RLIMIT_STACK, &wanted, &now));
    number("as it was before another", now.rlim_cur);
    int to_child[2], from_child[2];
    must("pipe", pipe(to_child) + pipe(from_child));
    char byte = 0;
    pid_t child = fork();
    if (child == 0) {
        long sums[2];
        for (int i = 0; i < 2; i++) {
            getrlimit(RLIMIT_STACK, &now), sums[i] = now.rlim_cur;
            must("write", write(from_child[1], &byte, 1));
            must("read", read(to_child[0], &byte, 1));
        }
        getrlimit(RLIMIT_STACK, &now);
        line("a child's: %ld %ld %ld", sums[0], sums[1], (long)now.rlim_cur);
        exit(0);
    }
    for (int i = 0; i < 2; i++) {
        must("read", read(from_child[0], &byte, 1));
        wanted.rlim_cur = (3 + i) << 20;
        must("prlimit", prlimit(child, RLIMIT_STACK, &wanted, NULL));
        must("write", write(to_child[1], &byte, 1));
    }
    wait_status("it", wait_for(child));
    getrlimit(RLIMIT_STACK, &now);
    number("here", now.rlim_cur);
    raw("no such limit", called(SYS_getrlimit, 16, (long)&now, 0, 0));
    raw("nor here", called(SYS_prlimit64, 0, 99, 0, (long)&now));
    raw("to nowhere", called(SYS_prlimit64, 0, RLIMIT_STACK, 0, 8));
    raw("of nobody", called(SYS_prlimit64, 0x7ffffffe, RLIMIT_STACK, 0, (long)&now));
    number("asks for nothing", called(SYS_prlimit64, 0, RLIMIT_STACK, 0, 0));
}

/* The rights of the pages as the kernel lists them. */
static void rights(const char *what, char *start, int pages) {
    static char list[1 << 17];
    char found[64] = "";
    int file = open("/proc/self/maps", O_RDONLY), got, length = 0;
    while ((got = read(file, list + length, sizeof list - 1 - length)) > 0) length += got;
    close(file);
    list[length] = 0;
    for (int page = 0; page < pages; page++) {
        char right = '-';
        for (char *at = list; *at; at = strchr(at, '\n') + 1) {
            unsigned long first, last;
            char flags[8];
            if (sscanf(at, "%lx-%lx %7s", &first, &last, flags) == 3 && first <= (unsigned long)start + page * PAGE &&
                (unsigned long)start + page * PAGE < last)
                right = flags[1] == 'w' ? 'w' : flags[0] == 'r' ? 'r' : 'n';
        }
        found[page] = right;
    }
    text(what, found);
}

static char *start, *data;
static void change_own(void) {
    int good = fault(data) == SEGV_ACCERR && fault(start + PAGE) == SEGV_MAPERR && mprotect(data, PAGE, PROT_READ | PROT_WRITE) == 0;
    _exit(good && fault(data) == 0 && munmap(data, PAGE) == 0 && fault(data) == SEGV_MAPERR ? 7 : 1);
}

static void parts(void) {
    line("-- parts of a mapped file");
    enum { PAGES = 12 };
    handle_info(SIGSEGV, caught, 0);
    int file = must("open", open("pages", O_RDWR | O_CREAT, 0600));
    for (int i = 0; i < PAGES * PAGE; i++) must("write", write(file, &"abcdefghijkl"[i / PAGE], 1));
    for (int round = 0; round < 4; round++) {
        start = mmap(NULL, PAGES * PAGE, PROT_READ, MAP_PRIVATE | MAP_DENYWRITE, file, 0);
        data = mmap(start + 4 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file, 2 * PAGE);
        char *zeros = mmap(start + 8 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
        char *other = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        fact("in their places", data == start + 4 * PAGE && zeros == start + 8 * PAGE && (other >= start + PAGES * PAGE || other < start));
        number("writes to what is read only", fault(start));
        number("to what is not", fault(data) + fault(zeros) + fault(other));
        number("protects", mprotect(data, 2 * PAGE, PROT_READ) + mprotect(other + PAGE, PAGE, PROT_NONE) + mprotect(start, PAGE, PROT_READ | PROT_WRITE));
        line("then: %d %d %d %d", fault(data), fault(data + 2 * PAGE), fault(other + PAGE), fault(start));
        rights("listed", start, PAGES);
        bytes("there", (char[]){start[0], start[PAGE], data[0], data[PAGE], data[2 * PAGE], zeros[0], zeros[PAGE], zeros[2 * PAGE]}, 8);
        number("unmaps", munmap(start + PAGE, 2 * PAGE) + munmap(zeros + 2 * PAGE, PAGE));
        line("then: %d %d %d", fault(start + PAGE), fault(zeros + 2 * PAGE), fault(start + 11 * PAGE));
        rights("listed", start, PAGES);
        if (round % 2)
            number("in a child", WEXITSTATUS(in_child(change_own)));
        number("over an edge", mprotect(data + 3 * PAGE, 2 * PAGE, PROT_READ));
        raw("into nothing", called(SYS_mprotect, (long)start + PAGE, PAGE, PROT_READ, 0));
        raw("half a page", called(SYS_mprotect, (long)data + 1, PAGE, PROT_READ, 0));
        number("all of it", munmap(start, PAGES * PAGE) + munmap(other, 3 * PAGE));
    }
    line("-- another file by the same number");
    int other = must("open", open("other", O_RDWR | O_CREAT, 0600));
    for (int i = 0; i < PAGE; i++) must("write", write(other, "z", 1));
    int reader = must("open", open("other", O_RDONLY)), first = must("open", open("pages", O_RDONLY));
    for (int round = 0; round < 3; round++) {
        char *all = mmap(NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_DENYWRITE, first, 0);
        char *part = mmap(all + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, first, 3 * PAGE);
        bytes("of the first", (char[]){all[0], *part}, 2);
        close(first);
        outcome("closed", (long)mmap(all + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, first, 0));
        if (round == 1) must("dup2", dup2(reader, first));
        else must("dup", fcntl(reader, F_DUPFD, first) == first ? 0 : -1);
        part = mmap(all + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, first, 0);
        bytes("of the second", (char[]){all[0], *part, all[2 * PAGE]}, 3);
        close(first);
        must("open", open("pages", O_RDONLY) == first ? 0 : -1);
        munmap(all, 4 * PAGE);
    }
    char byte;
    must("pread", pread(file, &byte, 1, 2 * PAGE));
    bytes("the file as it was", &byte, 1);
}

int main(void) {
    heap();
    pointer();
    thread_number();
    limits();
    parts();
    return 0;
}
