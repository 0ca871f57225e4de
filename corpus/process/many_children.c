/*
 * summary: 64 children at once, 300 one after the other: each is waited for once, with its own status
 * calls: fork wait4 exit
 */
#include "apus.h"

int main(void) {
    int gate[2], statuses[64] = {0}, strangers = 0;
    pid_t pids[64];
    must("pipe", pipe(gate));
    for (int i = 0; i < 64; i++) {
        pids[i] = must("fork", fork());
        if (pids[i] == 0) {
            char byte;
            close(gate[1]);
            _exit(read(gate[0], &byte, 1) == 0 ? i : 255);
        }
    }
    close(gate[1]);
    int waited = 0, status;
    for (pid_t pid; (pid = waitpid(-1, &status, 0)) > 0; waited++) {
        int i = 0;
        while (i < 64 && pids[i] != pid) i++;
        if (i < 64 && WIFEXITED(status) && WEXITSTATUS(status) == i) statuses[i]++;
        else strangers++;
    }
    int once = 0;
    for (int i = 0; i < 64; i++) once += statuses[i] == 1;
    number("children waited for", waited);
    number("children seen once with their own status", once);
    number("others", strangers);
    int good = 0;
    for (int i = 0; i < 300; i++) {
        pid_t child = must("fork", fork());
        if (child == 0) _exit(i % 200);
        good += waitpid(-1, &status, 0) == child && WEXITSTATUS(status) == i % 200;
    }
    number("good ones of 300 in a row", good);
    int depth_pipe[2];
    must("pipe", pipe(depth_pipe));
    pid_t child = must("fork", fork());
    if (child == 0) {
        int depth = 1;
        while (depth < 20) {
            pid_t next = must("fork", fork());
            if (next != 0) {
                int inner = wait_for(next);
                _exit(WEXITSTATUS(inner));
            }
            depth++;
        }
        must("write", write(depth_pipe[1], &depth, sizeof depth));
        _exit(depth);
    }
    int depth = 0;
    must("read", read(depth_pipe[0], &depth, sizeof depth));
    number("generations", depth);
    wait_status("the status that came up through all of them", wait_for(child));
    return 0;
}
