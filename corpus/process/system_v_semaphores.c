/*
 * summary: System V semaphores change all at once or not at all, wait, are undone at exit, and say when they are gone
 * calls: semget semop semtimedop semctl
 */
#include "apus.h"
#include <sys/ipc.h>
#include <sys/sem.h>
#include <time.h>

union argument {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
};

static int set;

static long operate(int index, int change, int flags) {
    struct sembuf operation = {index, change, flags};
    return semop(set, &operation, 1);
}

static int value(int index) { return semctl(set, index, GETVAL); }

static void holder(void) {
    result("a child takes", operate(0, -2, SEM_UNDO));
    number("and leaves", value(0));
}

/* What a child has to tell is its status: its lines would stand anywhere between its parent's. */
static int sleeper(void) { return operate(1, -3, 0) == 0 ? 1 : 2; }
static int bereaved(void) { return operate(1, -30, 0) < 0 && errno == EIDRM ? 3 : 4; }

static void until(int command, int wanted) {
    for (int tries = 0; tries < 2000 && semctl(set, 1, command) != wanted; tries++) usleep(1000);
}

int main(void) {
    int key = variant_key(0x5a5a4321);
    union argument argument;
    unsigned short values[3] = {5, 0, 7};
    result("none without IPC_CREAT", semget(key, 1, 0));
    result("no semaphores", semget(IPC_PRIVATE, 0, 0600));
    set = must("semget", semget(key, 3, IPC_CREAT | IPC_EXCL | 0600));
    fact("the same by its key", semget(key, 3, 0) == set);
    result("more than it has", semget(key, 4, 0));
    argument.array = values;
    result("SETALL", semctl(set, 0, SETALL, argument));
    struct sembuf both[2] = {{0, -1, IPC_NOWAIT}, {1, -1, IPC_NOWAIT}};
    result("one of two cannot", semop(set, both, 2));
    number("the other stays", value(0));
    result("wait for zero", operate(1, 0, IPC_NOWAIT));
    result("zero of what is not", operate(0, 0, IPC_NOWAIT));
    result("a semaphore that is not there", operate(3, 1, 0));
    result("too high", operate(0, 32767, 0));
    argument.val = 40000;
    result("SETVAL too high", semctl(set, 0, SETVAL, argument));
    struct timespec soon = {0, 2000000};
    struct sembuf one = {1, -1, 0};
    result("semtimedop", semtimedop(set, &one, 1, &soon));
    wait_status("it", in_child(holder));
    number("undone at its end", value(0));
    pid_t child = must("fork", fork());
    if (child == 0) _exit(sleeper());
    until(GETNCNT, 1);
    number("waiting", semctl(set, 1, GETNCNT));
    result("not enough", operate(1, 2, 0));
    number("still waiting", semctl(set, 1, GETNCNT));
    result("enough", operate(1, 1, 0));
    wait_status("it", wait_for(child));
    number("left", value(1));
    fact("it was the last", semctl(set, 1, GETPID) == child);
    child = must("fork", fork());
    if (child == 0) _exit(bereaved());
    until(GETNCNT, 1);
    result("IPC_RMID", semctl(set, 0, IPC_RMID));
    wait_status("it", wait_for(child));
    result("afterwards", operate(0, 1, 0));
    return 0;
}
