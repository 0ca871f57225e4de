/*
 * summary: files that were read very often at offsets: ends, bad buffers, every change of their bytes and size
 * calls: pread64 read pwrite64 ftruncate fallocate mmap fcntl memfd_create
 * file: digits 644 0123456789
 */
#include "apus.h"
#include "hot.h"
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>

static void ends(const char *name, int fd) {
    line("-- %s", name);
    heat(fd);
    struct stat status;
    must("fstat", fstat(fd, &status));
    long size = status.st_size;
    result("from 1", pread(fd, data, 3, 1));
    bytes("got", data, 3);
    result("over the end", pread(fd, data, 100, size - 2));
    result("at the end", pread(fd, data, 1, size));
    result("behind the end", pread(fd, data, 1, size + 5 * PAGE));
    result("nothing", pread(fd, data, 0, 0));
    result("nothing, nowhere", pread(fd, NOTHING, 0, 0));
    result("before the beginning", pread(fd, data, 1, -1));
    result("the last offset", pread(fd, data, 1, LONG_MAX));
    result("over the last offset", pread(fd, data, 2, LONG_MAX - 1));
    result("to nowhere", pread(fd, NOTHING, 4, 0));
    result("to the kernel", pread(fd, KERNEL_ADDRESS, 4, 0));
    volatile size_t all = ~0ul;
    result("more than there can be", pread(fd, data, all, 0));
    char *pages = mmap(0, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(pages + PAGE, PAGE, PROT_READ);
    munmap(pages + 2 * PAGE, PAGE);
    result("to a page that may be read only", pread(fd, pages + PAGE, 4, 0));
    result("to one that is not there", pread(fd, pages + 2 * PAGE, 4, 0));
    long got = pread(fd, pages + PAGE - 2, 4, 0);
    fact("over the edge of one: some or EFAULT", got == 2 || (got == -1 && errno == EFAULT));
    munmap(pages, 2 * PAGE);
    result("position", lseek(fd, 0, SEEK_CUR));
    result("read", read(fd, data, 2));
    result("position after it", lseek(fd, 0, SEEK_CUR));
}

static void changes(const char *name, int fd) {
    line("-- changes of %s", name);
    heat(fd);
    result("pwrite", pwrite(fd, "XY", 2, 3));
    result("pread", pread(fd, data, 4, 2));
    bytes("got", data, 4);
    heat(fd);
    result("ftruncate to 5", ftruncate(fd, 5));
    result("pread", pread(fd, data, 10, 0));
    bytes("got", data, 5);
    result("pread behind", pread(fd, data, 10, 5));
    heat(fd);
    result("ftruncate to 9000", ftruncate(fd, 9000));
    result("pread", pread(fd, data, 10, 3));
    bytes("got", data, 10);
    result("pread of the last", pread(fd, data, 100, 8990));
    heat(fd);
    result("pwrite at the end", pwrite(fd, "end", 3, 9000));
    result("pread of it", pread(fd, data, 100, 8999));
    bytes("got", data, 4);
    heat(fd);
    result("punch", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
    result("pread", pread(fd, data, 4, 0));
    bytes("got", data, 4);
    heat(fd);
    char *shared = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    heat(fd);
    memcpy(shared, "mapped", 6);
    result("pread of what was stored", pread(fd, data, 6, 0));
    bytes("got", data, 6);
    heat(fd);
    struct stat before, after;
    must("pwrite", pwrite(fd, "w", 1, 0));
    must("fstat", fstat(fd, &before));
    /* Into another step of the clock that stamps files: else it could move to where it stands. */
    usleep(20000);
    must("pread", pread(fd, data, 1, 0));
    must("fstat", fstat(fd, &after));
    fact("a read after a write moves the time of access",
         after.st_atim.tv_sec > before.st_atim.tv_sec || after.st_atim.tv_nsec > before.st_atim.tv_nsec ||
             (before.st_atim.tv_sec == before.st_mtim.tv_sec && before.st_atim.tv_nsec == before.st_mtim.tv_nsec));
    munmap(shared, PAGE);
}

static void memory_files(void) {
    line("-- memory files");
    int fd = must("memfd", memfd_create("hot", MFD_ALLOW_SEALING));
    must("write", write(fd, "sealed", 6));
    ends("a memory file", fd);
    result("seal", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK));
    result("pread", pread(fd, data, 10, 1));
    result("pwrite", pwrite(fd, "x", 1, 0));
    heat(fd);
    result("pread", pread(fd, data, 10, 1));
    close(fd);
    fd = must("memfd", memfd_create("holes", 0));
    must("ftruncate", ftruncate(fd, 1 << 20));
    heat(fd);
    result("pread of a hole", pread(fd, data, 10, 500000));
    struct stat status;
    must("fstat", fstat(fd, &status));
    number("blocks", status.st_blocks);
    close(fd);
}

int main(void) {
    int digits = must("open", open("digits", O_RDONLY)), file = made("file", 9000);
    ends("a file that was there", digits);
    ends("a file", file);
    changes("a file", file);
    close(file);
    int writes = must("open", open("digits", O_RDWR));
    heat(digits), heat(writes);
    changes("a file that was there", writes);
    result("as another descriptor sees it", pread(digits, data, 5, 0));
    bytes("got", data, 5);
    memory_files();
    return 0;
}
