/*
 * summary: POSIX record locks by process: ranges split and merge, conflicts, deadlock, release by any close
 * calls: fcntl fork close
 * file: file 644 0123456789
 */
#include "apus.h"
#include <fcntl.h>

static int fd, ends[2], back[2];

static long lock(int command, int type, long start, long length) {
    struct flock request = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    return fcntl(fd, command, &request);
}

static void ask(const char *what, int type, long start, long length) {
    struct flock request = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    must("F_GETLK", fcntl(fd, F_GETLK, &request));
    if (request.l_type == F_UNLCK) line("%s: free", what);
    else
        line("%s: %s lock at %ld, length %ld, by the parent: %s", what, request.l_type == F_WRLCK ? "write" : "read",
             (long)request.l_start, (long)request.l_len, request.l_pid == getppid() ? "yes" : "no");
}

static void child(void) {
    fd = must("open", open("file", O_RDWR));
    ask("all for writing", F_WRLCK, 0, 0);
    ask("4 to 6 for writing", F_WRLCK, 4, 2);
    ask("6 to 8 for reading", F_RDLCK, 6, 2);
    ask("from 8 on", F_WRLCK, 8, 0);
    result("write lock over a read lock", lock(F_SETLK, F_WRLCK, 6, 1));
    result("read lock over a read lock", lock(F_SETLK, F_RDLCK, 6, 1));
    result("read lock over a write lock", lock(F_SETLK, F_RDLCK, 1, 1));
    result("the free middle", lock(F_SETLK, F_WRLCK, 4, 2));
}

static void takes_then_waits(void) {
    fd = must("open", open("file", O_RDWR));
    char byte;
    must("F_SETLKW", lock(F_SETLKW, F_WRLCK, 100, 1));
    must("write", write(ends[1], "x", 1));
    must("F_SETLKW", lock(F_SETLKW, F_WRLCK, 0, 1));
    line("the child gets its lock when the parent lets go");
    must("read", read(back[0], &byte, 1));
}

int main(void) {
    must("pipe", pipe(ends));
    must("pipe", pipe(back));
    fd = must("open", open("file", O_RDWR));
    int reader = must("open", open("file", O_RDONLY)), writer = must("open", open("file", O_WRONLY));
    result("write lock of 0 to 8", lock(F_SETLK, F_WRLCK, 0, 8));
    result("over itself", lock(F_SETLK, F_WRLCK, 2, 4));
    result("unlock 4 to 6", lock(F_SETLK, F_UNLCK, 4, 2));
    result("6 to 8 for reading", lock(F_SETLK, F_RDLCK, 6, 2));
    wait_status("the child", in_child(child));
    result("what it took is free again", lock(F_SETLK, F_WRLCK, 4, 2));

    char byte;
    pid_t waiter = must("fork", fork());
    if (waiter == 0) {
        takes_then_waits();
        _exit(0);
    }
    must("read", read(ends[0], &byte, 1));
    result("what it holds, without waiting", lock(F_SETLK, F_WRLCK, 100, 1));
    /* The kernel sees a deadlock only when the child already waits. */
    long value = -1;
    for (int i = 0; i < 2000; i++) {
        struct flock request = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 1};
        usleep(1000);
        char path[64], state[512] = "";
        snprintf(path, sizeof path, "/proc/%d/stat", waiter);
        int stat = open(path, O_RDONLY);
        if (stat >= 0 && read(stat, state, sizeof state - 1) > 0 && strstr(state, ") S ")) {
            close(stat);
            value = fcntl(fd, F_SETLKW, &request);
            break;
        }
        close(stat);
    }
    result("waiting for each other", value);
    long unlocked = lock(F_SETLK, F_UNLCK, 0, 0);
    must("write", write(back[1], "x", 1));
    wait_status("the child", wait_for(waiter));
    result("unlock all", unlocked);

    result("lock again", lock(F_SETLK, F_WRLCK, 0, 0));
    must("close", close(must("open", open("file", O_RDONLY))));
    waiter = must("fork", fork());
    if (waiter == 0) {
        ask("after closing another descriptor of the file", F_WRLCK, 0, 0);
        _exit(0);
    }
    wait_for(waiter);
    struct flock request = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    result("write lock by a read-only descriptor", fcntl(reader, F_SETLK, &request));
    request.l_type = F_RDLCK;
    result("read lock by a write-only one", fcntl(writer, F_SETLK, &request));
    request.l_type = 7;
    result("an unknown type", fcntl(fd, F_SETLK, &request));
    result("before the start", lock(F_SETLK, F_WRLCK, -5, 2));
    result("a negative length", lock(F_SETLK, F_WRLCK, 5, -2));
    result("that reaches before the start", lock(F_SETLK, F_WRLCK, 5, -6));
    result("a wild pointer", fcntl(fd, F_SETLK, WILD));
    return 0;
}
