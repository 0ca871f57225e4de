#define _GNU_SOURCE
#include "chost.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Says which call the filter has refused, and ends the process: whoever made it is not what was reviewed.
static void on_refused_call(int signal, siginfo_t *info, void *context) {
    (void)context;
    char text[160] = "apus-kernel: ended: it made host call ";
    size_t length = strlen(text);
    // SYS_SECCOMP; anybody may send the signal itself.
    if (signal != SIGSYS || info->si_code != 1) return;
    unsigned number = (unsigned)info->si_syscall;
    char digits[12];
    int count = 0;
    do digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    while (count) text[length++] = digits[--count];
    const char *rest = ", which is not in its list (docs/host-calls.md); please report this\n";
    memcpy(text + length, rest, strlen(rest));
    length += strlen(rest);
    apus_host_call(SYS_write, 2, (unsigned long)text, length, 0, 0, 0);
    for (;;) apus_host_call(SYS_exit_group, 125, 0, 0, 0, 0, 0);
}

void apus_host_report_refused_calls(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_refused_call;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSYS, &action, NULL);
}
