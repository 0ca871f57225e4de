// Many at one place: waiters in one line, registrations of one file, followers of one socket, keys in one terminal, areas in
// one list. Whatever goes through all of them must not do so once for each.
#include "adversary.h"

#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>

static struct { uint64_t value, address; uint32_t flags, reserved; } entries[128];
static uint32_t word, other;
static int ends[2];

static void crowd(int number, void *(*body)(void *)) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 1 << 16);
    pthread_t thread;
    for (int i = 0; i < number; i++)
        if (pthread_create(&thread, &attributes, body, 0)) break;
    pause_for(300000);
}

static void *wait_often(void *unused) {
    syscall(449, entries, 128, 0, 0, 0);
    return unused;
}

/// Threads that wait for one futex a hundred times each, woken or moved all at once, or killed.
static void one_line(void) {
    for (int i = 0; i < 128; i++) {
        entries[i].address = (uintptr_t)&word;
        entries[i].flags = 2 | 128;
    }
    crowd(400, wait_often);
    switch (below(3)) {
    case 0: syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, 0, 0, 0); break;
    case 1:
        syscall(SYS_futex, &word, FUTEX_REQUEUE_PRIVATE, 7, (void *)(long)INT_MAX, &other, 0);
        syscall(SYS_futex, &other, FUTEX_WAKE_PRIVATE, INT_MAX, 0, 0, 0);
        break;
    default: break;
    }
}

static void *poll_often(void *unused) {
    struct pollfd list[500];
    for (int i = 0; i < 500; i++) list[i] = (struct pollfd){ends[0], POLLIN, 0};
    poll(list, 500, -1);
    return unused;
}

/// Threads that name one pipe hundreds of times each.
static void one_pipe(void) {
    if (pipe(ends) < 0) return;
    crowd(300, poll_often);
    if (write(ends[1], "x", 1) < 0) perror("write");
    pause_for(100000);
}

static void one_epoll(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (pipe(ends) < 0) return;
    int epoll = epoll_create1(0);
    for (int i = 0; i < 100000; i++) {
        int copy = dup(ends[0]);
        struct epoll_event event = {.events = EPOLLIN};
        if (copy < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, copy, &event) < 0) break;
    }
    if (write(ends[1], "x", 1) < 0) perror("write");
    close(epoll);
    close_range(3, ~0u, 0);
}

static void one_receiver(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    struct sockaddr_un name = {AF_UNIX, "\0crowd"};
    socklen_t length = sizeof(short) + 6;
    int receiver = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (bind(receiver, (struct sockaddr *)&name, length) < 0) return;
    for (int i = 0; i < 50000; i++) {
        int sender = socket(AF_UNIX, SOCK_DGRAM, 0);
        if (sender < 0 || connect(sender, (struct sockaddr *)&name, length) < 0) break;
        for (int k = 0; i < 4 && k < 200; k++) send(sender, "x", 1, MSG_DONTWAIT);
    }
    char byte;
    while (recv(receiver, &byte, 1, MSG_DONTWAIT) > 0) {}
}

/// A line to be printed again, ends of lines and files, at which nobody looks.
static void one_terminal(void) {
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (master < 0 || unlockpt(master) < 0) return;
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    static char keys[300000];
    static const char kinds[] = {'a', 18, 10, 4, 21, 3, 22};
    for (int i = 0; i < 60; i++) {
        memset(keys, kinds[below(sizeof kinds)], sizeof keys);
        if (write(master, keys, below(4) ? sizeof keys : 4000) < 0) tcflush(slave, TCIOFLUSH);
    }
}

/// Directories that are gone but for the one at the bottom, where somebody stands.
static void one_way_up(void) {
    if (mkdir("/tmp/up", 0700) < 0 || chdir("/tmp/up") < 0) return;
    int depth = 0;
    while (depth < 20000 && mkdir("d", 0700) == 0 && chdir("d") == 0) depth++;
    int here = open("..", O_PATH);
    while (depth-- > 0 && unlinkat(here, "d", AT_REMOVEDIR) == 0) {
        int up = openat(here, "..", O_PATH);
        close(here);
        here = up;
    }
    rmdir("/tmp/up");
    close(here);
    if (chdir("/") < 0) perror("chdir");
}

static void one_list(void) {
    static char buffer[1 << 16];
    char *place = mmap(0, 20000ul * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (place == MAP_FAILED) return;
    for (size_t i = 0; i < 20000; i += 2) mprotect(place + i * 4096, 4096, PROT_READ | PROT_WRITE);
    static const char *const files[] = {"/proc/self/maps", "/proc/self/smaps", "/proc/self/smaps_rollup", "/proc/self/status"};
    for (int i = 0; i < 4; i++) {
        int file = open(files[i], O_RDONLY);
        while (read(file, buffer, sizeof buffer) > 0) {}
        close(file);
    }
}

int main(int count, char **words) {
    uint64_t seed;
    long rounds;
    arguments(count, words, &seed, &rounds, 1);
    start_witness();
    for (long round = 0; goes_on(round, rounds); round++) {
        watch(one_line, "one line");
        watch(one_pipe, "one pipe");
        watch(one_epoll, "one epoll");
        watch(one_receiver, "one receiver");
        watch(one_terminal, "one terminal");
        watch(one_way_up, "one way up");
        watch(one_list, "one list");
        ask_witness("crowds");
    }
    end_witness();
    printf("crowds: done, longest stillness %.3f s\n", slowest);
    return 0;
}
