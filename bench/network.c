// What the measurements of servers need at 127.0.0.1.
#define _GNU_SOURCE
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in local(int port) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
}

int free_port(void) {
    struct sockaddr_in address = local(0);
    socklen_t size = sizeof address;
    int listener = (int)checked(socket(AF_INET, SOCK_STREAM, 0), "socket of AF_INET");
    checked(bind(listener, (struct sockaddr *)&address, size), "bind");
    checked(listen(listener, 1), "listen");
    checked(getsockname(listener, (struct sockaddr *)&address, &size), "getsockname");
    printf("%d\n", ntohs(address.sin_port));
    close(listener);
    return 0;
}

/// A connection for each request, since a server's accept is a good part of its work. The first may come before the
/// server does: it is tried for 10 seconds.
int get_pages(int port, int count) {
    static const char request[] = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n";
    struct sockaddr_in address = local(port);
    for (int done = 0, tries = 0; done < count;) {
        int connection = (int)checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
        if (connect(connection, (struct sockaddr *)&address, sizeof address) < 0) {
            if (done > 0 || errno != ECONNREFUSED || ++tries > 1000) fail("connect");
            close(connection);
            usleep(10000);
            continue;
        }
        char answer[4096];
        long got, size = 0;
        checked(write(connection, request, sizeof request - 1), "write");
        while ((got = checked(read(connection, answer + (size ? 16 : 0), sizeof answer - 16), "read")) > 0) size += got;
        errno = EPROTO;
        if (size < 16 || memcmp(answer, "HTTP/1.", 7) || memcmp(answer + 8, " 200", 4)) fail("the server's answer");
        close(connection);
        done++;
    }
    return 0;
}
