/*
 * summary: /proc/self/fdinfo tells of counters, timers, signals, watches and epolls what they hold
 * calls: open eventfd2 timerfd_create signalfd4 inotify_init1 epoll_create1 pidfd_open flock
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

/* Prints the rows of a descriptor's fdinfo that begin with the words, without inodes and devices. */
static void rows(int fd, const char *words) {
    char path[64], row[256];
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    FILE *file = fopen(path, "r");
    if (!file) { text(words, "none"); return; }
    while (fgets(row, sizeof row, file)) {
        if (strncmp(row, words, strlen(words)) != 0) continue;
        char *inode = strstr(row, " ino:");
        char *mask = strstr(row, " mask:");
        if (mask) mask[strcspn(mask + 1, " ") + 1] = 0;
        if (inode) *inode = 0;
        row[strcspn(row, "\n")] = 0;
        line("%s%s", row, mask ? mask : "");
    }
    fclose(file);
}

int main(void) {
    int counter = must("eventfd", eventfd(26, EFD_SEMAPHORE));
    rows(counter, "eventfd-count");
    rows(counter, "eventfd-semaphore");
    int timer = must("timerfd_create", timerfd_create(CLOCK_MONOTONIC, 0));
    rows(timer, "clockid");
    rows(timer, "ticks");
    rows(timer, "it_value");
    struct itimerspec never = {.it_interval = {7, 5}};
    never.it_value.tv_sec = 1l << 40;
    must("timerfd_settime", timerfd_settime(timer, TFD_TIMER_ABSTIME, &never, NULL));
    rows(timer, "settime flags");
    rows(timer, "it_interval");
    sigset_t set;
    sigemptyset(&set), sigaddset(&set, SIGUSR1), sigaddset(&set, SIGTERM);
    rows(must("signalfd", signalfd(-1, &set, 0)), "sigmask");
    int watcher = must("inotify_init", inotify_init());
    must("inotify_add_watch", inotify_add_watch(watcher, ".", IN_CREATE | IN_DELETE));
    must("inotify_add_watch", inotify_add_watch(watcher, "/", IN_OPEN));
    rows(watcher, "inotify");
    int epoll = must("epoll_create1", epoll_create1(0));
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = 0xabc};
    must("dup2", dup2(counter, 100));
    must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, 100, &event));
    rows(epoll, "tfd");
    return 0;
}
