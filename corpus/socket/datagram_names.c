/*
 * summary: named datagram sockets: sendto, the sender's name, connect and reconnect, refusals, time-outs
 * calls: socket bind sendto recvfrom connect setsockopt
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

static struct sockaddr_un one = {.sun_family = AF_UNIX, .sun_path = "one"};
static struct sockaddr_un two = {.sun_family = AF_UNIX, .sun_path = "two"};

static long send_to(int fd, struct sockaddr_un *address, const char *data) {
    return sendto(fd, data, strlen(data), MSG_DONTWAIT, (struct sockaddr *)address, sizeof *address);
}

static void receive(const char *what, int fd) {
    char data[64];
    struct sockaddr_un from = {.sun_path = "untouched"};
    socklen_t length = sizeof from;
    long n = recvfrom(fd, data, sizeof data, MSG_DONTWAIT, (struct sockaddr *)&from, &length);
    if (n < 0) {
        result(what, n);
        return;
    }
    line("%s: %ld, from %s", what, n, length <= sizeof(sa_family_t) ? "(no name)" : from.sun_path);
}

int main(void) {
    int a = must("socket", socket(AF_UNIX, SOCK_DGRAM, 0)), b = must("socket", socket(AF_UNIX, SOCK_DGRAM, 0));
    int c = must("socket", socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    must("bind", bind(a, (struct sockaddr *)&one, sizeof one));
    result("to a missing name", send_to(b, &two, "x"));
    result("without an address", send(b, "x", 1, 0));
    result("without a name of its own", send_to(b, &one, "anonymous"));
    receive("arrives", a);
    must("bind", bind(b, (struct sockaddr *)&two, sizeof two));
    result("with a name", send_to(b, &one, "named"));
    receive("arrives", a);
    result("connect", connect(a, (struct sockaddr *)&two, sizeof two));
    result("send to the peer", send(a, "to two", 6, 0));
    receive("arrives", b);
    result("a stranger to a connected one", send_to(c, &one, "x"));
    result("the peer may", send_to(b, &one, "peer"));
    receive("arrives", a);
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    result("connect to AF_UNSPEC dissolves it", connect(a, &none, sizeof none));
    result("send without a peer", send(a, "x", 1, 0));
    result("a stranger may again", send_to(c, &one, "stranger"));
    receive("arrives", a);
    must("close", close(b));
    result("to a closed one", send_to(a, &two, "x"));
    result("connect to a closed one", connect(a, (struct sockaddr *)&two, sizeof two));
    result("listen", listen(a, 1));
    result("accept", accept(a, NULL, NULL));
    int stream = must("socket", socket(AF_UNIX, SOCK_STREAM, 0));
    result("a stream to a datagram's name", connect(stream, (struct sockaddr *)&one, sizeof one));
    struct timeval millisecond = {0, 1000}, seen, bad = {0, 1000000};
    socklen_t length = sizeof seen;
    result("SO_RCVTIMEO", setsockopt(a, SOL_SOCKET, SO_RCVTIMEO, &millisecond, sizeof millisecond));
    result("recv after a millisecond", recv(a, &seen, 1, 0));
    must("getsockopt", getsockopt(a, SOL_SOCKET, SO_RCVTIMEO, &seen, &length));
    fact("it reads back as at least that", seen.tv_sec == 0 && seen.tv_usec >= 1000);
    result("too many microseconds", setsockopt(a, SOL_SOCKET, SO_RCVTIMEO, &bad, sizeof bad));
    result("recv on a stream without a peer", recv(stream, &seen, 1, 0));
    result("send on it", send(stream, "x", 1, MSG_NOSIGNAL));
    result("an address too short", sendto(a, "x", 1, 0, (struct sockaddr *)&one, 1));
    result("a wild address", sendto(a, "x", 1, 0, WILD, 20));
    result("out of band", send(a, "x", 1, MSG_OOB));
    return 0;
}
