// Operations of one process with one thread: each does its work `count` times.
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { page = 4096, file_pages = 64 };

static int descriptor;
static char buffer[page];

// --- Calls that do nothing --------------------------------------------------------------------------------------------

/// getsid(2) of the caller: about as short as a call can be, and one that the sandbox's kernel hears of. getpid, getppid and
/// the like are answered in the guest.
enum { null_number = SYS_getsid };

/// A call in memory that no file backs and that stays writable: a site that nobody may patch.
static long (*unpatched)(void);

static void prepare_null(void) {
    static const uint8_t code[] = {0x31, 0xff, 0xb8, null_number, 0, 0, 0, 0x0f, 0x05, 0xc3};
    void *memory = mmap(0, page, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    memcpy(memory, code, sizeof code);
    unpatched = (long (*)(void))memory;
}

static void null_call(long count) {
    while (count-- > 0) unpatched();
}

static void null_call_libc(long count) {
    while (count-- > 0) syscall(null_number, 0);
}

static void get_process(long count) {
    while (count-- > 0) getpid();
}

static void get_user(long count) {
    while (count-- > 0) getuid();
}

static void get_time(long count) {
    struct timespec time;
    while (count-- > 0) clock_gettime(CLOCK_MONOTONIC, &time);
}

// --- Files ------------------------------------------------------------------------------------------------------------

static void open_zero(void) { descriptor = (int)checked(open("/dev/zero", O_RDONLY), "/dev/zero"); }
static void open_null(void) { descriptor = (int)checked(open("/dev/null", O_WRONLY), "/dev/null"); }
static void open_root_file(void) { descriptor = (int)checked(open("/bin/bash", O_RDONLY), "/bin/bash"); }

/// A file of a tmpfs, without a name from the beginning, so that none is left whatever happens.
static void open_tmpfs_file(void) {
    descriptor = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);
    if (descriptor < 0) {
        char name[64];
        snprintf(name, sizeof name, "/dev/shm/apus-bench-%d", getpid());
        descriptor = (int)checked(open(name, O_CREAT | O_EXCL | O_RDWR, 0600), "a file in /dev/shm");
        unlink(name);
    }
    for (int at = 0; at < file_pages; at++) checked(pwrite(descriptor, buffer, page, at * page), "pwrite");
}

static void read_byte(long count) {
    while (count-- > 0) checked(read(descriptor, buffer, 1), "read");
}

static void write_byte(long count) {
    while (count-- > 0) checked(write(descriptor, buffer, 1), "write");
}

static void pread_page(long count) {
    while (count-- > 0) checked(pread(descriptor, buffer, page, (count % file_pages) * page), "pread");
}

static void pwrite_page(long count) {
    while (count-- > 0) checked(pwrite(descriptor, buffer, page, (count % file_pages) * page), "pwrite");
}

static void open_close(long count) {
    while (count-- > 0) close((int)checked(open("/etc/passwd", O_RDONLY), "/etc/passwd"));
}

static void stat_path(long count) {
    struct stat status;
    while (count-- > 0) checked(stat("/etc/passwd", &status), "/etc/passwd");
}

// --- Memory -----------------------------------------------------------------------------------------------------------

static char *mapped(size_t size) {
    char *start = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) fail("mmap");
    return start;
}

static void map_unmap(long count) {
    while (count-- > 0) munmap(mapped(64 << 10), 64 << 10);
}

static void map_touch_unmap(long count) {
    const size_t size = 1 << 20;
    while (count-- > 0) {
        volatile char *start = mapped(size);
        for (size_t offset = 0; offset < size; offset += page) start[offset] = 1;
        munmap((void *)start, size);
    }
}

// --- Signals and readiness --------------------------------------------------------------------------------------------

static volatile sig_atomic_t caught;

static void catch(int number) {
    (void)number;
    caught++;
}

static void prepare_signal(void) {
    struct sigaction action = {.sa_handler = catch};
    checked(sigaction(SIGUSR1, &action, NULL), "sigaction");
}

static void signal_self(long count) {
    int self = getpid();
    sig_atomic_t wanted = caught + (sig_atomic_t)count;
    while (count-- > 0) checked(kill(self, SIGUSR1), "kill");
    errno = EPROTO;
    if (caught != wanted) fail("a signal to oneself was not caught before kill returned");
}

static void prepare_epoll(void) {
    int ends[2];
    checked(pipe(ends), "pipe");
    checked(write(ends[1], "", 1), "write");
    descriptor = (int)checked(epoll_create1(0), "epoll_create1");
    struct epoll_event event = {.events = EPOLLIN};
    checked(epoll_ctl(descriptor, EPOLL_CTL_ADD, ends[0], &event), "epoll_ctl");
}

static void wait_for_ready(long count) {
    struct epoll_event event;
    errno = EPROTO;
    while (count-- > 0)
        if (epoll_wait(descriptor, &event, 1, -1) != 1) fail("epoll_wait");
}

const struct operation call_operations[] = {
    {"null", null_call, prepare_null},
    {"null-libc", null_call_libc, NULL},
    {"getpid", get_process, NULL},
    {"getuid", get_user, NULL},
    {"clock", get_time, NULL},
    {"read1", read_byte, open_zero},
    {"write1", write_byte, open_null},
    {"pread-tmpfs", pread_page, open_tmpfs_file},
    {"pread-root", pread_page, open_root_file},
    {"pwrite", pwrite_page, open_tmpfs_file},
    {"open", open_close, NULL},
    {"stat", stat_path, NULL},
    {"mmap", map_unmap, NULL},
    {"mmap-touch", map_touch_unmap, NULL},
    {"signal", signal_self, prepare_signal},
    {"epoll", wait_for_ready, prepare_epoll},
    {NULL, NULL, NULL},
};
