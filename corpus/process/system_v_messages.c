/*
 * summary: System V message queues keep types apart, wait for room and for messages, and say when they are gone
 * calls: msgget msgsnd msgrcv msgctl
 */
#include "apus.h"
#include <sys/ipc.h>
#include <sys/msg.h>

struct message {
    long type;
    char text[9000];
};

static int queue;
static struct message buffer;

static void put(const char *what, long type, const char *words) {
    struct message message = {.type = type};
    snprintf(message.text, sizeof message.text, "%s", words);
    result(what, msgsnd(queue, &message, strlen(words), IPC_NOWAIT));
}

static void take(const char *what, long size, long type, int flags) {
    memset(&buffer, 0, sizeof buffer);
    long got = msgrcv(queue, &buffer, size, type, flags);
    if (got < 0) result(what, got);
    else line("%s: %ld of type %ld: %s", what, got, buffer.type, buffer.text);
}

/* What a child has to tell is its status: its lines would stand anywhere between its parent's. */
static int receiver(void) { return msgrcv(queue, &buffer, 100, 0, 0) == 4 && strcmp(buffer.text, "come") == 0 ? 1 : 2; }

static int bereaved(void) { return msgrcv(queue, &buffer, 100, 0, 0) < 0 && errno == EIDRM ? 3 : 4; }

/* Returns once the child sleeps in its call; the first look is late enough to be the only one. */
static void until_asleep(pid_t child) {
    char path[64], row[512];
    snprintf(path, sizeof path, "/proc/%d/stat", child);
    usleep(50000);
    for (int tries = 0; tries < 1000; tries++) {
        FILE *file = fopen(path, "r");
        size_t length = file ? fread(row, 1, sizeof row - 1, file) : 0;
        row[length] = 0;
        if (file) fclose(file);
        char *state = strrchr(row, ')');
        if (state && state[2] == 'S') return;
        usleep(1000);
    }
}

int main(void) {
    int key = variant_key(0x5a5a1234);
    struct msqid_ds status;
    result("no key without IPC_CREAT", msgget(key, 0));
    queue = must("msgget", msgget(key, IPC_CREAT | IPC_EXCL | 0600));
    result("IPC_EXCL again", msgget(key, IPC_CREAT | IPC_EXCL | 0600));
    fact("the same by its key", msgget(key, 0600) == queue);
    put("type 3", 3, "three");
    put("type 1", 1, "one");
    put("type 2", 2, "two");
    put("type 0", 0, "none");
    take("too long", 2, 2, 0);
    take("cut off", 2, 2, MSG_NOERROR);
    take("type 7", 100, 7, IPC_NOWAIT);
    take("at most 3", 100, -3, 0);
    put("type 4", 4, "four");
    take("not type 3", 100, 3, MSG_EXCEPT | IPC_NOWAIT);
    take("any", 100, 0, IPC_NOWAIT);
    take("any of none", 100, 0, IPC_NOWAIT);
    result("longer than any", msgsnd(queue, &buffer, 8193, IPC_NOWAIT));
    buffer.type = 1;
    result("a large one", msgsnd(queue, &buffer, 8192, IPC_NOWAIT));
    result("another", msgsnd(queue, &buffer, 8192, IPC_NOWAIT));
    result("no room", msgsnd(queue, &buffer, 1, IPC_NOWAIT));
    result("IPC_STAT", msgctl(queue, IPC_STAT, &status));
    line("holds %lu, may hold %lu, mode %o, sent by this: %d", (long)status.msg_qnum, (long)status.msg_qbytes,
         status.msg_perm.mode & 0777, status.msg_lspid == getpid());
    while (msgrcv(queue, &buffer, 9000, 0, IPC_NOWAIT) >= 0) continue;
    pid_t child = must("fork", fork());
    if (child == 0) _exit(receiver());
    until_asleep(child);
    put("for the child", 5, "come");
    wait_status("it", wait_for(child));
    child = must("fork", fork());
    if (child == 0) _exit(bereaved());
    until_asleep(child);
    result("IPC_RMID", msgctl(queue, IPC_RMID, NULL));
    wait_status("it", wait_for(child));
    result("afterwards", msgsnd(queue, &buffer, 1, 0));
    return 0;
}
