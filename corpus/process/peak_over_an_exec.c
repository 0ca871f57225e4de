/*
 * summary: what a process had in memory at most counts for it over an execve, also what it had given back before
 * calls: execve getrusage wait4 vfork
 * timeout: 40
 */
#include "apus.h"
#include "eaters.h"

static void become(const char *what) {
    execl("/proc/self/exe", "peak", what, NULL);
    _exit(2);
}

static void is_waited_for(const char *what, pid_t child) {
    struct rusage usage;
    int status;
    must("wait4", wait4(child, &status, 0, &usage));
    wait_status(what, status);
    is_eaten("it counts as its own", &usage);
}

int main(int count, char **words) {
    struct rusage usage;
    if (count > 1) {
        if (words[1][0] == 'q') return 0;
        must("getrusage", getrusage(RUSAGE_SELF, &usage));
        is_eaten("the new program knows it", &usage);
        return 0;
    }
    pid_t child = must("fork", fork());
    if (child == 0) {
        eaten();
        become("quiet");
    }
    is_waited_for("one that had it when it became another", child);
    child = must("fork", fork());
    if (child == 0) {
        munmap(eaten(), EATEN);
        become("asks");
    }
    is_waited_for("one that had given it back", child);
    char *memory = eaten();
    child = must("vfork", vfork());
    if (child == 0) become("quiet");
    is_waited_for("one that has used its parent's memory", child);
    must("munmap", munmap(memory, EATEN));
    return 0;
}
