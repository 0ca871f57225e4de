/*
 * summary: descriptors that were read very often: every change of what a number means, by the process, its children and execve
 * calls: pread64 close dup2 dup3 close_range fcntl fork vfork execve
 */
#include "apus.h"
#include "hot.h"
#include <fcntl.h>

static void numbers(void) {
    line("-- numbers");
    int first = made("first", 5000), second = made("second", 10), other = must("dup", dup(first));
    must("pwrite", pwrite(second, "second", 6, 0));
    heat(first);
    must("dup2", dup2(second, first));
    result("pread after dup2", pread(first, data, 6, 0));
    bytes("got", data, 6);
    heat(first);
    heat(other);
    must("close", close(first));
    result("pread after close", pread(first, data, 6, 0));
    result("pread of the other", pread(other, data, 3, 0));
    bytes("got", data, 3);
    fact("the number is given again", open("second", O_WRONLY) == first);
    result("pread of what is open for writing", pread(first, data, 6, 0));
    heat(other);
    must("dup3", dup3(second, other, O_CLOEXEC));
    result("pread after dup3", pread(other, data, 6, 0));
    bytes("got", data, 6);
    heat(other);
    must("close_range", syscall(SYS_close_range, other, other, 0));
    result("pread after close_range", pread(other, data, 6, 0));
    heat(second);
    must("unlink", unlink("second"));
    result("pread of the unlinked", pread(second, data, 6, 0));
    bytes("got", data, 6);
    must("fcntl", fcntl(second, F_SETFL, O_APPEND));
    result("pread of what appends", pread(second, data, 6, 0));
    close(second);
    result("pread after close", pread(second, data, 6, 0));
    close(first);
}

static void processes(void) {
    line("-- processes");
    int fd = made("shared", 5000), status;
    heat(fd);
    pid_t child = must("fork", fork());
    if (child == 0) {
        heat(fd);
        result("the child's pread", pread(fd, data, 2, 1000));
        must("pwrite", pwrite(fd, "child", 5, 0));
        close(fd);
        result("the child's pread after close", pread(fd, data, 2, 0));
        _exit(0);
    }
    must("waitpid", waitpid(child, &status, 0));
    result("the parent's pread", pread(fd, data, 5, 0));
    bytes("got", data, 5);
    heat(fd);
    child = must("vfork", vfork());
    if (child == 0) {
        close(fd);
        syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
        long got = pread(fd, data, 5, 0);
        _exit(got == 0 ? 7 : 8);
    }
    must("waitpid", waitpid(child, &status, 0));
    wait_status("a child in the same memory with descriptors of its own", status);
    result("the parent's pread", pread(fd, data, 5, 0));
    bytes("got", data, 5);
    close(fd);
}

int main(int count, char **arguments) {
    if (count > 1) {
        int fd = atoi(arguments[1]), gone = atoi(arguments[2]);
        result("pread after execve", pread(fd, data, 4, 0));
        bytes("got", data, 4);
        heat(fd);
        result("pread again", pread(fd, data, 4, 4999));
        result("pread of what closes", pread(gone, data, 4, 0));
        return 0;
    }
    numbers();
    processes();
    line("-- execve");
    int fd = made("kept", 5000), gone = must("open", open("kept", O_RDONLY | O_CLOEXEC));
    heat(fd), heat(gone);
    char first[16], second[16];
    snprintf(first, sizeof first, "%d", fd);
    snprintf(second, sizeof second, "%d", gone);
    execl("/proc/self/exe", arguments[0], first, second, (char *)0);
    return 1;
}
