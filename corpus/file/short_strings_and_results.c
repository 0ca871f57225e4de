/*
 * summary: strings and results of every small size, up to the edge of what is mapped, for calls of few and of many arguments
 * calls: newfstatat openat unlink access readlink read write rename
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PAGE 4096
#define LONGEST 80

/* A string of `count` bytes without its NUL that ends where its page does, and so its mapping. */
static char *edge;
static char *at_edge(const char *text) {
    size_t size = strlen(text) + 1;
    return memcpy(edge + PAGE - size, text, size);
}

/* A path of `count` bytes to `name` in the working directory, which is shorter. */
static const char *path(int count, const char *name) {
    static char text[LONGEST + 1];
    int room = count - (int)strlen(name), at = 0;
    for (; room - at >= 2; at += 2) memcpy(text + at, "./", 2);
    /* One more slash where one byte is left. */
    if (at < room) {
        if (at == 0) return NULL;
        text[at++] = '/';
    }
    strcpy(text + at, name);
    return text;
}

int main(void) {
    edge = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (edge == MAP_FAILED) return 99;
    must("munmap", munmap(edge + PAGE, PAGE));
    int good = 0, tried = 0;
    struct stat status;
    for (int count = 1; count <= LONGEST; count++) {
        const char *name = path(count, "f");
        if (!name) continue;
        tried++;
        char kept[LONGEST + 1];
        strcpy(kept, name);
        char *there = at_edge(kept);
        int fd = open(there, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (fd < 0) continue;
        good += write(fd, edge, (size_t)count) == count && stat(there, &status) == 0 && status.st_size == count;
        good += access(there, R_OK) == 0 && stat(path(count, "g") ? path(count, "g") : "g", &status) < 0 && errno == ENOENT;
        const char *other = path(count, "h");
        if (!other) other = "h";
        good += rename(there, other) == 0 && access(there, F_OK) < 0 && errno == ENOENT;
        good += unlink(at_edge(other)) == 0 && unlink(at_edge(other)) < 0 && errno == ENOENT;
        close(fd);
    }
    fact("paths of every length", tried > 70 && good == 4 * tried);

    /* No NUL before the end of what is mapped. */
    good = 0;
    for (int count = 1; count <= LONGEST; count++) {
        memset(edge + PAGE - count, '/', (size_t)count);
        good += stat(edge + PAGE - count, &status) < 0 && errno == EFAULT;
        good += unlink(edge + PAGE - count) < 0 && errno == EFAULT;
        good += open(edge + PAGE - count, O_RDONLY) < 0 && errno == EFAULT;
    }
    fact("strings without an end are EFAULT", good == 3 * LONGEST);
    result("stat(\"\")", stat("", &status));
    result("stat(NULL)", stat(NOTHING, &status));
    result("unlink of what is nowhere", unlink(WILD));

    /* Results of every small size: all of them, and nothing beside them. */
    int ends[2];
    must("pipe", pipe(ends));
    good = 0;
    for (int count = 1; count <= LONGEST; count++) {
        char sent[LONGEST], got[LONGEST + 2];
        for (int i = 0; i < count; i++) sent[i] = (char)(count * 7 + i);
        memset(got, 0x55, sizeof got);
        good += write(ends[1], sent, (size_t)count) == count && read(ends[0], got + 1, LONGEST) == count;
        good += memcmp(got + 1, sent, (size_t)count) == 0 && got[0] == 0x55 && got[count + 1] == 0x55;
        /* Up to the edge; and one byte too near to it, where the byte before may come or not. */
        good += write(ends[1], sent, (size_t)count) == count && read(ends[0], edge + PAGE - count, (size_t)count) == count;
        good += memcmp(edge + PAGE - count, sent, (size_t)count) == 0;
        good += write(ends[1], sent, 1) == 1 && read(ends[0], edge + PAGE, 1) < 0 && errno == EFAULT;
        while (read(ends[0], got, (size_t)1) != 1);
    }
    fact("results of every small size", good == 5 * LONGEST);

    good = 0;
    for (int count = 1; count <= LONGEST; count++) {
        char target[LONGEST + 1], got[LONGEST + 2];
        for (int i = 0; i < count; i++) target[i] = (char)('a' + i % 26);
        target[count] = 0;
        memset(got, 0x55, sizeof got);
        good += symlink(target, "link") == 0 && readlink("link", got + 1, LONGEST) == count;
        good += memcmp(got + 1, target, (size_t)count) == 0 && got[0] == 0x55 && got[count + 1] == 0x55;
        good += readlink("link", edge + PAGE - 1, 1) == 1 && edge[PAGE - 1] == 'a';
        good += readlink("link", WILD, 1) < 0 && errno == EFAULT && unlink("link") == 0;
    }
    fact("links of every small size", good == 4 * LONGEST);

    /* The string and the result in one place. */
    union { char text[sizeof(struct stat)]; struct stat status; } both;
    strcpy(both.text, "/");
    must("stat", (int)syscall(SYS_newfstatat, AT_FDCWD, &both, &both, 0));
    fact("a result over its own path", S_ISDIR(both.status.st_mode));
    return 0;
}
