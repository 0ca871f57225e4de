/*
 * summary: results and paths of every small length arrive whole, and touch nothing beside them, also at a page's end
 * calls: pread64 pwrite64 read openat newfstatat readlink symlink unlink pipe2
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

static unsigned char expected(int size, int index) { return (unsigned char)(size * 7 + index * 3 + 1); }

int main(void) {
    int fd = must("open", open("data", O_RDWR | O_CREAT, 0644));
    int ends[2];
    must("pipe", pipe(ends));
    unsigned char *pages = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return 1;
    must("munmap", munmap(pages + 4096, 4096));
    int good = 0;
    for (int size = 1; size <= 100; size++) {
        unsigned char bytes[128], got[160];
        for (int i = 0; i < size; i++) bytes[i] = expected(size, i);
        if (pwrite(fd, bytes, size, 0) != size) break;
        // In the midst of other bytes.
        memset(got, 0xee, sizeof got);
        if (pread(fd, got + 16, size, 0) != size || memcmp(got + 16, bytes, size) != 0) break;
        if (got[15] != 0xee || got[16 + size] != 0xee) break;
        // Up to the last byte that is there.
        if (pread(fd, pages + 4096 - size, size, 0) != size || memcmp(pages + 4096 - size, bytes, size) != 0) break;
        // From there.
        if (write(ends[1], pages + 4096 - size, size) != size) break;
        memset(got, 0xee, sizeof got);
        if (read(ends[0], got, 128) != size || memcmp(got, bytes, size) != 0 || got[size] != 0xee) break;
        good++;
    }
    line("transfers of %d sizes are right", good);
    result("one byte more than is there", pread(fd, pages + 4096, 1, 0));

    int paths = 0;
    for (int length = 1; length <= 80; length++) {
        char name[128], target[128], *end = (char *)pages + 4096 - length - 1;
        struct stat status;
        for (int i = 0; i < length; i++) name[i] = (char)('a' + (length + i) % 26);
        name[length] = 0;
        // The NUL is the page's last byte.
        memcpy(end, name, length + 1);
        if (symlink(name, end) != 0) break;
        memset(target, 'Z', sizeof target);
        if (readlink(end, target, sizeof target) != length || memcmp(target, name, length) != 0) break;
        if (target[length] != 'Z') break;
        if (lstat(name, &status) != 0 || status.st_size != length) break;
        if (unlink(end) != 0 || lstat(name, &status) == 0) break;
        paths++;
    }
    line("paths of %d lengths are right", paths);
    memset(pages + 4096 - 20, 'a', 20);
    result("a path that runs out of its page", open((char *)pages + 4096 - 20, O_RDONLY));
    return 0;
}
