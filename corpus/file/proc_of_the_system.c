/*
 * summary: /proc shows sockets of AF_UNIX, locks, the loopback, and what a process has read and written
 * calls: open read write socket bind listen flock prctl
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* How many rows of a file hold the word; the last of them in `row`. */
static int count(const char *path, const char *word, char *row, int size) {
    int found = 0;
    char next[512];
    FILE *file = fopen(path, "r");
    if (!file) return -1;
    while (fgets(next, sizeof next, file))
        if (strstr(next, word)) found++, snprintf(row, size, "%.*s", (int)strcspn(next, "\n"), next);
    fclose(file);
    return found;
}

static long value(const char *path, const char *word) {
    char row[512] = "";
    if (count(path, word, row, sizeof row) != 1) return -1;
    return atol(row + strlen(word));
}

int main(void) {
    char row[512] = "", word[64];
    struct stat status;
    fact("net is a link", lstat("/proc/net", &status) == 0 && S_ISLNK(status.st_mode));
    fact("the loopback", count("/proc/net/dev", "lo:", row, sizeof row) >= 1);
    fact("the head of tcp", count("/proc/net/tcp", "local_address", row, sizeof row) == 1);
    fact("the head of unix", count("/proc/net/unix", "RefCount", row, sizeof row) == 1);
    int listener = must("socket", socket(AF_UNIX, SOCK_STREAM, 0));
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "listener-here"};
    must("bind", bind(listener, (struct sockaddr *)&address, sizeof address));
    must("listen", listen(listener, 1));
    number("rows of the listener", count("/proc/net/unix", "listener-here", row, sizeof row));
    unsigned references, protocol, flags, type, state;
    if (sscanf(row, "%*s %x %x %x %x %x", &references, &protocol, &flags, &type, &state) == 5)
        line("it has references %u, protocol %u, flags %x, type %u, state %u", references, protocol, flags, type, state);
    int file = must("open", open("locked", O_RDWR | O_CREAT, 0600));
    must("flock", flock(file, LOCK_EX));
    must("fstat", fstat(file, &status));
    snprintf(word, sizeof word, ":%lu 0 EOF", (unsigned long)status.st_ino);
    number("rows of the lock", count("/proc/locks", word, row, sizeof row));
    fact("it is a FLOCK for writing", strstr(row, "FLOCK  ADVISORY  WRITE") != NULL);
    long written = value("/proc/self/io", "wchar: "), writes = value("/proc/self/io", "syscw: ");
    char text_[1000] = "";
    must("write", write(file, text_, 1000));
    number("written", value("/proc/self/io", "wchar: ") - written);
    number("in writes", value("/proc/self/io", "syscw: ") - writes);
    long got = value("/proc/self/io", "rchar: ");
    must("lseek", lseek(file, 0, SEEK_SET));
    must("read", read(file, text_, 1000));
    fact("read", value("/proc/self/io", "rchar: ") - got >= 1000);
    must("prctl", prctl(PR_SET_TIMERSLACK, 12345));
    number("timer slack", value("/proc/self/timerslack_ns", ""));
    int filter = must("open coredump_filter", open("/proc/self/coredump_filter", O_RDWR));
    result("write coredump_filter", write(filter, "0x7\n", 4));
    fact("coredump_filter", count("/proc/self/coredump_filter", "00000007", row, sizeof row) == 1);
    return 0;
}
