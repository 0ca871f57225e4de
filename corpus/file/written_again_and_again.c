/*
 * summary: files that were written very often at offsets: every way to see it at once, and every change between
 * calls: pwrite64 pread64 read write fstat stat mmap sendfile ftruncate fork lseek fcntl prlimit64 unlink dup2 close open
 */
#include "apus.h"
#include "hot.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>

enum { PAGES = 40 };
static char page[PAGE];

static void fill(int fd, char mark) {
    memset(page, mark, PAGE);
    for (int i = 0; i < PAGES; i++)
        if (pwrite(fd, page, PAGE, i * PAGE) != PAGE) line("a write failed");
}

/* A file that is large enough, and was written often. */
static int written(const char *name) {
    int fd = must("open", open(name, O_RDWR | O_CREAT | O_TRUNC, 0644));
    fill(fd, 'a');
    return fd;
}

static int byte_at(int fd, long offset) {
    char byte = 0;
    return pread(fd, &byte, 1, offset) == 1 ? byte : -1;
}

static void looks(void) {
    line("-- looks");
    int fd = written("file"), other = must("open", open("file", O_RDONLY));
    struct stat status;
    pwrite(fd, "1", 1, 5);
    number("pread", byte_at(fd, 5));
    pwrite(fd, "2", 1, 5);
    number("pread of another descriptor", byte_at(other, 5));
    pwrite(fd, "3", 1, PAGES * PAGE);
    fact("fstat", fstat(fd, &status) == 0 && status.st_size == PAGES * PAGE + 1);
    pwrite(fd, "34", 2, PAGES * PAGE);
    fact("fstat of another", fstat(other, &status) == 0 && status.st_size == PAGES * PAGE + 2);
    pwrite(fd, "345", 3, PAGES * PAGE);
    fact("stat", stat("file", &status) == 0 && status.st_size == PAGES * PAGE + 3);
    pwrite(fd, "4", 1, 0);
    number("the end", lseek(fd, 0, SEEK_END) == PAGES * PAGE + 3);
    result("read", (lseek(other, 0, SEEK_SET), read(other, data, 3)));
    bytes("got", data, 3);
    pwrite(fd, "5", 1, 1);
    int third = must("open", open("file", O_RDWR));
    number("open anew", byte_at(third, 1));
    int ends[2];
    must("pipe", pipe(ends));
    pwrite(fd, "67", 2, 0);
    off_t from = 0;
    result("sendfile", sendfile(ends[1], fd, &from, 4));
    result("read", read(ends[0], data, 4));
    bytes("got", data, 4);
    for (int i = 0; i < 20; i++) {
        pwrite(fd, "xyz" + i % 3, 1, i * 100);
        if (byte_at(other, i * 100) != "xyz"[i % 3]) line("differs at %d", i);
    }
    // Whoever opens it to look shall not keep what it was.
    for (int i = 0; i < 60; i++) {
        int again = must("open", open("file", O_RDONLY));
        pwrite(fd, page, PAGE, (PAGES + i) * PAGE);
        if (fstat(again, &status) || status.st_size != (PAGES + i + 1) * PAGE) line("size differs at %d", i);
        close(again);
    }
    close(third), close(other), close(fd), close(ends[0]), close(ends[1]);
}

static void between(void) {
    line("-- between");
    int fd = written("file");
    struct stat status;
    pwrite(fd, "ab", 2, PAGES * PAGE - 1);
    result("ftruncate", ftruncate(fd, 10));
    number("behind the end", byte_at(fd, 20));
    pwrite(fd, "cd", 2, 100);
    number("in the hole", byte_at(fd, 50));
    number("after it", byte_at(fd, 101));
    fact("size", fstat(fd, &status) == 0 && status.st_size == 102);
    fill(fd, 'b');
    int appending = must("open", open("file", O_WRONLY | O_APPEND));
    pwrite(fd, "1", 1, PAGES * PAGE);
    result("write at the end", write(appending, "2", 1));
    pwrite(fd, "3", 1, PAGES * PAGE + 2);
    result("pwrite at the end", pwrite(appending, "4", 1, 0));
    result("pread", pread(fd, data, 10, PAGES * PAGE));
    bytes("got", data, 4);
    fill(fd, 'c');
    result("O_APPEND", fcntl(fd, F_SETFL, O_APPEND));
    result("pwrite", pwrite(fd, "end", 3, 0));
    number("the beginning", byte_at(fd, 0));
    result("not O_APPEND", fcntl(fd, F_SETFL, 0));
    result("pwrite", pwrite(fd, "d", 1, 0));
    number("the beginning", byte_at(fd, 0));
    fill(fd, 'e');
    result("read only", dup2(must("open", open("file", O_RDONLY)), fd));
    result("pwrite", pwrite(fd, "f", 1, 0));
    fact("dup2", dup2(appending, fd) == fd);
    result("pwrite at the end", pwrite(fd, "g", 1, 0));
    number("the beginning", byte_at(must("open", open("file", O_RDONLY)), 0));
    close(fd);
    result("closed", pwrite(fd, "h", 1, 0));
    fd = written("gone");
    must("unlink", unlink("gone"));
    fill(fd, 'u');
    pwrite(fd, "v", 1, 77);
    number("without a name", byte_at(fd, 77));
    close(fd);
    fd = written("file");
    must("chmod", chmod("file", 04755));
    fill(fd, 's');
    must("fchmod", fchmod(fd, 0600));
    fact("mode", fstat(fd, &status) == 0 && (status.st_mode & 07777) == 0600);
    close(fd);
}

static void mapped(void) {
    line("-- mapped");
    int fd = written("file");
    pwrite(fd, "A", 1, 10);
    char *shared = mmap(0, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    number("shared", shared[10]);
    fill(fd, 'm');
    for (int i = 0; i < 30; i++) {
        char mark = 'a' + i % 26;
        pwrite(fd, &mark, 1, i * PAGE + 3);
        if (shared[i * PAGE + 3] != mark) line("differs at %d", i);
    }
    shared[7] = 'S';
    number("stored", byte_at(fd, 7));
    munmap(shared, PAGES * PAGE);
    fd = written("other");
    pwrite(fd, "B", 1, 10);
    char *private = mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    number("private", private[10]);
    fill(fd, 'n');
    number("private, seen", private[10]);
    munmap(private, PAGE);
    close(fd);
}

static void read_often(void) {
    line("-- read often, too");
    int fd = written("often"), reader = must("open", open("often", O_RDONLY));
    for (int round = 0; round < 6; round++) {
        fill(fd, 'a' + round);
        heat(reader);
        heat(fd);
        for (int i = 0; i < PAGES; i++)
            if (byte_at(reader, i * PAGE) != 'a' + round || byte_at(fd, i * PAGE + 9) != 'a' + round) line("%d: %d differs", round, i);
        for (int i = 0; i < PAGES; i++) {
            char mark = 'A' + round;
            pwrite(fd, &mark, 1, i * PAGE);
            if (i % 7 == round && byte_at(reader, i * PAGE) != mark) line("%d: %d is not there", round, i);
        }
    }
    close(reader), close(fd);
}

static void limits(void) {
    line("-- limits");
    signal(SIGXFSZ, SIG_IGN);
    int fd = written("file");
    struct rlimit old, low = {PAGES * PAGE + 10, RLIM_INFINITY};
    must("getrlimit", getrlimit(RLIMIT_FSIZE, &old));
    low.rlim_max = old.rlim_max;
    must("setrlimit", setrlimit(RLIMIT_FSIZE, &low));
    result("up to it", pwrite(fd, "0123456789", 10, PAGES * PAGE));
    result("over it", pwrite(fd, "0123456789", 10, PAGES * PAGE + 5));
    fill(fd, 'l');
    result("up to it", pwrite(fd, "0123456789", 10, PAGES * PAGE));
    result("over it", pwrite(fd, "0123456789", 10, PAGES * PAGE + 5));
    result("behind it", pwrite(fd, "0", 1, PAGES * PAGE + 10));
    must("setrlimit", setrlimit(RLIMIT_FSIZE, &old));
    result("behind what it was", pwrite(fd, "0", 1, PAGES * PAGE + 10));
    result("nothing", pwrite(fd, NOTHING, 0, 0));
    result("from nowhere", pwrite(fd, NOTHING, 4, 0));
    result("from the kernel", pwrite(fd, KERNEL_ADDRESS, 4, 0));
    result("before the beginning", pwrite(fd, page, 1, -1));
    result("the last offset", pwrite(fd, page, 2, __LONG_MAX__));
    char *pages = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(pages, 'p', 2 * PAGE);
    munmap(pages + PAGE, PAGE);
    long got = pwrite(fd, pages + PAGE - 2, 4, 0);
    fact("over the edge: some or EFAULT", got == 2 || (got == -1 && errno == EFAULT));
    number("position", lseek(fd, 0, SEEK_CUR));
    close(fd);
}

static void children(void) {
    line("-- children");
    int fd = written("file"), status;
    for (int i = 0; i < 12; i++) {
        char mark = 'a' + i, answer = 'A' + i;
        pwrite(fd, &mark, 1, i * PAGE + 1);
        if (fork() == 0) {
            if (byte_at(fd, i * PAGE + 1) != mark) line("a child does not see %d", i);
            // Often enough to do so without asking; the end comes at once.
            for (int k = 0; k < 30; k++) pwrite(fd, &answer, 1, i * PAGE + 2 + k);
            if (i % 3 == 0) raise(SIGKILL);
            if (i % 3 == 1) abort();
            _exit(0);
        }
        for (int k = 0; k < 20; k++) pwrite(fd, &mark, 1, i * PAGE + 100 + k);
        wait(&status);
        for (int k = 0; k < 30; k++)
            if (byte_at(fd, i * PAGE + 2 + k) != answer) line("%d: the child's %d is not there", i, k);
        for (int k = 0; k < 20; k++)
            if (byte_at(fd, i * PAGE + 100 + k) != mark) line("%d: the own %d is not there", i, k);
    }
    close(fd);
}

static void times(void) {
    line("-- times");
    int fd = written("file"), other = must("open", open("later", O_RDWR | O_CREAT | O_TRUNC, 0644));
    struct stat first, second;
    int wrong = 0;
    for (int i = 0; i < 40; i++) {
        struct timespec after;
        pwrite(fd, page, 100, i * 10);
        clock_gettime(CLOCK_REALTIME, &after);
        write(other, "x", 1);
        fstat(fd, &first), fstat(other, &second);
        wrong += first.st_mtim.tv_sec > after.tv_sec
            || (first.st_mtim.tv_sec == after.tv_sec && first.st_mtim.tv_nsec > after.tv_nsec);
        wrong += first.st_mtim.tv_sec > second.st_mtim.tv_sec
            || (first.st_mtim.tv_sec == second.st_mtim.tv_sec && first.st_mtim.tv_nsec > second.st_mtim.tv_nsec);
        wrong += first.st_mtim.tv_sec != first.st_ctim.tv_sec || first.st_mtim.tv_nsec != first.st_ctim.tv_nsec;
    }
    number("wrong", wrong);
    struct timespec past[2] = {{1000, 5}, {2000, 7}};
    pwrite(fd, "t", 1, 0);
    must("futimens", futimens(fd, past));
    fact("as was set", fstat(fd, &first) == 0 && first.st_mtim.tv_sec == 2000 && first.st_mtim.tv_nsec == 7);
    pwrite(fd, "t", 1, 0);
    fact("and moves on", fstat(fd, &first) == 0 && first.st_mtim.tv_sec > 2000);
    close(fd), close(other);
}

int main(void) {
    looks();
    between();
    mapped();
    read_often();
    limits();
    children();
    times();
    return 0;
}
