/*
 * summary: F_CREATED_QUERY tells whether this very open made the file
 * calls: fcntl openat dup
 * file: there 644 x
 */
#include "apus.h"
#include <fcntl.h>

#ifndef F_CREATED_QUERY
#define F_CREATED_QUERY 1028
#endif

static void ask(const char *what, int fd) {
    result(what, fcntl(fd, F_CREATED_QUERY, 0));
    if (fd >= 0) close(fd);
}

int main(void) {
    ask("of a file that was there", open("there", O_RDWR));
    ask("O_CREAT of one that was there", open("there", O_RDWR | O_CREAT, 0644));
    int fd = must("open", open("new", O_RDWR | O_CREAT, 0644));
    ask("of a copy of the descriptor of a new one", dup(fd));
    ask("of a new one", fd);
    ask("the same again", open("new", O_RDWR | O_CREAT, 0644));
    ask("O_EXCL", open("other", O_WRONLY | O_CREAT | O_EXCL, 0644));
    ask("O_TMPFILE", open(".", O_RDWR | O_TMPFILE, 0600));
    ask("a directory", open(".", O_RDONLY));
    ask("a closed descriptor", 99);
    return 0;
}
