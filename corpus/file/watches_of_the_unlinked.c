/*
 * summary: IN_EXCL_UNLINK hears nothing of what happens after the name is gone; the limits are to be read in /proc
 * calls: inotify_init1 inotify_add_watch read unlink openat write
 * file: first 644 x
 * file: second 644 x
 * file: dir/third 644 x
 * file: dir/fourth 644 x
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/inotify.h>

static void limits(void) {
    static const char *const names[] = {"max_queued_events", "max_user_instances"};
    for (size_t i = 0; i < COUNT(names); i++) {
        char path[100], digits[32] = "";
        snprintf(path, sizeof path, "/proc/sys/fs/inotify/%s", names[i]);
        int fd = must("open", open(path, O_RDONLY));
        must("read", read(fd, digits, sizeof digits - 1));
        close(fd);
        number(names[i], atol(digits));
    }
    result("max_user_watches is there", access("/proc/sys/fs/inotify/max_user_watches", R_OK));
}

static void watch(const char *what, const char *watched, const char *file, unsigned mask) {
    char events[4096];
    int inotify = must("inotify_init1", inotify_init1(IN_NONBLOCK));
    must("inotify_add_watch", inotify_add_watch(inotify, watched, mask));
    int fd = must("open", open(file, O_RDWR));
    must("write", write(fd, "1", 1));
    must("unlink", unlink(file));
    must("write", write(fd, "22", 2));
    close(fd);
    text("watched", what);
    long length = read(inotify, events, sizeof events);
    for (long at = 0; at < length;) {
        struct inotify_event *event = (struct inotify_event *)(events + at);
        line("%x %s", event->mask, event->len ? event->name : "");
        at += sizeof *event + event->len;
    }
    close(inotify);
}

int main(void) {
    unsigned mask = IN_MODIFY | IN_OPEN | IN_CLOSE | IN_DELETE | IN_DELETE_SELF | IN_ATTRIB;
    limits();
    watch("a file", "first", "first", mask);
    watch("a file, IN_EXCL_UNLINK", "second", "second", mask | IN_EXCL_UNLINK);
    watch("a directory", "dir", "dir/third", mask);
    watch("a directory, IN_EXCL_UNLINK", "dir", "dir/fourth", mask | IN_EXCL_UNLINK);
    return 0;
}
