/*
 * summary: wait4 tells what a zombie and its children had in memory, though nobody has asked before
 * calls: wait4 waitid
 * timeout: 40
 */
#include "apus.h"
#include "eaters.h"

/* Its end is known before anybody asks for more. */
static pid_t ended(void (*what)(void)) {
    siginfo_t info;
    pid_t child = must("fork", fork());
    if (child == 0) what();
    must("waitid", waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
    return child;
}

int main(void) {
    struct rusage usage;
    int status;
    pid_t eater = ended(eat), parent = ended(have_it_eaten);
    must("wait4", wait4(eater, &status, 0, &usage));
    wait_status("a child that has eaten", status);
    is_eaten("as much is known", &usage);
    must("wait4", wait4(parent, &status, 0, &usage));
    wait_status("one whose child has eaten", status);
    is_eaten("that counts as its own", &usage);
    return 0;
}
