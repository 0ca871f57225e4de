/*
 * summary: sockets of each type have abstract names of their own, while a path belongs to one
 * calls: socket bind connect listen
 */
#include "apus.h"
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
static const char *const names[] = {"stream", "dgram", "seqpacket"};

static socklen_t fill(struct sockaddr_un *address, int abstract) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    int length = snprintf(address->sun_path + abstract, 40, "%s", abstract ? "apus-names" : "path");
    if (abstract) length += snprintf(address->sun_path + 1 + length, 20, "-%08d", getpid());
    return offsetof(struct sockaddr_un, sun_path) + length + 1;
}

static void names_of(const char *what, int abstract) {
    struct sockaddr_un address;
    socklen_t length = fill(&address, abstract);
    int fds[3];
    text("names", what);
    for (size_t i = 0; i < COUNT(types); i++) {
        int other = must("socket", socket(AF_UNIX, types[i], 0));
        line("%s", names[i]);
        result("  connect before", connect(other, (struct sockaddr *)&address, length));
        close(other);
        fds[i] = must("socket", socket(AF_UNIX, types[i], 0));
        result("  bind", bind(fds[i], (struct sockaddr *)&address, length));
        other = must("socket", socket(AF_UNIX, types[i], 0));
        result("  a second bind", bind(other, (struct sockaddr *)&address, length));
        if (types[i] != SOCK_DGRAM) result("  listen", listen(fds[i], 1));
        result("  connect", connect(other, (struct sockaddr *)&address, length));
        close(other);
    }
    close(fds[0]);
    for (size_t i = 0; i < COUNT(types); i++) {
        int other = must("socket", socket(AF_UNIX, types[i], 0));
        line("%s, when the first is closed", names[i]);
        result("  connect", connect(other, (struct sockaddr *)&address, length));
        close(other);
    }
    close(fds[1]);
    close(fds[2]);
}

int main(void) {
    names_of("abstract", 1);
    names_of("in a directory", 0);
    return 0;
}
