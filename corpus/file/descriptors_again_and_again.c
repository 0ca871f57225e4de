/*
 * summary: descriptors that were opened, copied and closed very often: numbers, flags, attributes
 * calls: close fcntl dup2 newfstatat fstat openat close_range lseek
 */
#include "apus.h"
#include "hot.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

static int listed(const char *place) {
    int count = 0;
    DIR *all = opendir(place);
    if (!all) return -1;
    while (readdir(all)) count++;
    closedir(all);
    return count;
}

static void numbers(void) {
    line("-- numbers");
    int before = listed("/proc/self/fd"), first = must("open", open("file", O_RDONLY)), copies[12];
    fact("a copy has the lowest number", fcntl(first, F_DUPFD, 0) == first + 1);
    fact("the next the next", fcntl(first, F_DUPFD_CLOEXEC, 0) == first + 2);
    fact("or what it asks for", fcntl(first, F_DUPFD, 40) == 40);
    fact("or what comes then", fcntl(first, F_DUPFD, 40) == 41);
    result("flag of a copy", fcntl(first + 1, F_GETFD));
    result("flag of one that closes", fcntl(first + 2, F_GETFD));
    result("set", fcntl(first + 1, F_SETFD, FD_CLOEXEC));
    result("flag then", fcntl(first + 1, F_GETFD));
    result("set with other bits", fcntl(first + 2, F_SETFD, 6));
    result("flag then", fcntl(first + 2, F_GETFD));
    result("close", close(first));
    result("close again", close(first));
    result("flag of what is closed", fcntl(first, F_GETFD));
    result("status flags of what is closed", fcntl(first, F_GETFL));
    result("read of what is closed", read(first, data, 1));
    result("read of its copy", read(first + 1, data, 1));
    fact("the number is given again", fcntl(first + 1, F_DUPFD, 0) == first);
    fact("position is shared", lseek(first, 0, SEEK_CUR) == 1 && lseek(first + 1, 5, SEEK_SET) == 5 && lseek(first, 0, SEEK_CUR) == 5);
    result("copy of nothing", fcntl(77, F_DUPFD, 0));
    result("copy beyond all", fcntl(first, F_DUPFD, 1 << 30));
    result("copy before all", fcntl(first, F_DUPFD, -1));
    result("close of nothing", close(-1));
    result("close of nothing", close(300));
    result("no command", fcntl(first, 99, 0));
    for (int i = 0; i < 12; i++) copies[i] = fcntl(first, F_DUPFD, 20);
    fact("twelve in a row", copies[0] == 20 && copies[11] == 31);
    for (int i = 0; i < 12; i++) close(copies[i]);
    fact("and none", fcntl(25, F_GETFD) == -1 && errno == EBADF);
    must("dup2", dup2(first, 25));
    result("flag of a second", fcntl(25, F_GETFD));
    fact("over one that was closed and opened", dup2(first + 1, 25) == 25);
    syscall(SYS_close_range, 25, 41, 0);
    result("after close_range", fcntl(25, F_GETFD));
    close(first), close(first + 1), close(first + 2);
    fact("as many as before", listed("/proc/self/fd") == before);
}

static void flags(void) {
    line("-- flags");
    int fd = must("open", open("file", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)), other = fcntl(fd, F_DUPFD, 0);
    fact("status flags", (fcntl(fd, F_GETFL) & ~0100000) == (O_RDONLY | O_NONBLOCK | O_NOFOLLOW));
    result("set", fcntl(fd, F_SETFL, O_APPEND));
    fact("those of the copy", (fcntl(other, F_GETFL) & ~0100000) == (O_RDONLY | O_APPEND | O_NOFOLLOW));
    heat_descriptors();
    int status;
    pid_t child = must("fork", fork());
    if (child == 0) { heat_descriptors(); _exit(fcntl(fd, F_SETFL, O_NONBLOCK) != 0); }
    must("waitpid", waitpid(child, &status, 0));
    fact("a child has changed them", (fcntl(other, F_GETFL) & ~0100000) == (O_RDONLY | O_NONBLOCK | O_NOFOLLOW));
    int place = must("open", open("file", O_PATH)), pipes[2];
    fact("of a place", (fcntl(place, F_GETFL) & O_PATH) != 0);
    must("pipe", pipe(pipes));
    fact("of a pipe", fcntl(pipes[0], F_GETFL) == O_RDONLY && fcntl(pipes[1], F_GETFL) == O_WRONLY);
    close(pipes[1]);
    result("a pipe without writers", read(pipes[0], data, 1));
    close(pipes[0]), close(place), close(fd), close(other);
}

static void attributes(void) {
    line("-- attributes");
    struct stat status, named;
    int fd = must("open", open("file", O_RDONLY)), writer;
    must("fstat", fstat(fd, &status));
    must("stat", stat("file", &named));
    fact("those of the file", !memcmp(&status, &named, sizeof status));
    close(fd);
    result("of what is closed", fstat(fd, &status));
    fd = must("open", open("file", O_RDONLY));
    result("to nowhere", syscall(SYS_fstat, fd, NOTHING));
    result("to the kernel", syscall(SYS_newfstatat, fd, "", KERNEL_ADDRESS, AT_EMPTY_PATH));
    fd = (close(fd), must("open", open("file", O_RDONLY)));
    result("of no path", syscall(SYS_newfstatat, fd, "", data, 0));
    result("of a path that is not there", syscall(SYS_newfstatat, fd, WILD, data, AT_EMPTY_PATH));
    fd = (close(fd), must("open", open("file", O_RDONLY)));
    result("of an empty path", syscall(SYS_newfstatat, fd, "", data, AT_EMPTY_PATH));
    result("of a path", syscall(SYS_newfstatat, fd, "a", data, AT_EMPTY_PATH));
    writer = must("open", open("file", O_WRONLY | O_APPEND));
    fd = (close(fd), must("open", open("file", O_RDONLY)));
    off_t size = (fstat(fd, &status), status.st_size);
    must("write", write(writer, "more", 4));
    fact("after a write", !fstat(fd, &status) && status.st_size == size + 4);
    fd = (close(fd), must("open", open("file", O_RDONLY)));
    must("chmod", fchmod(writer, 0600));
    fact("after a change of modes", !fstat(fd, &status) && (status.st_mode & 0777) == 0600);
    fd = (close(fd), must("open", open("file", O_RDONLY)));
    close(fd);
    fact("another number takes its place", open("directory", O_RDONLY) == fd && !fstat(fd, &status) && S_ISDIR(status.st_mode));
    close(fd), close(writer);
}

int main(void) {
    int fd = must("open", open("file", O_RDWR | O_CREAT, 0644));
    must("write", write(fd, "0123456789", 10));
    close(fd);
    must("mkdir", mkdir("directory", 0700));
    heat_descriptors();
    numbers();
    heat_descriptors();
    flags();
    heat_descriptors();
    attributes();
    return 0;
}
