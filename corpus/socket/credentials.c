/*
 * summary: SO_PEERCRED tells who connected, SCM_CREDENTIALS who sent, and neither can be forged without rights
 * calls: getsockopt setsockopt sendmsg recvmsg socketpair setuid
 */
#include "apus.h"
#include <sys/socket.h>
#include <sys/uio.h>

static void receive(const char *what, int fd, pid_t expected) {
    union { char buffer[CMSG_SPACE(sizeof(struct ucred))]; struct cmsghdr align; } control;
    char data[64];
    struct iovec part = {data, sizeof data};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    message.msg_control = control.buffer;
    message.msg_controllen = sizeof control.buffer;
    long n = recvmsg(fd, &message, MSG_DONTWAIT);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (n < 0 || !header || header->cmsg_type != SCM_CREDENTIALS) {
        line("%s: %ld, no credentials", what, n);
        return;
    }
    struct ucred who;
    memcpy(&who, CMSG_DATA(header), sizeof who);
    line("%s: %ld, the pid %s, own uid %s, own gid %s", what, n, who.pid == expected ? "as expected" : "another",
         who.uid == getuid() ? "yes" : "no", who.gid == getgid() ? "yes" : "no");
}

static long claim(int fd, pid_t pid, uid_t uid) {
    union { char buffer[CMSG_SPACE(sizeof(struct ucred))]; struct cmsghdr align; } control = {{0}};
    struct ucred who = {.pid = pid, .uid = uid, .gid = getgid()};
    struct iovec part = {"claim", 5};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.buffer};
    message.msg_controllen = sizeof control.buffer;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_CREDENTIALS;
    header->cmsg_len = CMSG_LEN(sizeof who);
    memcpy(CMSG_DATA(header), &who, sizeof who);
    return sendmsg(fd, &message, 0);
}

int main(void) {
    int pair[2], on = 1;
    struct ucred who;
    socklen_t length = sizeof who;
    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    result("SO_PEERCRED of a pair", getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &who, &length));
    fact("is its maker", who.pid == getpid() && who.uid == geteuid() && who.gid == getegid());
    length = 4;
    result("with 4 bytes of room", getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &who, &length));
    number("length", length);
    receive("nothing", pair[1], 0);
    must("send", send(pair[0], "a", 1, 0));
    receive("sent before SO_PASSCRED", pair[1], 0);
    result("SO_PASSCRED", setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    must("send", send(pair[0], "b", 1, 0));
    receive("sent after it", pair[1], getpid());
    pid_t child = must("fork", fork());
    if (child == 0) {
        must("send", send(pair[0], "c", 1, 0));
        _exit(0);
    }
    wait_for(child);
    receive("by a child", pair[1], child);
    result("an honest claim", claim(pair[0], getpid(), getuid()));
    receive("arrives", pair[1], getpid());
    child = must("fork", fork());
    if (child == 0) {
        if (getuid() == 0) must("setuid", setuid(65534));
        result("claiming the parent's pid without rights", claim(pair[0], getppid(), getuid()));
        result("claiming to be root", claim(pair[0], getpid(), 0));
        _exit(0);
    }
    wait_for(child);
    result("claiming a process that does not exist", claim(pair[0], 0x3fffffff, getuid()));
    int value = 7;
    length = sizeof value;
    result("SO_PASSCRED reads back", getsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &value, &length));
    number("value", value);
    result("an unknown option", getsockopt(pair[1], SOL_SOCKET, 9999, &value, &length));
    result("an unknown level", setsockopt(pair[1], 9999, 1, &on, sizeof on));
    result("too short a value", setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, 2));
    result("a wild value", setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, WILD, 4));
    result("getsockopt with a wild length", getsockopt(pair[1], SOL_SOCKET, SO_TYPE, &value, WILD));
    return 0;
}
