/*
 * summary: flock and open-file-description locks belong to the open file, shared by dup and fork only
 * calls: flock fcntl dup fork close
 * file: file 644 x
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/file.h>

#define OFD_GETLK 36
#define OFD_SETLK 37

static long ofd(int fd, int type, long start, long length) {
    struct flock request = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    return fcntl(fd, OFD_SETLK, &request);
}

int main(void) {
    int one = must("open", open("file", O_RDWR)), two = must("open", open("file", O_RDWR));
    int reader = must("open", open("file", O_RDONLY)), ends[2];
    must("pipe", pipe(ends));
    result("exclusive", flock(one, LOCK_EX));
    result("a second open", flock(two, LOCK_EX | LOCK_NB));
    result("shared there", flock(two, LOCK_SH | LOCK_NB));
    result("down to shared", flock(one, LOCK_SH));
    result("shared there", flock(two, LOCK_SH | LOCK_NB));
    result("up again while it is shared", flock(one, LOCK_EX | LOCK_NB));
    result("which lost the shared one, so the other may go up", flock(two, LOCK_EX | LOCK_NB));
    result("unlock", flock(two, LOCK_UN));
    result("exclusive by a read-only descriptor", flock(reader, LOCK_EX | LOCK_NB));
    result("unlock", flock(reader, LOCK_UN));

    int copy = must("dup", dup(one));
    result("exclusive", flock(one, LOCK_EX | LOCK_NB));
    result("by its dup: no conflict", flock(copy, LOCK_EX | LOCK_NB));
    must("close", close(one));
    result("still held when one of them is closed", flock(two, LOCK_EX | LOCK_NB));
    pid_t child = must("fork", fork());
    if (child == 0) {
        result("a child unlocks for both", flock(copy, LOCK_UN));
        _exit(0);
    }
    wait_for(child);
    result("free", flock(two, LOCK_EX | LOCK_NB));
    must("close", close(two));
    result("a close lets go", flock(copy, LOCK_EX | LOCK_NB));
    result("flock of a pipe", flock(ends[0], LOCK_EX | LOCK_NB));
    result("of a closed descriptor", flock(99, LOCK_EX));
    result("an unknown operation", flock(copy, 0x40));
    result("no operation", flock(copy, LOCK_NB));
    must("flock", flock(copy, LOCK_UN));

    two = must("open", open("file", O_RDWR));
    result("OFD write lock", ofd(two, F_WRLCK, 0, 10));
    result("the same process, another open", ofd(copy, F_WRLCK, 5, 10));
    result("the part behind it", ofd(copy, F_WRLCK, 10, 10));
    struct flock request = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
    must("F_OFD_GETLK", fcntl(copy, OFD_GETLK, &request));
    line("asked: write %d, length %ld, pid %d", request.l_type == F_WRLCK, (long)request.l_len, request.l_pid);
    request.l_pid = 1;
    result("a pid in the request", fcntl(copy, OFD_SETLK, &request));
    request = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2, .l_len = 1};
    result("a process's lock conflicts as well", fcntl(copy, F_SETLK, &request));
    result("flock does not", flock(copy, LOCK_EX | LOCK_NB));
    must("close", close(must("open", open("file", O_RDONLY))));
    result("closing another open keeps it", ofd(copy, F_WRLCK, 5, 1));
    must("close", close(two));
    result("closing its own lets go", ofd(copy, F_WRLCK, 5, 1));
    return 0;
}
