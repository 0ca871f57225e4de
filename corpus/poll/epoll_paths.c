/*
 * summary: how many ways may lead from a file to epolls above it, by how deep they nest, in whichever order they are made
 * calls: epoll_create1 epoll_ctl epoll_wait eventfd2 dup close
 */
#include "apus.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int create(void) { return (int)must("epoll_create1", epoll_create1(0)); }

static long add(int to, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 7};
    return epoll_ctl(to, EPOLL_CTL_ADD, fd, &event);
}

static int tops[700], count;

/* As many as may stand on it, which wait for nothing else. */
static void crown(const char *what, int below, int most) {
    long failure = 0;
    for (count = 0; count < most && failure == 0; count++) {
        tops[count] = create();
        failure = add(tops[count], below);
        if (failure != 0) result(what, failure), close(tops[count--]);
    }
    number(what, count);
}

static void uncrown(void) {
    while (count > 0) close(tops[--count]);
}

int main(void) {
    struct epoll_event events[4];
    int file = must("eventfd", eventfd(0, EFD_NONBLOCK));
    crown("right above the file", file, 600);
    uncrown();
    int chain[5];
    for (int depth = 0; depth < 4; depth++) {
        chain[depth] = create();
        must("epoll_ctl", add(chain[depth], depth > 0 ? chain[depth - 1] : file));
        char what[64];
        snprintf(what, sizeof what, "above %d", depth + 1);
        crown(what, chain[depth], 600);
        must("write", write(file, &(uint64_t){1}, 8));
        result("the first and the last hear", epoll_wait(tops[0], events, 4, 0) + epoll_wait(tops[count - 1], events, 4, 0));
        must("read", read(file, &(uint64_t){0}, 8));
        result("nobody", epoll_wait(tops[0], events, 4, 0));
        result("one more file below", add(chain[0], must("dup", dup(file))));
        uncrown();
        result("one more file below fewer", add(chain[0], must("dup", dup(file))));
    }

    /* The file last, and a mesh first. */
    int level[3][24];
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 24; k++) level[i][k] = create();
    long made = 0;
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 24; k++)
            for (int m = 0; m < 24; m++) made += add(level[i][k], level[i + 1][m]) == 0;
    number("a mesh of epolls", made);
    int other = must("eventfd", eventfd(1, EFD_NONBLOCK));
    result("a file below all of it", add(level[2][0], other));
    result("a file in the midst of it", add(level[1][0], other));
    result("nobody hears of the one below", epoll_wait(level[1][1], events, 4, 0));
    result("above the other they do", epoll_wait(level[0][1], events, 4, 0));
    for (int k = 0; k < 20; k++) close(level[1][k]);
    result("below a part of it", add(level[2][0], other));
    result("again", add(level[2][0], other));
    result("which is heard of above", epoll_wait(level[0][0], events, 4, 0));
    result("a loop", add(level[2][0], level[0][0]));
    result("the mesh upon the file again", add(create(), level[0][0]));

    /* Pieces that nest as deep as may be, put together from the midst. */
    int lower[3] = {create(), create(), create()}, upper[3] = {create(), create(), create()};
    result("a lower one", add(lower[0], lower[1]) + add(lower[1], lower[2]));
    result("an upper one", add(upper[0], upper[1]) + add(upper[1], upper[2]));
    result("upon each other they are too deep", add(upper[2], lower[0]));
    result("without the top", close(upper[0]));
    result("they are not", add(upper[2], lower[0]));
    result("round about", add(lower[2], upper[1]));
    result("straight round", add(lower[0], upper[2]));
    return 0;
}
