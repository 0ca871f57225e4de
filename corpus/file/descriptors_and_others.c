/*
 * summary: descriptors that were opened and closed very often: children, programs, locks, watches, limits
 * calls: close fcntl fork vfork execve flock inotify_add_watch epoll_wait prlimit64
 */
#include "apus.h"
#include "hot.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>

static void others(char *program) {
    line("-- others");
    int fd = must("open", open("file", O_RDONLY)), kept, status;
    char name[64], number[16];
    heat_descriptors();
    close(fd);
    pid_t child = must("fork", fork());
    if (child == 0) _exit(fcntl(fd, F_GETFD) == -1 && errno == EBADF ? 0 : 1);
    must("waitpid", waitpid(child, &status, 0));
    wait_status("a child without what was closed", status);
    fd = must("open", open("file", O_RDONLY));
    kept = fcntl(fd, F_DUPFD, 50);
    child = must("fork", fork());
    if (child == 0) _exit(fcntl(kept, F_GETFD) == 0 ? 0 : 1);
    must("waitpid", waitpid(child, &status, 0));
    wait_status("a child with a copy", status);
    child = must("vfork", vfork());
    if (child == 0) { close(kept), fcntl(fd, F_SETFD, FD_CLOEXEC); _exit(0); }
    must("waitpid", waitpid(child, &status, 0));
    result("what a child in the same memory has closed", fcntl(kept, F_GETFD));
    heat_descriptors();
    result("flag of the other", fcntl(fd, F_GETFD));
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    child = must("fork", fork());
    if (child == 0) {
        snprintf(number, sizeof number, "%d", fd);
        snprintf(name, sizeof name, "%d", kept);
        execl("/proc/self/exe", program, number, name, (char *)0);
        _exit(9);
    }
    must("waitpid", waitpid(child, &status, 0));
    wait_status("a program", status);
    close(fd);
    fd = must("open", open("file", O_RDONLY));
    heat_descriptors();
    must("flock", flock(fd, LOCK_EX));
    int ready[2];
    must("pipe", pipe(ready));
    child = must("fork", fork());
    if (child == 0) {
        close(fd), close(kept);
        int own = open("file", O_RDONLY);
        must("write", write(ready[1], "r", 1));
        _exit(flock(own, LOCK_EX) ? 1 : 0);
    }
    must("read", read(ready[0], data, 1));
    close(fd);
    must("waitpid", waitpid(child, &status, 0));
    wait_status("a child gets the lock of what is closed", status);
    close(ready[0]), close(ready[1]), close(kept);
}

static void watched(void) {
    line("-- watched");
    int fd = must("open", open("file", O_RDONLY)), watch = must("inotify", inotify_init1(IN_NONBLOCK));
    heat_descriptors();
    must("watch", inotify_add_watch(watch, "file", IN_CLOSE_NOWRITE));
    close(fd);
    struct pollfd ready = {watch, POLLIN, 0};
    result("heard of", poll(&ready, 1, 0));
    fact("read", read(watch, data, sizeof data) > 0);
    heat_descriptors();
    result("heard of", poll(&ready, 1, 0));
    close(watch);
    heat_descriptors();
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = must("epoll", epoll_create1(0)), mounts = must("mounts", open("/proc/self/mounts", O_RDONLY));
    must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, mounts, &event));
    for (int i = 0; i < TIMES; i++) epoll_wait(epoll, &event, 1, 0);
    result("a generated file is ready", epoll_wait(epoll, &event, 1, 0));
    close(mounts);
    result("closed, it is not", epoll_wait(epoll, &event, 1, 0));
    close(epoll);
}

static void limited(void) {
    line("-- limited");
    heat_descriptors();
    int fd = must("open", open("file", O_RDONLY));
    struct rlimit limit = {fd + 2, fd + 2};
    must("setrlimit", setrlimit(RLIMIT_NOFILE, &limit));
    fact("the last", fcntl(fd, F_DUPFD, 0) == fd + 1);
    result("one more", fcntl(fd, F_DUPFD, 0));
    result("beyond", fcntl(fd, F_DUPFD, fd + 2));
    for (int i = 0; i < TIMES; i++) fcntl(fd, F_GETFD);
    close(fd + 1);
    fact("the last again", fcntl(fd, F_DUPFD, 0) == fd + 1);
    result("one more", fcntl(fd, F_DUPFD, 0));
    result("beyond", fcntl(fd, F_DUPFD, fd + 2));
}

int main(int count, char **arguments) {
    if (count > 1) {
        int closed = fcntl(atoi(arguments[1]), F_GETFD), kept = fcntl(atoi(arguments[2]), F_GETFD);
        return closed == -1 && kept == 0 ? 0 : 1;
    }
    int fd = must("open", open("file", O_RDWR | O_CREAT, 0644));
    must("write", write(fd, "0123456789", 10));
    close(fd);
    heat_descriptors();
    others(arguments[0]);
    watched();
    limited();
    return 0;
}
