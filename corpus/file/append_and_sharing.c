/*
 * summary: O_APPEND writes at the end whatever the offset; dup and fork share an offset, a second open does not
 * calls: openat write pwrite64 dup dup2 dup3 fcntl fork lseek
 */
#include "apus.h"
#include <fcntl.h>

static void show(const char *what) {
    char data[64];
    int fd = must("open", open("log", O_RDONLY));
    bytes(what, data, read(fd, data, sizeof data));
    close(fd);
}

int main(void) {
    int log = must("open", open("log", O_RDWR | O_CREAT | O_APPEND, 0644));
    int plain = must("open", open("log", O_RDWR));
    result("append", write(log, "one", 3));
    result("the offset", lseek(log, 0, SEEK_CUR));
    result("to the start", lseek(log, 0, SEEK_SET));
    result("append", write(log, "two", 3));
    show("after two");
    result("a plain descriptor writes at 0", write(plain, "X", 1));
    result("pwrite to an appending one", pwrite(log, "end", 3, 0));
    show("Linux's pwrite appends as well");
    must("lseek", lseek(log, 1, SEEK_SET));
    char byte;
    must("read", read(log, &byte, 1));
    line("reading is by the offset: %c", byte);
    must("fcntl", fcntl(log, F_SETFL, 0));
    result("O_APPEND taken off, write at the offset", write(log, "_", 1));
    show("then");
    must("fcntl", fcntl(plain, F_SETFL, O_APPEND | O_RDONLY | O_CREAT | O_TRUNC));
    line("F_SETFL changes O_APPEND only: append %d, access mode %d", (fcntl(plain, F_GETFL) & O_APPEND) != 0,
         fcntl(plain, F_GETFL) & O_ACCMODE);
    result("it appends now", write(plain, "!", 1));
    show("then");

    int copy = must("dup", dup(plain));
    must("lseek", lseek(plain, 4, SEEK_SET));
    result("a dup has the same offset", lseek(copy, 0, SEEK_CUR));
    fact("and the same flags", (fcntl(copy, F_GETFL) & O_APPEND) != 0);
    pid_t child = must("fork", fork());
    if (child == 0) {
        lseek(copy, 7, SEEK_SET);
        fcntl(copy, F_SETFL, 0);
        close(copy);
        _exit(0);
    }
    wait_for(child);
    result("a child moved it", lseek(copy, 0, SEEK_CUR));
    fact("and took O_APPEND off", (fcntl(plain, F_GETFL) & O_APPEND) == 0);

    result("dup2 onto itself", dup2(plain, plain) == plain ? 0 : -1);
    result("dup2 of a closed one onto itself", dup2(99, 99));
    result("dup3 onto itself", dup3(plain, plain, 0));
    result("dup3 with an unknown flag", dup3(plain, 50, O_APPEND));
    result("dup3 close-on-exec", dup3(plain, 50, O_CLOEXEC));
    result("its flag", fcntl(50, F_GETFD));
    result("dup2 over it takes the flag away", dup2(plain, 50) == 50 ? fcntl(50, F_GETFD) : -1);
    result("dup of a closed one", dup(99));
    result("dup2 to a number too large", dup2(plain, 1 << 30));
    result("F_DUPFD from 60", fcntl(plain, F_DUPFD, 60));
    result("F_DUPFD from 60 again", fcntl(plain, F_DUPFD, 60));
    result("F_DUPFD_CLOEXEC from 70", fcntl(plain, F_DUPFD_CLOEXEC, 70));
    result("its flag", fcntl(70, F_GETFD));
    result("F_DUPFD from a number too large", fcntl(plain, F_DUPFD, 1 << 30));
    result("an unknown command", fcntl(plain, 9999, 0));
    return 0;
}
