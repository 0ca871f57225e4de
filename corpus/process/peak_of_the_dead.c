/*
 * summary: what ended children had in memory is known to who asks for it only then
 * calls: getrusage wait4 fork
 * timeout: 40
 */
#include "apus.h"
#include "eaters.h"

int main(void) {
    struct rusage usage, before;
    /* What execve(2) has replaced counts, too: whoever started this may have been large. */
    must("getrusage", getrusage(RUSAGE_SELF, &before));
    wait_status("a child that has eaten", in_child(eat));
    must("getrusage", getrusage(RUSAGE_CHILDREN, &usage));
    is_eaten("as much is known", &usage);
    must("getrusage", getrusage(RUSAGE_SELF, &usage));
    fact("not of the parent", usage.ru_maxrss < before.ru_maxrss + (SIZE >> 11));

    int status;
    pid_t child = must("fork", fork());
    if (child == 0) have_it_eaten();
    must("wait4", wait4(child, &status, 0, &usage));
    wait_status("one whose child has eaten", status);
    is_eaten("that counts as its own", &usage);
    return 0;
}
