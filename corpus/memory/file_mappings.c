/*
 * summary: shared mappings and file calls see each other at once; private ones keep their copies; closed files stay
 * calls: mmap msync pwrite pread ftruncate munmap fork
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

int main(void) {
    char data[8] = "";
    struct stat status;
    int both = PROT_READ | PROT_WRITE;
    int fd = must("open", open("file", O_RDWR | O_CREAT, 0600));
    must("ftruncate", ftruncate(fd, 8192));
    char *one = mmap(NULL, 8192, both, MAP_SHARED, fd, 0);
    char *two = mmap(NULL, 4096, both, MAP_SHARED, fd, 4096);
    char *private = mmap(NULL, 8192, both, MAP_PRIVATE, fd, 0);

    strcpy(one, "mapped");
    must("pread", pread(fd, data, 6, 0));
    bytes("what the mapping wrote, by pread", data, 6);
    must("pwrite", pwrite(fd, "called", 6, 4096));
    bytes("what pwrite wrote, in the other mapping", two, 6);
    bytes("and in the private one, untouched so far", private + 4096, 6);
    strcpy(private + 4096, "own");
    bytes("the private copy", private + 4096, 4);
    bytes("the file's", two, 6);
    must("pwrite", pwrite(fd, "newer!", 6, 4096));
    bytes("the private copy after another write", private + 4096, 4);
    one[4096] = 'N';
    bytes("through two mappings", two, 6);

    pid_t child = must("fork", fork());
    if (child == 0) {
        strcpy(one + 100, "by the child");
        strcpy(private + 100, "child's own");
        _exit(0);
    }
    wait_for(child);
    bytes("a child's write, shared", one + 100, 12);
    number("a child's write, private", private[300]);
    bytes("the file's under the private mapping", private + 100, 12);

    result("msync MS_SYNC", msync(one, 8192, MS_SYNC));
    result("msync MS_ASYNC", msync(one, 8192, MS_ASYNC));
    result("msync of both", msync(one, 8192, MS_SYNC | MS_ASYNC));
    result("msync of an odd address", msync(one + 1, 4096, MS_SYNC));
    result("msync of an unknown flag", msync(one, 4096, 8));
    must("close", close(fd));
    must("rename", rename("file", "renamed"));
    strcpy(one + 200, "after close");
    must("munmap", munmap(two, 4096));
    fd = must("open", open("renamed", O_RDONLY));
    must("pread", pread(fd, data, 5, 200));
    bytes("written after close and rename", data, 5);
    must("unlink", unlink("renamed"));
    must("fstat", fstat(fd, &status));
    number("links", status.st_nlink);
    strcpy(one + 300, "no name");
    must("pread", pread(fd, data, 7, 300));
    bytes("written after unlink", data, 7);
    must("munmap", munmap(one + 4096, 4096));
    result("msync over a hole", msync(one, 8192, MS_SYNC));
    return 0;
}
