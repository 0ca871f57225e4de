/*
 * summary: what stands at a name, asked again and again, while files, pipes and sockets are written to
 * calls: newfstatat write writev mkfifo utimensat socketpair pipe fchmod fork
 */
#include "apus.h"
#include "hot.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

static struct stat status;

/* What the last of many equal questions gives. */
static int at(const char *name) {
    int got = 0;
    for (int i = 0; i < TIMES; i++) {
        memset(&status, 0xee, sizeof status);
        got = fstatat(AT_FDCWD, name, &status, AT_SYMLINK_NOFOLLOW) ? -errno : 0;
    }
    return got;
}

static void age(const char *name) {
    struct timespec times[2] = {{100, 0}, {200, 0}};
    must("utimensat", utimensat(AT_FDCWD, name, times, 0));
}

static void files(void) {
    line("-- files");
    int fd = must("open", open("file", O_RDWR | O_CREAT, 0644)), copy = must("dup", dup(fd));
    age("file");
    fact("empty and old", at("file") == 0 && status.st_size == 0 && status.st_mtim.tv_sec == 200);
    must("write", write(fd, "one", 3));
    fact("written", at("file") == 0 && status.st_size == 3 && status.st_mtim.tv_sec > 200);
    struct iovec both[2] = {{"two", 3}, {"three", 5}};
    must("writev", writev(copy, both, 2));
    fact("longer", at("file") == 0 && status.st_size == 11);
    close(fd), close(copy);
}

static void streams(void) {
    line("-- streams");
    must("mkfifo", mkfifo("fifo", 0644));
    int fifo = must("open", open("fifo", O_RDWR | O_NONBLOCK)), pair[2], ends[2];
    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    must("pipe", pipe(ends));
    for (int round = 0; round < 3; round++) {
        age("fifo");
        fact("old", at("fifo") == 0 && status.st_mtim.tv_sec == 200);
        age("file");
        fact("another file is old", at("file") == 0 && status.st_mtim.tv_sec == 200);
        must("write to a FIFO", write(fifo, "a", 1));
        must("write to a socket", write(pair[0], "a", 1));
        must("write to a pipe", write(ends[1], "a", 1));
        fact("and stays so", at("file") == 0 && status.st_mtim.tv_sec == 200);
    }
    close(fifo), close(pair[0]), close(pair[1]), close(ends[0]), close(ends[1]);
}

/* Who reads what is written does something, and says so. */
static void others(void) {
    line("-- others");
    int there[2], back[2], wrong = 0;
    char byte;
    must("pipe", pipe(there)), must("pipe", pipe(back));
    int file = must("open", open("file", O_RDWR));
    pid_t child = must("fork", fork());
    if (child == 0) {
        close(there[1]);
        for (int mode = 0600; read(there[0], &byte, 1) == 1; mode ^= 0044) {
            fchmod(file, mode);
            if (write(back[1], "a", 1) != 1) _exit(1);
        }
        _exit(0);
    }
    for (int round = 0; round < 60; round++) {
        for (int i = 0; i < 4; i++) at("file");
        if (write(there[1], "a", 1) != 1 || read(back[0], &byte, 1) != 1) wrong++;
        if (fstatat(AT_FDCWD, "file", &status, 0) || (status.st_mode & 0777) != (round % 2 ? 0644 : 0600)) wrong++;
    }
    close(there[1]);
    int result;
    waitpid(child, &result, 0);
    number("wrong", wrong);
    number("status", result);
}

int main(void) {
    files();
    streams();
    others();
    return 0;
}
