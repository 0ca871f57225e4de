/*
 * summary: sendfile, copy_file_range and splice move bytes with the right offsets, ends and errnos
 * calls: sendfile copy_file_range splice tee pipe2
 * file: source 644 0123456789abcdefghij
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

static void show(const char *what, int fd) {
    char data[64];
    bytes(what, data, pread(fd, data, sizeof data, 0));
}

int main(void) {
    char data[64];
    int ends[2], more[2], pair[2];
    int source = must("open", open("source", O_RDWR)), target = must("open", open("target", O_RDWR | O_CREAT, 0644));
    int append = must("open", open("target", O_RDWR | O_APPEND)), reader = must("open", open("source", O_RDONLY));
    must("pipe", pipe(ends));
    must("pipe", pipe(more));
    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    off_t offset = 5;
    result("sendfile at an offset", sendfile(target, source, &offset, 4));
    number("the offset", offset);
    result("the source's own", lseek(source, 0, SEEK_CUR));
    result("the target's", lseek(target, 0, SEEK_CUR));
    result("sendfile without one", sendfile(target, source, NULL, 3));
    result("the source's own", lseek(source, 0, SEEK_CUR));
    show("target", target);
    result("more than there is", sendfile(pair[0], source, NULL, 1000));
    bytes("through a socket", data, read(pair[1], data, sizeof data));
    result("at the end", sendfile(target, source, NULL, 10));
    offset = -1;
    result("at a negative offset", sendfile(target, source, &offset, 10));
    result("to a read-only descriptor", sendfile(reader, source, NULL, 10));
    result("from a pipe", sendfile(target, ends[0], NULL, 10));
    offset = 0;
    result("with a wild offset", sendfile(target, source, WILD, 10));

    off64_t from = 10, to = 2;
    must("ftruncate", ftruncate(target, 0));
    result("copy_file_range", copy_file_range(source, &from, target, &to, 5, 0));
    line("offsets %ld and %ld", (long)from, (long)to);
    show("target", target);
    result("past the end", copy_file_range(source, &from, target, &to, 100, 0));
    result("at the end", copy_file_range(source, &from, target, &to, 100, 0));
    from = 0, to = 2;
    result("overlapping in one file", copy_file_range(source, &from, source, &to, 5, 0));
    to = 10;
    result("not overlapping", copy_file_range(source, &from, source, &to, 3, 0));
    show("source", source);
    result("with a flag", copy_file_range(source, NULL, target, NULL, 5, 1));
    result("to an appending one", copy_file_range(source, NULL, append, NULL, 5, 0));
    result("from a pipe", copy_file_range(ends[0], NULL, target, NULL, 5, 0));
    result("to a read-only one", copy_file_range(source, NULL, reader, NULL, 5, 0));

    loff_t at = 1;
    result("splice of a file into a pipe", splice(source, &at, ends[1], NULL, 4, 0));
    number("the offset", at);
    result("tee into another", tee(ends[0], more[1], 3, 0));
    result("splice from pipe to pipe", splice(more[0], NULL, ends[1], NULL, 2, 0));
    bytes("the pipe holds", data, read(ends[0], data, sizeof data));
    bytes("the other", data, read(more[0], data, sizeof data));
    must("write", write(ends[1], "PIPED", 5));
    at = 0;
    result("splice into a file", splice(ends[0], NULL, target, &at, 100, 0));
    show("target", target);
    result("splice of an empty pipe, not waiting", splice(ends[0], NULL, target, &at, 1, SPLICE_F_NONBLOCK));
    result("splice between two files", splice(source, NULL, target, NULL, 1, 0));
    result("with an offset for the pipe", splice(source, &at, ends[1], &at, 1, 0));
    result("into its own pipe", splice(ends[0], NULL, ends[1], NULL, 1, SPLICE_F_NONBLOCK));
    result("to an appending file", splice(ends[0], NULL, append, NULL, 1, SPLICE_F_NONBLOCK));
    result("an unknown flag", splice(source, NULL, ends[1], NULL, 1, 0x100));
    return 0;
}
