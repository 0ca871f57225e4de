// Operations that need a second process or thread: each does its work `count` times.
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// --- Processes and threads --------------------------------------------------------------------------------------------

static void fork_exit_wait(long count) {
    while (count-- > 0) {
        int child = (int)checked(fork(), "fork");
        if (child == 0) _exit(0);
        await(child, "the child");
    }
}

static void fork_exec_wait(long count) {
    char *const arguments[] = {"/bin/true", NULL};
    while (count-- > 0) {
        int child = (int)checked(fork(), "fork");
        if (child == 0) {
            execv(arguments[0], arguments);
            _exit(127);
        }
        await(child, arguments[0]);
    }
}

static void *nothing(void *unused) { return unused; }

static void start(pthread_t *thread, void *(*body)(void *)) {
    errno = pthread_create(thread, NULL, body, NULL);
    if (errno) fail("pthread_create");
}

static void thread_create_join(long count) {
    while (count-- > 0) {
        pthread_t thread;
        start(&thread, nothing);
        pthread_join(thread, NULL);
    }
}

// --- Ping-pong between processes --------------------------------------------------------------------------------------

/// Sends a byte back for each that comes, until the other side is closed.
static _Noreturn void echo(int in, int out) {
    char byte;
    while (read(in, &byte, 1) == 1)
        if (write(out, &byte, 1) != 1) _exit(1);
    _exit(0);
}

static void play(long count, int out, int in) {
    char byte = 0;
    errno = EPIPE;
    while (count-- > 0) {
        checked(write(out, &byte, 1), "write");
        if (checked(read(in, &byte, 1), "read") != 1) fail("the partner has gone");
    }
}

static void pipe_ping_pong(long count) {
    int there[2], back[2];
    checked(pipe(there), "pipe");
    checked(pipe(back), "pipe");
    int child = (int)checked(fork(), "fork");
    if (child == 0) {
        close(there[1]);
        echo(there[0], back[1]);
    }
    close(there[0]);
    close(back[1]);
    play(count, there[1], back[0]);
    close(there[1]);
    await(child, "the partner");
    close(back[0]);
}

static void socket_ping_pong(long count) {
    int ends[2];
    checked(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
    int child = (int)checked(fork(), "fork");
    if (child == 0) {
        close(ends[0]);
        echo(ends[1], ends[1]);
    }
    close(ends[1]);
    play(count, ends[0], ends[0]);
    close(ends[0]);
    await(child, "the partner");
}

// --- Ping-pong between threads ----------------------------------------------------------------------------------------

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
    start(&thread, futex_partner);
    for (long i = 0; i < count; i++) {
        pass_turn(1);
        wait_for_turn(0);
    }
    pthread_join(thread, NULL);
}

const struct operation partner_operations[] = {
    {"fork", fork_exit_wait, NULL},
    {"exec", fork_exec_wait, NULL},
    {"thread", thread_create_join, NULL},
    {"futex", futex_ping_pong, NULL},
    {"pipe", pipe_ping_pong, NULL},
    {"socketpair", socket_ping_pong, NULL},
    {NULL, NULL, NULL},
};
