/*
 * summary: prctl's per-thread and per-process attributes: name, dumpable, no_new_privs, keepcaps, timer slack
 * calls: prctl open read
 */
#include "apus.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>

static void show_name(const char *what) {
    char name[17];
    memset(name, '#', sizeof name);
    name[16] = 0;
    must("prctl", prctl(PR_GET_NAME, name));
    text(what, name);
}

static void show_file(const char *what, const char *path) {
    char data[64];
    int fd = must("open", open(path, O_RDONLY));
    long n = must("read", read(fd, data, sizeof data));
    must("close", close(fd));
    bytes(what, data, n);
}

static void *other_thread(void *argument) {
    show_name("a new thread's name is its creator's");
    must("prctl", prctl(PR_SET_NAME, "other"));
    show_name("the thread's name");
    show_file("/proc/thread-self/comm", "/proc/thread-self/comm");
    show_file("/proc/self/comm is the process's", "/proc/self/comm");
    return argument;
}

static void after_no_new_privs(void) { result("no_new_privs in a child", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)); }

int main(void) {
    result("PR_SET_NAME", prctl(PR_SET_NAME, "a name that is far too long"));
    show_name("is cut to 15 bytes");
    show_file("/proc/self/comm", "/proc/self/comm");
    result("PR_SET_NAME with a wild pointer", prctl(PR_SET_NAME, WILD));
    result("PR_GET_NAME with a wild pointer", prctl(PR_GET_NAME, WILD));
    pthread_t thread;
    pthread_create(&thread, NULL, other_thread, NULL);
    pthread_join(thread, NULL);
    show_name("the first thread's name stayed");
    must("prctl", prctl(PR_SET_NAME, ""));
    show_name("an empty name");

    result("PR_GET_DUMPABLE", prctl(PR_GET_DUMPABLE));
    result("PR_SET_DUMPABLE 0", prctl(PR_SET_DUMPABLE, 0));
    result("PR_GET_DUMPABLE", prctl(PR_GET_DUMPABLE));
    result("PR_SET_DUMPABLE 2", prctl(PR_SET_DUMPABLE, 2));
    result("PR_SET_DUMPABLE 1", prctl(PR_SET_DUMPABLE, 1));
    result("PR_GET_KEEPCAPS", prctl(PR_GET_KEEPCAPS));
    result("PR_SET_KEEPCAPS 1", prctl(PR_SET_KEEPCAPS, 1));
    result("PR_GET_KEEPCAPS", prctl(PR_GET_KEEPCAPS));
    result("PR_SET_KEEPCAPS 2", prctl(PR_SET_KEEPCAPS, 2));
    result("PR_GET_NO_NEW_PRIVS", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    result("PR_SET_NO_NEW_PRIVS 0", prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
    result("PR_SET_NO_NEW_PRIVS 1, a further argument", prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
    result("PR_SET_NO_NEW_PRIVS 1", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    result("PR_GET_NO_NEW_PRIVS", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    result("back to 0", prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
    in_child(after_no_new_privs);
    result("PR_SET_TIMERSLACK", prctl(PR_SET_TIMERSLACK, 123456));
    result("PR_GET_TIMERSLACK", prctl(PR_GET_TIMERSLACK));
    result("an unknown operation", prctl(0x7fff0000));
    return 0;
}
