/*
 * summary: MADV_DONTNEED and MADV_FREE of the same memory, again and again, while what it is changes between
 * calls: madvise mlock munlock mprotect munmap mmap mremap fork
 */
#include "apus.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { page = 4096, pages = 16 };

static char *place;

static void drop(const char *what) {
    errno = 0;
    result(what, madvise(place, pages * page, MADV_DONTNEED));
}

static void again(const char *what) {
    drop(what);
    drop(what);
}

static void see(const char *what, int index) { line("%s: byte %d is %d", what, index, place[index * page]); }

static char *map(void *where, int length, int flags, int fd) {
    char *got = mmap(where, length, PROT_READ | PROT_WRITE, flags, fd, 0);
    must("mmap", got == MAP_FAILED ? -1 : 0);
    return got;
}

static void *uses_stack(void *argument) {
    volatile char room[40960];
    long sum = 0;
    memset((void *)room, (long)argument, sizeof room);
    for (size_t i = 0; i < sizeof room; i += page) sum += room[i];
    return (void *)sum;
}

int main(void) {
    int fd = must("open", open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
    must("ftruncate", ftruncate(fd, pages * page));
    for (int i = 0; i < pages; i++) must("pwrite", pwrite(fd, "f", 1, i * page));
    char *room = map(NULL, 256 * page, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    must("munmap", munmap(room, 256 * page));
    place = map(room + 64 * page, pages * page, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1);
    for (int i = 0; i < 40; i++) {
        memset(place, 'a' + i % 26, pages * page);
        if (madvise(place + i % 8 * page, 8 * page - i % 3, i % 2 ? MADV_DONTNEED : MADV_FREE)) number("failed", i);
        if (i % 2 && place[i % 8 * page]) number("not dropped", i);
        if (place[(i % 8 + 8) * page] != 'a' + i % 26 && i % 8 != 0) number("dropped too much", i);
    }
    again("plain");
    place[3 * page] = 'x';
    must("mlock", mlock(place + 3 * page, page));
    again("a page is locked");
    see("locked", 3);
    must("munlock", munlock(place + 3 * page, page));
    again("it is not");
    see("not locked", 3);
    place[5 * page] = 'p';
    must("mprotect", mprotect(place + 5 * page, page, PROT_NONE));
    again("a page without rights");
    must("mprotect", mprotect(place + 5 * page, page, PROT_READ | PROT_WRITE));
    see("has rights again", 5);

    map(place + 4 * page, 2 * page, MAP_PRIVATE | MAP_FIXED, fd);
    strcpy(place + 4 * page, "mine");
    again("a file's pages, private");
    see("the file's", 4);
    map(place + 6 * page, page, MAP_SHARED | MAP_FIXED, fd);
    place[6 * page] = 's';
    again("a file's page, shared");
    see("the file's, as written", 6);
    must("munmap", munmap(place + 8 * page, page));
    again("a hole");
    map(place, pages * page, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1);
    place[8 * page] = 'h';
    again("all new");
    see("new", 8);
    char *moved = mremap(place, pages * page, pages * page, MREMAP_MAYMOVE | MREMAP_FIXED, place + 64 * page);
    must("mremap", moved == MAP_FAILED ? -1 : 0);
    again("moved away");
    place = moved;
    again("where it went");
    map(place, pages * page, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1);
    strcpy(place, "shared");
    again("shared memory");
    line("not lost: %s", place);
    errno = 0;
    result("MADV_FREE of it", madvise(place, page, MADV_FREE));
    map(place, pages * page, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1);
    again("private again");
    must("mlockall", mlockall(MCL_FUTURE));
    map(place, pages * page, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1);
    again("locked from the beginning");
    must("munlockall", munlockall());
    again("and not any more");

    /* In a child, whose memory is a copy. */
    place[0] = 'c';
    int status = 1;
    pid_t child = fork();
    if (child == 0) {
        int failed = madvise(place, page, MADV_DONTNEED) || place[0] != 0;
        must("mlock", mlock(place, page));
        failed |= madvise(place, page, MADV_DONTNEED) == 0;
        _exit(failed);
    }
    waitpid(child, &status, 0);
    number("the child", status);
    see("the parent's", 0);

    /* Odd arguments. */
    errno = 0;
    result("not at a page", madvise(place + 1, page, MADV_DONTNEED));
    errno = 0;
    result("nothing", madvise(place, 0, MADV_DONTNEED));
    errno = 0;
    result("too much", madvise(place, -page, MADV_DONTNEED));
    errno = 0;
    result("unknown", madvise(place, page, 77));

    long good = 0;
    for (long i = 1; i <= 50; i++) {
        pthread_t thread;
        void *sum = NULL;
        must("pthread_create", -pthread_create(&thread, NULL, uses_stack, (void *)i));
        pthread_join(thread, &sum);
        good += (long)sum == i * 10;
    }
    number("stacks", good);
    return 0;
}
