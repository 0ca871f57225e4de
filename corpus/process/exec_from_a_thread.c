/*
 * summary: exec from a second thread ends the others, keeps the process's pid and its place as a child
 * calls: execve clone futex getpid gettid wait4
 */
#include "apus.h"
#include <pthread.h>

static char pid_text[20];

static void *sleeps(void *argument) {
    for (;;) pause();
    return argument;
}

static void *calls_exec(void *argument) {
    char *arguments[] = {"self", "second", pid_text, NULL};
    char *environment[] = {NULL};
    execve("/proc/self/exe", arguments, environment);
    must("execve", -1);
    return argument;
}

static void starts_threads(void) {
    pthread_t thread;
    snprintf(pid_text, sizeof pid_text, "%d", getpid());
    for (int i = 0; i < 4; i++) must("pthread_create", pthread_create(&thread, NULL, sleeps, NULL) == 0 ? 0 : -1);
    must("pthread_create", pthread_create(&thread, NULL, calls_exec, NULL) == 0 ? 0 : -1);
    for (;;) pause();
}

static void *fails_exec(void *argument) {
    char *none[] = {NULL};
    result("exec that fails in a thread", execve("/nowhere/program", none, none));
    return argument;
}

static int count_threads(void) {
    char data[4096];
    FILE *file = fopen("/proc/self/status", "r");
    int threads = -1;
    while (file && fgets(data, sizeof data, file)) sscanf(data, "Threads: %d", &threads);
    if (file) fclose(file);
    return threads;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "second") == 0) {
        fact("the pid stayed", getpid() == atoi(argv[2]));
        fact("the thread id is the pid", syscall(SYS_gettid) == getpid());
        number("threads after exec", count_threads());
        return 6;
    }
    wait_status("exec from a thread", in_child(starts_threads));
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, sleeps, NULL);
    pthread_create(&threads[1], NULL, fails_exec, NULL);
    pthread_join(threads[1], NULL);
    result("the process goes on", count_threads() > 0 ? 0 : 1);
    return 0;
}
