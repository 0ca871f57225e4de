/*
 * summary: /dev/null, zero, full, random, urandom and the tty behave as drivers do
 * calls: openat read write lseek mmap ioctl fstat
 */
#include "apus.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static void show(const char *path) {
    char data[64], other[64];
    struct stat status;
    memset(data, 'x', sizeof data);
    int fd = must("open", open(path, O_RDWR));
    line("%s:", path);
    must("fstat", fstat(fd, &status));
    line("  character device %d, number %d:%d", S_ISCHR(status.st_mode), major(status.st_rdev), minor(status.st_rdev));
    result("  read", read(fd, data, sizeof data));
    int zero = 1;
    for (size_t i = 0; i < sizeof data; i++) zero &= data[i] == 0;
    fact("  zeroes", zero);
    result("  write", write(fd, "text", 4));
    result("  lseek to 100", lseek(fd, 100, SEEK_SET));
    result("  lseek to the end", lseek(fd, 0, SEEK_END));
    result("  pread at 1000", pread(fd, other, sizeof other, 1000));
    result("  ftruncate", ftruncate(fd, 10));
    result("  fsync", fsync(fd));
    struct pollfd watched = {.fd = fd, .events = POLLIN | POLLOUT};
    must("poll", poll(&watched, 1, 0));
    line("  ready for reading %d, writing %d", !!(watched.revents & POLLIN), !!(watched.revents & POLLOUT));
    int value;
    result("  FIONREAD", ioctl(fd, FIONREAD, &value));
    struct winsize window;
    result("  TIOCGWINSZ", ioctl(fd, TIOCGWINSZ, &window));
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    outcome("  private mapping", page == MAP_FAILED ? -1 : 0);
    close(fd);
}

int main(void) {
    char one[32], two[32];
    show("/dev/null");
    show("/dev/zero");
    show("/dev/full");
    int urandom = must("open", open("/dev/urandom", O_RDONLY)), random = must("open", open("/dev/random", O_RDONLY));
    result("urandom", read(urandom, one, sizeof one));
    result("random", read(random, two, sizeof two));
    fact("they differ", memcmp(one, two, sizeof one) != 0);
    char *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, must("open", open("/dev/zero", O_RDWR)), 0);
    shared[5000] = 'z';
    pid_t child = must("fork", fork());
    if (child == 0) {
        shared[5000]++;
        _exit(0);
    }
    wait_for(child);
    line("a shared mapping of /dev/zero is shared memory: %c", shared[5000]);
    int null = must("open", open("/dev/null", O_RDWR | O_TRUNC | O_CREAT | O_APPEND, 0644));
    outcome("null with O_TRUNC, O_CREAT and O_APPEND", null);
    result("O_EXCL", open("/dev/null", O_RDWR | O_CREAT | O_EXCL, 0644));
    result("O_DIRECTORY", open("/dev/null", O_RDONLY | O_DIRECTORY));
    pid_t alone = must("fork", fork());
    if (alone == 0) {
        must("setsid", setsid());
        result("/dev/tty without a terminal", open("/dev/tty", O_RDWR));
        _exit(0);
    }
    wait_for(alone);
    fact("/dev/fd is the descriptors", access("/dev/fd/0", F_OK) == 0);
    result("a closed one", open("/dev/fd/99", O_RDONLY));
    return 0;
}
