/*
 * summary: Unix sockets with names: bind, listen, connect, accept, their addresses, refusals and backlogs
 * calls: socket bind listen connect accept4 getsockname getpeername unlink
 */
#include "apus.h"
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static struct sockaddr_un address;

static socklen_t name(const char *path, int abstract) {
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    if (abstract) snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s.%d", path, getpid());
    else strcpy(address.sun_path, path);
    return offsetof(struct sockaddr_un, sun_path) + abstract + strlen(address.sun_path + abstract) + !abstract;
}

static int make(void) { return must("socket", socket(AF_UNIX, SOCK_STREAM, 0)); }

static void show(const char *what, int fd, int (*ask)(int, struct sockaddr *, socklen_t *)) {
    struct sockaddr_un seen;
    socklen_t length = sizeof seen;
    if (ask(fd, (struct sockaddr *)&seen, &length) != 0) {
        result(what, -1);
        return;
    }
    if (length == sizeof(sa_family_t)) line("%s: no name", what);
    else if (seen.sun_path[0] == 0) line("%s: abstract", what);
    else line("%s: %s, length %d", what, seen.sun_path, (int)length);
}

static int bind_to(int fd, socklen_t length) { return bind(fd, (struct sockaddr *)&address, length); }
static int connect_to(int fd, socklen_t length) { return connect(fd, (struct sockaddr *)&address, length); }
static int peer(int fd, struct sockaddr *seen, socklen_t *length) { return getpeername(fd, seen, length); }
static int own(int fd, struct sockaddr *seen, socklen_t *length) { return getsockname(fd, seen, length); }

static void serve(const char *what, int abstract) {
    char data[16];
    line("%s:", what);
    int listener = make(), client = make();
    socklen_t length = name("socket", abstract);
    result("connect before bind", connect_to(client, length));
    result("listen before bind", listen(listener, 5));
    result("bind", bind_to(listener, length));
    result("bind again", bind_to(listener, length));
    result("the same name for another", bind_to(make(), length));
    result("connect before listen", connect_to(client, length));
    result("listen", listen(listener, 5));
    must("fcntl", fcntl(listener, F_SETFL, O_NONBLOCK));
    result("accept without anybody, not waiting", accept(listener, NULL, NULL));
    result("connect", connect_to(client, length));
    result("connect again", connect_to(client, length));
    result("send before accept", send(client, "early", 5, 0));
    int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    outcome("accept4", server);
    result("close-on-exec", fcntl(server, F_GETFD));
    fact("not the listener's O_NONBLOCK", (fcntl(server, F_GETFL) & O_NONBLOCK) == 0);
    bytes("recv", data, recv(server, data, sizeof data, 0));
    show("the server's name", server, own);
    show("the server's peer", server, peer);
    show("the client's name", client, own);
    show("the client's peer", client, peer);
    show("the listener's peer", listener, peer);
    must("close", close(listener));
    result("connect after the listener is gone", connect_to(make(), length));
    result("the connection lives", send(server, "still", 5, 0));
    bytes("recv", data, recv(client, data, sizeof data, 0));
}

int main(void) {
    struct stat status;
    serve("a path", 0);
    must("stat", stat("socket", &status));
    fact("its file is a socket", S_ISSOCK(status.st_mode));
    result("open of it", open("socket", O_RDWR));
    result("the name stays taken", bind_to(make(), name("socket", 0)));
    must("unlink", unlink("socket"));
    result("until it is unlinked", bind_to(make(), name("socket", 0)));
    serve("an abstract name", 1);
    close(must("open", open("file", O_RDWR | O_CREAT, 0600)));
    result("connect to a file", connect_to(make(), name("file", 0)));
    result("bind below a missing directory", bind_to(make(), name("missing/socket", 0)));
    int automatic = make();
    address.sun_family = AF_UNIX;
    result("bind without a name", bind_to(automatic, sizeof(sa_family_t)));
    show("gives an abstract one", automatic, own);
    address.sun_family = AF_INET;
    result("another family", bind_to(make(), sizeof address));
    result("a wild address", bind(make(), WILD, 16));
    result("too long an address", bind(make(), (struct sockaddr *)&address, 200));
    result("listen on a connected one", listen(automatic, 1));
    int waiting = make(), third = make();
    must("bind", bind_to(waiting, name("backlog", 1)));
    socklen_t length = name("backlog", 1);
    must("listen", listen(waiting, 0));
    result("backlog 0: one may wait", connect_to(make(), length));
    must("fcntl", fcntl(third, F_SETFL, O_NONBLOCK));
    result("a second, not waiting", connect_to(third, length));
    return 0;
}
