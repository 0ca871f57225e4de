/*
 * summary: RLIMIT_NPROC stops forks and threads of a user without rights with EAGAIN, and frees a place at each end
 * calls: prlimit64 setuid fork clone3 wait4
 */
#include "apus.h"
#include <pthread.h>

static void *waits(void *argument) {
    for (;;) pause();
    return argument;
}

static void crowd(void) {
    struct rlimit limit = {10, 10};
    must("setrlimit", setrlimit(RLIMIT_NPROC, &limit));
    if (getuid() == 0) must("setuid", setuid(200000 + getpid()));
    pid_t children[100];
    int count = 0;
    for (; count < 100; count++) {
        children[count] = fork();
        if (children[count] == 0)
            for (;;) pause();
        if (children[count] < 0) break;
    }
    number("children beside ourselves", count);
    result("the next fork", fork());
    pthread_t thread;
    returned("a thread", pthread_create(&thread, NULL, waits, NULL));
    result("vfork", vfork());
    kill(children[0], SIGKILL);
    wait_status("one is killed", wait_for(children[0]));
    children[0] = fork();
    if (children[0] == 0) _exit(4);
    outcome("there is room for one", children[0]);
    wait_status("it", wait_for(children[0]));
    returned("or for a thread", pthread_create(&thread, NULL, waits, NULL));
    result("not for both", fork());
    for (int i = 1; i < count; i++) {
        kill(children[i], SIGKILL);
        wait_for(children[i]);
    }
    pid_t child = fork();
    if (child == 0) _exit(5);
    wait_status("with all of them gone", wait_for(child));
}

static void bomb(void) {
    struct rlimit limit = {20, 20};
    must("setrlimit", setrlimit(RLIMIT_NPROC, &limit));
    if (getuid() == 0) must("setuid", setuid(200000 + getpid()));
    must("setpgid", setpgid(0, 0));
    int made = 0;
    for (int i = 0; i < 1000; i++) {
        pid_t child = fork();
        if (child == 0) {
            for (;;)
                if (fork() < 0) pause();
        }
        if (child < 0) break;
        made++;
    }
    fact("a fork bomb is stopped by its limit", made >= 1 && made < 20);
    kill(0, SIGKILL);
}

int main(void) {
    if (getuid() != 0) {
        line("not root: nothing to see");
        return 0;
    }
    wait_status("the crowd", in_child(crowd));
    wait_status("the bomb", in_child(bomb));
    return 0;
}
