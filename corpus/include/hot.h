/*
 * Files that are read so often that a kernel may let the process read them by itself.
 */
#ifndef APUS_HOT_H
#define APUS_HOT_H

#include "apus.h"
#include <fcntl.h>

#define TIMES 40
#define PAGE 4096

static char data[3 * PAGE];

/* Until whoever learns from use has learned. */
static void APUS_UNUSED heat(int fd) { for (int i = 0; i < TIMES; i++) if (pread(fd, data, 1, 0) < 0) return; }

/* The same for opening and closing. */
static void APUS_UNUSED heat_descriptors(void) {
    for (int i = 0; i < TIMES; i++) {
        int fd = must("open", open("file", O_RDONLY));
        must("fcntl", fcntl(fd, F_GETFD));
        must("close", close(fd));
    }
}

static int APUS_UNUSED made(const char *name, long size) {
    int fd = must("open", open(name, O_RDWR | O_CREAT | O_TRUNC, 0644));
    for (long i = 0; i < size; i++) data[i] = 'a' + i / 1000 % 26;
    must("write", write(fd, data, size));
    return fd;
}

#endif
