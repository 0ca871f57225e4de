/*
 * summary: a stream pair: byte order both ways, peek, wait-all, shutdown, non-blocking, close and SIGPIPE
 * calls: socketpair sendto recvfrom shutdown read write getsockopt ioctl
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int main(void) {
    int pair[2], waiting, value;
    socklen_t length = sizeof value;
    char data[64];
    static char big[1 << 20];
    result("socketpair", socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
    result("close-on-exec", fcntl(pair[0], F_GETFD));
    must("getsockopt", getsockopt(pair[0], SOL_SOCKET, SO_TYPE, &value, &length));
    fact("SO_TYPE is a stream", value == SOCK_STREAM);
    must("getsockopt", getsockopt(pair[0], SOL_SOCKET, SO_DOMAIN, &value, &length));
    fact("SO_DOMAIN is AF_UNIX", value == AF_UNIX);
    result("send", send(pair[0], "hello ", 6, 0));
    result("write", write(pair[0], "world", 5));
    must("ioctl", ioctl(pair[1], FIONREAD, &waiting));
    number("FIONREAD", waiting);
    result("peek", recv(pair[1], data, 3, MSG_PEEK));
    result("read joins the writes", read(pair[1], data, sizeof data));
    bytes("data", data, 11);
    result("recv without waiting", recv(pair[1], data, 1, MSG_DONTWAIT));
    result("the other way", send(pair[1], "back", 4, 0));
    result("recv", recv(pair[0], data, 2, 0));
    result("recv", recv(pair[0], data, 64, 0));
    pid_t child = must("fork", fork());
    if (child == 0) {
        for (int i = 0; i < 5; i++) {
            must("send", send(pair[0], "abcd", 4, 0));
            usleep(500);
        }
        _exit(0);
    }
    result("MSG_WAITALL", recv(pair[1], data, 20, MSG_WAITALL));
    wait_for(child);
    result("no bytes are no end", send(pair[0], "", 0, 0));
    result("recv without waiting", recv(pair[1], data, 1, MSG_DONTWAIT));

    must("fcntl", fcntl(pair[0], F_SETFL, O_NONBLOCK));
    long sent = 0;
    for (long n; (n = send(pair[0], big, sizeof big, 0)) > 0;) sent += n;
    text("a full one", errno_name(errno));
    fact("it took some", sent > 4096);
    must("fcntl", fcntl(pair[0], F_SETFL, 0));
    must("shutdown", shutdown(pair[0], SHUT_WR));
    long received = 0;
    for (long n; (n = recv(pair[1], big, sizeof big, 0)) > 0;) received += n;
    fact("all of it arrives before the end", received == sent);
    result("write after shutdown", send(pair[0], "x", 1, MSG_NOSIGNAL));
    result("the other direction still works", send(pair[1], "ok", 2, 0));
    result("recv", recv(pair[0], data, 64, 0));
    result("shutdown of reading", shutdown(pair[0], SHUT_RD));
    result("recv", recv(pair[0], data, 64, 0));
    result("sending to it", send(pair[1], "x", 1, MSG_NOSIGNAL));
    result("an unknown shutdown", shutdown(pair[0], 7));

    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    must("send", send(pair[0], "unread", 6, 0));
    must("close", close(pair[1]));
    result("its peer closed with data unread: send", send(pair[0], "x", 1, MSG_NOSIGNAL));
    result("recv", recv(pair[0], data, 64, 0));
    result("recv once more", recv(pair[0], data, 64, 0));
    child = must("fork", fork());
    if (child == 0) {
        signal(SIGPIPE, SIG_DFL);
        send(pair[0], "x", 1, 0);
        _exit(0);
    }
    wait_status("send without MSG_NOSIGNAL", wait_for(child));
    result("an odd protocol", socketpair(AF_UNIX, SOCK_STREAM, 5, pair));
    result("an unknown type", socketpair(AF_UNIX, 77, 0, pair));
    result("an unknown family", socketpair(77, SOCK_STREAM, 0, pair));
    result("a wild result", socketpair(AF_UNIX, SOCK_STREAM, 0, WILD));
    result("recv of a file", recv(must("open", open("f", O_RDWR | O_CREAT, 0600)), data, 1, 0));
    result("send to a closed descriptor", send(99, data, 1, 0));
    return 0;
}
