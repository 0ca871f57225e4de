// stat(2) and its relatives of names that the kernel has told of, because they are asked for again and again, or follow one
// another in a directory that was read.
//
// The kernel takes all of that back before it does anything for anybody that could change what a name gives, so whoever could
// know of a change finds it taken back. What is out of the ordinary is the kernel's.
#include "internal.h"
#include "names.h"

#include <fcntl.h>

#define HOLD ((volatile uint32_t *)APUS_STUB_NAMES_HOLD)
#define NAMES ((volatile struct apus_names *)APUS_STUB_NAMES)

_Static_assert(sizeof(struct apus_name) == 256, "four cache lines");
_Static_assert(APUS_NAMES_HOLD_OFFSET + 4 <= APUS_HOT_OFFSET, "before the hot lines");
_Static_assert(APUS_NAMES_OFFSET >= APUS_CARDS_OFFSET + sizeof(struct apus_cards) &&
                   APUS_NAMES_OFFSET + sizeof(struct apus_names) <= APUS_CONTEXTS_SIZE,
               "the names fit behind the cards");

void apus_stub_forget_directory(uint32_t number) {
    if (number < APUS_NAME_DIRECTORIES && NAMES->directories[number]) NAMES->directories[number] = 0;
}

void apus_stub_copy_directory(uint32_t number, uint32_t copy) {
    if (number >= APUS_NAME_DIRECTORIES || copy >= APUS_NAME_DIRECTORIES) return;
    if (NAMES->directories[number]) NAMES->directories[copy] = NAMES->directories[number];
}

/// A guest's path with zeros behind it: how many bytes with its end; 0 where only the kernel knows what to make of it.
static uint32_t take(uint64_t path, uint64_t *name) {
    if (path >= APUS_STUB_BASE) return 0;
    long size = apus_stub_copy_string((char *)name, (const char *)path, APUS_NAME_WORDS * 8);
    // Not an empty one.
    if (size <= 1 || size > APUS_NAME_WORDS * 8) return 0;
    for (long i = size; i & 7; i++) ((volatile char *)name)[i] = 0;
    return (uint32_t)size;
}

static int is_same(volatile const struct apus_name *entry, const uint64_t *name, uint32_t size) {
    for (uint32_t i = 0; i < (size + 7) / 8; i++)
        if (entry->name[i] != name[i]) return 0;
    return 1;
}

int apus_stub_name_call(uint64_t from, uint64_t path, uint32_t follows, uint64_t buffer, uint64_t *result) {
    uint32_t generation = __atomic_load_n(HOLD, __ATOMIC_ACQUIRE);
    if (generation == 0 || buffer > APUS_STUB_BASE - sizeof NAMES->names[0][0].status) return 0;
    uint64_t name[APUS_NAME_WORDS];
    uint32_t size = take(path, name), directory = APUS_NAME_HERE;
    if (size == 0) return 0;
    if (*(char *)name != '/' && (int32_t)from != AT_FDCWD)
        directory = (uint32_t)from < APUS_NAME_DIRECTORIES ? NAMES->directories[(uint32_t)from] : 0;
    if (directory == 0) return 0;
    uint64_t hash = directory | (uint64_t)follows << 32;
    for (uint32_t i = 0; i < (size + 7) / 8; i++) {
        hash = (hash ^ name[i]) * APUS_NAME_FACTOR;
        hash ^= hash >> 32;
    }
    volatile struct apus_name *entry = NAMES->names[hash % APUS_NAME_SETS];
    for (int way = 0; way < APUS_NAME_WAYS; way++, entry++) {
        uint32_t version = __atomic_load_n(&entry->version, __ATOMIC_ACQUIRE);
        if (version == 0 || (version & 1) || entry->generation != generation) continue;
        if (entry->directory != directory || entry->follows != follows || entry->size != size) continue;
        if (!is_same(entry, name, size) || apus_ticks() >= entry->until) continue;
        int32_t error = entry->error;
        if (!error && apus_stub_copy((void *)buffer, (const void *)entry->status, sizeof entry->status) != 0) return 0;
        // It was true when it was copied, or the kernel says what is.
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (entry->version != version || *HOLD != generation) return 0;
        NAMES->answered++;
        *result = (uint64_t)-(int64_t)error;
        return 1;
    }
    return 0;
}

int apus_stub_name_at_call(const uint64_t *arguments, uint64_t *result) {
    // AT_SYMLINK_NOFOLLOW; AT_NO_AUTOMOUNT changes nothing.
    uint32_t flags = (uint32_t)arguments[3];
    if (flags & ~0x900u) return 0;
    return apus_stub_name_call(arguments[0], arguments[1], !(flags & 0x100), arguments[2], result);
}
