/*
 * summary: /proc/self tells of this process: its links, descriptors, command line, environment, status and memory
 * calls: readlink openat read getdents64
 * args: first "second word"
 * env: APUS_MARK=in-the-environment
 */
#include "apus.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

static long slurp(const char *path, char *data, size_t size) {
    size_t used = 0;
    int fd = open(path, O_RDONLY);
    if (fd < 0) return -1;
    for (long n; used < size - 1 && (n = read(fd, data + used, size - 1 - used)) > 0;) used += n;
    close(fd);
    data[used] = 0;
    return used;
}

int main(int argc, char **argv) {
    static char data[65536];
    char target[512] = "", directory[512];
    struct stat status;
    long n = must("readlink", readlink("/proc/self", target, sizeof target - 1));
    target[n] = 0;
    fact("/proc/self is the pid", atoi(target) == getpid());
    n = must("readlink", readlink("/proc/self/cwd", target, sizeof target - 1));
    target[n] = 0;
    fact("cwd is getcwd's", getcwd(directory, sizeof directory) && strcmp(target, directory) == 0);
    n = must("readlink", readlink("/proc/self/root", target, sizeof target - 1));
    bytes("root", target, n);
    must("readlink", readlink("/proc/self/exe", target, sizeof target - 1));
    fact("exe is a path", target[0] == '/');

    n = slurp("/proc/self/cmdline", data, sizeof data);
    size_t first = strlen(data) + 1;
    fact("cmdline starts with argv[0]", strcmp(data, argv[0]) == 0);
    bytes("cmdline goes on", data + first, n - first);
    slurp("/proc/self/environ", data, sizeof data);
    int found = 0;
    for (char *at = data; *at; at += strlen(at) + 1) found += strcmp(at, "APUS_MARK=in-the-environment") == 0;
    number("the variable in environ", found);
    slurp("/proc/self/status", data, sizeof data);
    int pid = 0, parent = 0, threads = 0;
    char *row = strstr(data, "\nPid:"), *row2 = strstr(data, "\nPPid:"), *row3 = strstr(data, "\nThreads:");
    if (row) sscanf(row, "\nPid: %d", &pid);
    if (row2) sscanf(row2, "\nPPid: %d", &parent);
    if (row3) sscanf(row3, "\nThreads: %d", &threads);
    line("status: own pid %d, parent's %d, threads %d", pid == getpid(), parent == getppid(), threads);
    slurp("/proc/self/stat", data, sizeof data);
    char *end = strrchr(data, ')');
    char state = '?';
    if (end) sscanf(end, ") %c %d", &state, &parent);
    line("stat: state %c, parent's pid %d", state, parent == getppid());

    int fd = must("open", open("made", O_RDWR | O_CREAT, 0644)), ends[2];
    must("pipe", pipe(ends));
    must("dup2", dup2(fd, 200));
    n = must("readlink", readlink("/proc/self/fd/200", target, sizeof target - 1));
    target[n] = 0;
    char *name = strrchr(target, '/');
    text("fd/200", name ? name : target);
    snprintf(directory, sizeof directory, "/proc/self/fd/%d", ends[0]);
    must("readlink", readlink(directory, target, sizeof target));
    fact("a pipe's link", strncmp(target, "pipe:[", 6) == 0);
    must("lstat", lstat("/proc/self/fd/200", &status));
    line("a link with mode %o", status.st_mode & 07777);
    must("stat", stat("/proc/self/fd/200", &status));
    fact("that leads to the file", S_ISREG(status.st_mode));
    int count = 0, has_200 = 0;
    DIR *list = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(list));) {
        count += entry->d_name[0] != '.';
        has_200 += strcmp(entry->d_name, "200") == 0;
    }
    closedir(list);
    fact("fd lists at least our six", count >= 6 && has_200 == 1);
    result("a closed one", readlink("/proc/self/fd/99", target, sizeof target));
    slurp("/proc/self/fdinfo/200", data, sizeof data);
    fact("fdinfo has pos and flags", strstr(data, "pos:") && strstr(data, "flags:"));

    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    slurp("/proc/self/maps", data, sizeof data);
    snprintf(directory, sizeof directory, "%lx-%lx rw-p 00000000", (unsigned long)page, (unsigned long)page + 4096);
    row = strstr(data, directory);
    fact("maps has the new mapping", row != NULL);
    fact("with the file's name", row && strstr(row, "/made\n"));
    fact("and the stack", strstr(data, "[stack]") != NULL);
    snprintf(directory, sizeof directory, "/proc/self/task/%d/stat", getpid());
    outcome("task has the main thread", open(directory, O_RDONLY));
    result("a process that does not exist", open("/proc/1073741823/stat", O_RDONLY));
    fact("no new file there", open("/proc/self/new", O_RDWR | O_CREAT, 0644) == -1);
    fact("no new directory", mkdir("/proc/new", 0755) == -1);
    return argc == 3 ? 0 : 1;
}
