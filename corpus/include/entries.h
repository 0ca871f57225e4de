/*
 * What getdents64(2) gives: `struct linux_dirent64` of its manual page.
 */
#ifndef APUS_ENTRIES_H
#define APUS_ENTRIES_H

#include <stdint.h>

struct entry {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

#endif
