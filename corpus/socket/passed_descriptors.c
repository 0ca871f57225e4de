/*
 * summary: SCM_RIGHTS hands over open files, unread ones live on; too little room closes the rest
 * calls: sendmsg recvmsg socketpair fcntl close
 * file: secret 600 contents of the file
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

static long send_fds(int socket, const int *fds, int count, const char *data) {
    union { char buffer[CMSG_SPACE(sizeof(int) * 300)]; struct cmsghdr align; } control;
    memset(&control, 0, sizeof control);
    struct iovec part = {(char *)data, strlen(data)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.buffer};
    message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
    return syscall(SYS_sendmsg, socket, &message, 0); /* musl's wrapper has a limit of its own */
}

/* Receives with room for that many descriptors; the result is how many came. */
static int receive_fds(const char *what, int socket, int *fds, int room, int flags) {
    union { char buffer[CMSG_SPACE(sizeof(int) * 8)]; struct cmsghdr align; } control;
    char data[64];
    struct iovec part = {data, sizeof data};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.buffer};
    message.msg_controllen = room ? CMSG_LEN(sizeof(int) * room) : 0;
    long n = recvmsg(socket, &message, flags);
    int count = 0;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (n >= 0 && header && header->cmsg_type == SCM_RIGHTS) {
        count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(header), sizeof(int) * count);
    }
    line("%s: %ld bytes, %d descriptors, control truncated %d", what, n, count, !!(message.msg_flags & MSG_CTRUNC));
    return count;
}

int main(void) {
    int pair[2], ends[2], fds[8], got[8];
    char data[64];
    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    must("pipe", pipe(ends));
    int file = must("open", open("secret", O_RDONLY));
    must("lseek", lseek(file, 9, SEEK_SET));

    pid_t child = must("fork", fork());
    if (child == 0) {
        close(file);
        receive_fds("a child receives", pair[1], got, 1, MSG_CMSG_CLOEXEC);
        result("close-on-exec as asked for", fcntl(got[0], F_GETFD));
        bytes("it reads on from the shared offset", data, read(got[0], data, 4));
        _exit(0);
    }
    long sent = send_fds(pair[0], &file, 1, "take");
    wait_for(child);
    result("send the file", sent);
    result("the sender's offset moved", lseek(file, 0, SEEK_CUR));

    fds[0] = ends[0];
    must("sendmsg", send_fds(pair[0], fds, 1, "pipe"));
    must("close", close(ends[0]));
    result("the only reader is on its way: write", write(ends[1], "in flight", 9));
    receive_fds("receive", pair[1], got, 1, 0);
    bytes("read", data, read(got[0], data, sizeof data));
    close(got[0]);
    must("pipe", pipe(ends));
    for (int i = 0; i < 3; i++) fds[i] = ends[1];
    must("sendmsg", send_fds(pair[0], fds, 3, "three"));
    must("close", close(ends[1]));
    receive_fds("room for one of three", pair[1], got, 1, 0);
    must("close", close(got[0]));
    result("the others were closed: the pipe's end", read(ends[0], data, 1));
    must("pipe", pipe(ends));
    must("sendmsg", send_fds(pair[0], &ends[1], 1, "none"));
    must("close", close(ends[1]));
    receive_fds("no room at all", pair[1], got, 0, 0);
    result("closed as well: the pipe's end", read(ends[0], data, 1));
    must("pipe", pipe(ends));
    must("sendmsg", send_fds(pair[0], &ends[1], 1, "read"));
    must("close", close(ends[1]));
    result("read drops them", read(pair[1], data, 64));
    result("the pipe's end", read(ends[0], data, 1));
    must("sendmsg", send_fds(pair[0], &file, 1, "one"));
    must("send", send(pair[0], "plain", 5, 0));
    receive_fds("data behind a descriptor waits for the next call", pair[1], got, 1, 0);
    receive_fds("which is this", pair[1], got, 1, 0);
    must("sendmsg", send_fds(pair[0], &pair[1], 1, "itself"));
    receive_fds("a socket through itself", pair[1], got, 1, 0);
    result("which works", send(got[0], "back", 4, 0));
    result("recv", recv(pair[0], data, 64, 0));
    fds[0] = 99;
    result("a closed descriptor", send_fds(pair[0], fds, 1, "x"));
    int many[300];
    for (int i = 0; i < 300; i++) many[i] = file;
    result("254 descriptors", send_fds(pair[0], many, 254, "x"));
    result("253 descriptors", send_fds(pair[0], many, 253, "x"));
    return 0;
}
