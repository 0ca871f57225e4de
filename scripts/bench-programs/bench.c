// Measures one operation. Prints, one a line, how many nanoseconds the operation took on average in each of some batches.
//
//   bench NAME [BATCHES]              one of the operations at the end of this file
//   bench run REPEATS COMMAND…        the whole life of a process: spawn to wait, its output thrown away
//   bench idle                        says `ready` and sleeps until it is ended
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/// What a batch should take at least, so that reading the clock does not count.
static const int64_t long_enough = 20 * 1000 * 1000;

static void fail(const char *what) {
    fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

static long checked(long result, const char *what) {
    if (result < 0) fail(what);
    return result;
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

// --- Operations: each does its work `count` times --------------------------------------------------------------------

/// A call in memory that no file backs and that stays writable: a site that nobody may patch.
static long (*unpatched)(void);

static void prepare_null(void) {
    static const uint8_t code[] = {0xb8, SYS_getppid, 0, 0, 0, 0x0f, 0x05, 0xc3};
    void *page = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) fail("mmap");
    memcpy(page, code, sizeof code);
    unpatched = (long (*)(void))page;
}

static void null_call(long count) {
    while (count-- > 0) unpatched();
}

static void null_call_libc(long count) {
    while (count-- > 0) syscall(SYS_getppid);
}

static void await(pid_t child) {
    int status;
    if (waitpid(child, &status, 0) != child || status != 0) fail("the child");
}

static void fork_exit_wait(long count) {
    while (count-- > 0) {
        pid_t child = checked(fork(), "fork");
        if (child == 0) _exit(0);
        await(child);
    }
}

static void fork_exec_wait(long count) {
    char *const arguments[] = {"/bin/true", NULL};
    while (count-- > 0) {
        pid_t child = checked(fork(), "fork");
        if (child == 0) {
            execv(arguments[0], arguments);
            _exit(127);
        }
        await(child);
    }
}

static int descriptor;

static void open_zero(void) { descriptor = checked(open("/dev/zero", O_RDONLY), "/dev/zero"); }
static void open_file(void) { descriptor = checked(open("/bin/bash", O_RDONLY), "/bin/bash"); }

static void read_byte(long count) {
    char byte;
    while (count-- > 0) checked(read(descriptor, &byte, 1), "read");
}

static void pread_page(long count) {
    static char page[4096];
    while (count-- > 0) checked(pread(descriptor, page, sizeof page, (count % 64) * 4096), "pread");
}

static void open_close(long count) {
    while (count-- > 0) close(checked(open("/etc/passwd", O_RDONLY), "/etc/passwd"));
}

static void stat_path(long count) {
    struct stat status;
    while (count-- > 0) checked(stat("/etc/passwd", &status), "/etc/passwd");
}

static void pipe_ping_pong(long count) {
    int there[2], back[2];
    char byte = 0;
    checked(pipe(there), "pipe");
    checked(pipe(back), "pipe");
    pid_t child = checked(fork(), "fork");
    if (child == 0) {
        close(there[1]);
        while (read(there[0], &byte, 1) == 1)
            if (write(back[1], &byte, 1) != 1) _exit(1);
        _exit(0);
    }
    close(there[0]);
    while (count-- > 0) {
        checked(write(there[1], &byte, 1), "write");
        checked(read(back[0], &byte, 1), "read");
    }
    close(there[1]);
    await(child);
    close(back[0]);
    close(back[1]);
}

static uint32_t turn;
static long rounds;

static void wait_for_turn(uint32_t mine) {
    uint32_t seen;
    while ((seen = __atomic_load_n(&turn, __ATOMIC_ACQUIRE)) != mine)
        syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void pass_turn(uint32_t other) {
    __atomic_store_n(&turn, other, __ATOMIC_RELEASE);
    syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *futex_partner(void *unused) {
    for (long i = 0; i < rounds; i++) {
        wait_for_turn(1);
        pass_turn(0);
    }
    return unused;
}

static void futex_ping_pong(long count) {
    pthread_t thread;
    turn = 0;
    rounds = count;
    if (pthread_create(&thread, NULL, futex_partner, NULL)) fail("pthread_create");
    for (long i = 0; i < count; i++) {
        pass_turn(1);
        wait_for_turn(0);
    }
    pthread_join(thread, NULL);
}

static void *nothing(void *unused) { return unused; }

static void thread_create_join(long count) {
    while (count-- > 0) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, nothing, NULL)) fail("pthread_create");
        pthread_join(thread, NULL);
    }
}

static void touch(volatile char *start, size_t size) {
    for (size_t offset = 0; offset < size; offset += 4096) start[offset] = 1;
}

static void map_touch_unmap(long count) {
    const size_t size = 64 * 1024;
    while (count-- > 0) {
        char *start = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (start == MAP_FAILED) fail("mmap");
        touch(start, size);
        munmap(start, size);
    }
}

// --- Batches ----------------------------------------------------------------------------------------------------------

static void print(int64_t elapsed, long count) { printf("%.1f\n", (double)elapsed / (double)count); }

static void measure(void (*operation)(long), int batches) {
    long count = 1;
    for (;;) {
        int64_t start = now();
        operation(count);
        if (now() - start >= long_enough || count > 1L << 30) break;
        count *= 2;
    }
    for (int batch = 0; batch < batches; batch++) {
        int64_t start = now();
        operation(count);
        print(now() - start, count);
    }
}

/// Only the first touch of fresh memory is measured, so each batch has its own.
static void touch_64_mebibytes(int batches) {
    const size_t size = 64UL << 20;
    for (int batch = 0; batch < batches; batch++) {
        char *start = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (start == MAP_FAILED) fail("mmap");
        int64_t begun = now();
        touch(start, size);
        print(now() - begun, 1);
        munmap(start, size);
    }
}

static int run_processes(int repeats, char **command) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    for (int i = 0; i < repeats; i++) {
        pid_t child;
        int64_t start = now();
        errno = posix_spawnp(&child, command[0], &actions, NULL, command, environ);
        if (errno) fail(command[0]);
        await(child);
        print(now() - start, 1);
    }
    return 0;
}

int main(int count, char **words) {
    static const struct {
        const char *name;
        void (*operation)(long);
        void (*prepare)(void);
    } operations[] = {
        {"null", null_call, prepare_null},
        {"null-libc", null_call_libc, NULL},
        {"fork", fork_exit_wait, NULL},
        {"exec", fork_exec_wait, NULL},
        {"read1", read_byte, open_zero},
        {"pread4k", pread_page, open_file},
        {"open", open_close, NULL},
        {"stat", stat_path, NULL},
        {"pipe", pipe_ping_pong, NULL},
        {"futex", futex_ping_pong, NULL},
        {"thread", thread_create_join, NULL},
        {"mmap", map_touch_unmap, NULL},
    };
    const char *name = count > 1 ? words[1] : "";
    if (!strcmp(name, "idle")) {
        puts("ready");
        fflush(stdout);
        for (;;) pause();
    }
    if (!strcmp(name, "run") && count > 3) return run_processes(atoi(words[2]), words + 3);
    int batches = count > 2 ? atoi(words[2]) : 5;
    if (!strcmp(name, "touch64")) {
        touch_64_mebibytes(batches);
        return 0;
    }
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        if (strcmp(operations[i].name, name)) continue;
        if (operations[i].prepare) operations[i].prepare();
        measure(operations[i].operation, batches);
        return 0;
    }
    fprintf(stderr, "bench: no operation '%s'; the names stand at the end of bench.c\n", name);
    return 64;
}
