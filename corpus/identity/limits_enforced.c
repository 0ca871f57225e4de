/*
 * summary: RLIMIT_NOFILE bounds descriptors, RLIMIT_FSIZE sends SIGXFSZ or gives EFBIG
 * calls: setrlimit dup open pipe2 socketpair write ftruncate fcntl
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static volatile int signals;

static void handler(int number) { signals += number == SIGXFSZ; }

static void files(void) {
    struct rlimit limit = {30, 30};
    int opened = 0, pair[2], spare = dup(0);
    close(spare);
    must("setrlimit", setrlimit(RLIMIT_NOFILE, &limit));
    while (dup(0) >= 0) opened++;
    text("the next dup", errno_name(errno));
    fact("all numbers below the limit are used", spare + opened == 30);
    result("open", open("/dev/null", O_RDONLY));
    result("pipe", pipe(pair));
    result("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    result("epoll_create1", epoll_create1(0));
    result("eventfd", eventfd(0, 0));
    result("dup2 to the limit", dup2(0, 30));
    result("dup2 below it", dup2(0, 29));
    result("F_DUPFD from below", fcntl(0, F_DUPFD, 3));
    result("F_DUPFD from the limit", fcntl(0, F_DUPFD, 30));
    result("creating a file makes none", open("never", O_RDWR | O_CREAT, 0600));
    result("it is not there", access("never", F_OK));
    close(29);
    result("with one free, open", open("/dev/null", O_RDONLY));
    close(29);
    result("with one free, pipe", pipe(pair));
    result("leaves it free: dup", dup(0));
}

static void size(void) {
    struct rlimit limit = {1000, 1000};
    char data[600] = "";
    must("setrlimit", setrlimit(RLIMIT_FSIZE, &limit));
    handle(SIGXFSZ, handler, 0);
    int fd = must("open", open("file", O_RDWR | O_CREAT, 0600));
    result("write of 600", write(fd, data, 600));
    result("write of 600 is cut", write(fd, data, 600));
    number("SIGXFSZ", signals);
    result("write at the limit", write(fd, data, 1));
    number("SIGXFSZ", signals);
    result("pwrite beyond it", pwrite(fd, data, 1, 5000));
    number("SIGXFSZ", signals);
    result("ftruncate beyond it", ftruncate(fd, 1001));
    number("SIGXFSZ", signals);
    result("ftruncate up to it", ftruncate(fd, 1000));
    result("fallocate beyond it", fallocate(fd, 0, 0, 2000));
    number("SIGXFSZ", signals);
    result("inside", pwrite(fd, data, 600, 0));
    int ends[2];
    must("pipe", pipe(ends));
    result("a pipe has no such limit", write(ends[1], data, 600) + write(ends[1], data, 600));
    signal(SIGXFSZ, SIG_DFL);
    no_core();
    (void)!pwrite(fd, data, 1, 1000);
    line("survived");
}

int main(void) {
    wait_status("files", in_child(files));
    wait_status("size", in_child(size));
    return 0;
}
