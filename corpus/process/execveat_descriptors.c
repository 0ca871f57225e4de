/*
 * summary: execveat by directory, by descriptor alone, and with AT_SYMLINK_NOFOLLOW
 * calls: execveat
 * file: dir/script.sh 755 #!/bin/sh\nexit 14\n
 */
#include "apus.h"
#include <fcntl.h>

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

static void run(const char *what, int fd, const char *path, int flags) {
    pid_t child = must("fork", fork());
    if (child == 0) {
        char *arguments[] = {"zero", "-c", "exit 15", NULL};
        char *environment[] = {NULL};
        syscall(SYS_execveat, fd, path, arguments, environment, flags);
        result(what, -1);
        _exit(99);
    }
    wait_status(what, wait_for(child));
}

int main(void) {
    int dir = must("open", open("dir", O_RDONLY | O_DIRECTORY));
    int root = must("open", open("/bin", O_PATH | O_CLOEXEC));
    int shell = must("open", open("/bin/sh", O_RDONLY | O_CLOEXEC));
    int shell_path = must("open", open("/bin/sh", O_PATH));
    int script = must("open", open("dir/script.sh", O_RDONLY));
    int closing = must("open", open("dir/script.sh", O_RDONLY | O_CLOEXEC));
    must("symlink", symlink("dir/script.sh", "link"));

    run("a script below a directory", dir, "script.sh", 0);
    run("a program below an O_PATH directory", root, "sh", 0);
    run("an absolute path needs no directory", -1, "/bin/sh", 0);
    run("AT_FDCWD", AT_FDCWD, "dir/script.sh", 0);
    run("an open program, AT_EMPTY_PATH", shell, "", AT_EMPTY_PATH);
    run("an O_PATH program, AT_EMPTY_PATH", shell_path, "", AT_EMPTY_PATH);
    run("an open script, AT_EMPTY_PATH", script, "", AT_EMPTY_PATH);
    run("a close-on-exec script, AT_EMPTY_PATH", closing, "", AT_EMPTY_PATH);
    run("the empty path without the flag", shell, "", 0);
    run("a closed descriptor", 99, "script.sh", 0);
    run("a closed descriptor, AT_EMPTY_PATH", 99, "", AT_EMPTY_PATH);
    run("a file in place of the directory", script, "script.sh", 0);
    run("a symbolic link", AT_FDCWD, "link", 0);
    run("a symbolic link, AT_SYMLINK_NOFOLLOW", AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW);
    run("an unknown flag", AT_FDCWD, "link", 0x40000);
    run("a directory, AT_EMPTY_PATH", dir, "", AT_EMPTY_PATH);
    return 0;
}
