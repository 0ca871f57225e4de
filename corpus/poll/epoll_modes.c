/*
 * summary: epoll: level and edge, one-shot, several events, modification and removal, dup and close
 * calls: epoll_create1 epoll_ctl epoll_wait epoll_pwait
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/epoll.h>

static int epoll;

static long control(int operation, int fd, unsigned events, int data) {
    struct epoll_event event = {.events = events, .data.u32 = data};
    return epoll_ctl(epoll, operation, fd, &event);
}

static void show(const char *what) {
    struct epoll_event events[8];
    char out[256] = "";
    int n = epoll_wait(epoll, events, 8, 0);
    for (int pass = 0; pass < 10; pass++)
        for (int i = 0; i < n; i++)
            if ((int)events[i].data.u32 == pass)
                snprintf(out + strlen(out), sizeof out - strlen(out), " %u:%s%s%s%s", events[i].data.u32,
                         events[i].events & EPOLLIN ? "IN" : "", events[i].events & EPOLLOUT ? "OUT" : "",
                         events[i].events & EPOLLHUP ? "HUP" : "", events[i].events & EPOLLERR ? "ERR" : "");
    line("%s: %d%s", what, n, out);
}

int main(void) {
    int one[2], two[2];
    char data[16];
    must("pipe", pipe2(one, O_NONBLOCK));
    must("pipe", pipe2(two, O_NONBLOCK));
    epoll = must("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    result("close-on-exec", fcntl(epoll, F_GETFD));
    result("add, level", control(EPOLL_CTL_ADD, one[0], EPOLLIN, 1));
    result("add, edge", control(EPOLL_CTL_ADD, two[0], EPOLLIN | EPOLLET, 2));
    result("add again", control(EPOLL_CTL_ADD, one[0], EPOLLIN, 1));
    show("nothing yet");
    must("write", write(one[1], "abc", 3));
    must("write", write(two[1], "abc", 3));
    show("both");
    show("the edge is told once");
    must("write", write(two[1], "d", 1));
    show("new data is a new edge");
    must("read", read(two[0], data, 2));
    show("a partial read is none");
    must("read", read(one[0], data, 16));
    show("the level is empty");
    must("write", write(one[1], "x", 1));
    result("modify to one-shot", control(EPOLL_CTL_MOD, one[0], EPOLLIN | EPOLLONESHOT, 3));
    show("one shot");
    must("write", write(one[1], "y", 1));
    show("then silence");
    result("armed again", control(EPOLL_CTL_MOD, one[0], EPOLLIN | EPOLLONESHOT, 4));
    show("one shot");
    result("modifying an edge tells it again", control(EPOLL_CTL_MOD, two[0], EPOLLIN | EPOLLET, 5));
    show("the edge");
    result("remove", control(EPOLL_CTL_DEL, two[0], 0, 0));
    result("remove again", control(EPOLL_CTL_DEL, two[0], 0, 0));
    result("modify what is not there", control(EPOLL_CTL_MOD, two[0], EPOLLIN, 5));
    result("modify to level", control(EPOLL_CTL_MOD, one[0], EPOLLIN, 6));
    result("a writing end", control(EPOLL_CTL_ADD, two[1], EPOLLOUT, 7));
    show("both kinds");
    must("close", close(one[1]));
    show("its writer left");
    result("no events asked for", control(EPOLL_CTL_MOD, one[0], 0, 6));
    show("hang-up comes anyway");
    int copy = must("dup", dup(one[0]));
    must("close", close(one[0]));
    show("the open file lives on in a dup");
    must("close", close(copy));
    show("until that is closed");
    must("close", close(two[0]));
    show("no reader");

    result("a file", control(EPOLL_CTL_ADD, must("open", open("file", O_RDWR | O_CREAT, 0600)), EPOLLIN, 1));
    result("itself", control(EPOLL_CTL_ADD, epoll, EPOLLIN, 1));
    result("a closed descriptor", control(EPOLL_CTL_ADD, 99, EPOLLIN, 1));
    result("an unknown operation", control(9, two[1], EPOLLIN, 1));
    result("a wild event", epoll_ctl(epoll, EPOLL_CTL_MOD, two[1], WILD));
    result("on a pipe", epoll_ctl(two[1], EPOLL_CTL_ADD, two[1], WILD));
    struct epoll_event event = {.events = EPOLLIN};
    result("on a pipe, with an event", epoll_ctl(two[1], EPOLL_CTL_ADD, epoll, &event));
    result("wait for 0 events", epoll_wait(epoll, &event, 0, 0));
    result("wait for -1", syscall(SYS_epoll_wait, epoll, &event, -1, 0));
    result("wait into a wild buffer", epoll_wait(epoll, WILD, 1, 0));
    result("wait on a pipe", epoll_wait(two[1], &event, 1, 0));
    result("epoll_create of 0", epoll_create(0));
    result("epoll_create1 with an unknown flag", epoll_create1(1));
    return 0;
}
