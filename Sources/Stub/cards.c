// Calls on descriptors that the stub answers from their cards, or carries out on the cards and posts: the kernel does the same
// before it looks at anything else, whoever asks.
//
// Only where one thread has the descriptors to itself. So nobody changes a card while this runs, and what the kernel will make
// of a call is known beforehand: the lowest free number, say.
#include "internal.h"
#include "entries.h"

#include <fcntl.h>

#define TABLE ((volatile struct apus_cards *)APUS_STUB_CARDS)
#define ENTRIES ((volatile struct apus_entries *)APUS_STUB_ENTRIES)

_Static_assert(offsetof(struct apus_entries, bytes) == APUS_ENTRIES_BYTES && APUS_ENTRIES_OFFSET + sizeof(struct apus_entries) <= APUS_CONTEXTS_SIZE,
               "the entries fit behind the cards");

/// False if too many wait: then the kernel is asked, and takes them first.
static int post(struct apus_cold *cold, uint32_t kind, uint32_t what) {
    if (cold->posted >= APUS_POSTED_MOST) return 0;
    cold->posted++;
    uint32_t count = TABLE->count;
    TABLE->posted[count % APUS_POSTED_MOST] = kind << APUS_POSTED_KIND_SHIFT | what;
    __atomic_store_n(&TABLE->count, count + 1, __ATOMIC_RELEASE);
    return 1;
}

/// F_DUPFD and F_DUPFD_CLOEXEC.
static int copy(struct apus_cold *cold, uint32_t number, uint32_t card, int closes, uint64_t least, uint64_t *result) {
    uint64_t limit = ANSWERS[APUS_LOCAL_CLOSE].value;
    if (!(card & APUS_CARD_IS_PLAIN) || limit > APUS_CARDS) return 0;
    for (uint64_t i = least; i < limit; i++) {
        if (TABLE->cards[i]) continue;
        if (!post(cold, APUS_POSTED_COPY, number | (uint32_t)i << 8 | (uint32_t)closes << 16)) return 0;
        TABLE->cards[i] = (card & ~APUS_CARD_CLOSES_ON_EXEC) | (closes ? APUS_CARD_CLOSES_ON_EXEC : 0);
        apus_stub_copy_directory(number, (uint32_t)i);
        *result = i;
        return 1;
    }
    return 0;
}

static int set_flag(struct apus_cold *cold, uint32_t number, uint32_t card, int closes, uint64_t *result) {
    uint32_t changed = (card & ~APUS_CARD_CLOSES_ON_EXEC) | (closes ? APUS_CARD_CLOSES_ON_EXEC : 0);
    if (changed != card) {
        if (!post(cold, APUS_POSTED_FLAG, number | (uint32_t)closes << 16)) return 0;
        TABLE->cards[number] = changed;
    }
    *result = 0;
    return 1;
}

void apus_stub_keep_name(struct apus_cold *cold, const char *name, long size) {
    if (!ANSWERS[APUS_LOCAL_CLOSE].is_valid) return;
    for (long i = 0; i < size && i < APUS_IN_BESIDE_SIZE; i++) ((volatile uint8_t *)cold->in_bytes)[i] = (uint8_t)name[i];
}

void apus_stub_forget_newest(void) {
    // Where there is no permission nothing stands there, or the kernel has to clear it before it gives one again.
    if (!ANSWERS[APUS_LOCAL_CLOSE].is_valid) return;
    if (TABLE->status_number) TABLE->status_number = 0;
    if (TABLE->end_number) TABLE->end_number = 0;
}

/// fstat(2) of what was opened last.
static int status(uint32_t number, uint64_t buffer, uint64_t *result) {
    if (TABLE->status_number != number + 1 || apus_ticks() >= TABLE->until) return 0;
    if (buffer > APUS_STUB_BASE - sizeof TABLE->status) return 0;
    if (apus_stub_copy((void *)buffer, (const void *)TABLE->status, sizeof TABLE->status) != 0) return 0;
    *result = 0;
    return 1;
}

/// newfstatat(2) of a descriptor itself.
static int status_at(uint32_t number, const uint64_t *arguments, uint64_t *result) {
    // AT_EMPTY_PATH; AT_SYMLINK_NOFOLLOW and AT_NO_AUTOMOUNT change nothing.
    uint32_t flags = (uint32_t)arguments[3];
    char first = 1;
    if (TABLE->status_number != number + 1 || (flags & ~0x1900u) || !(flags & 0x1000)) return 0;
    if (arguments[1] >= APUS_STUB_BASE || apus_stub_copy(&first, (const void *)arguments[1], 1) != 0 || first) return 0;
    return status(number, arguments[2], result);
}

/// newfstatat(2) of the name by which a file was opened last: whoever walks down a tree looks there again.
static int status_of_name(struct apus_cold *cold, const uint64_t *arguments, uint64_t *result) {
    uint32_t number = TABLE->status_number;
    // AT_SYMLINK_NOFOLLOW, perhaps AT_NO_AUTOMOUNT.
    uint32_t flags = (uint32_t)arguments[3];
    if (number == 0 || !TABLE->is_named || (flags & ~0x800u) != 0x100) return 0;
    if (TABLE->status_directory != (int32_t)arguments[0] || arguments[1] >= APUS_STUB_BASE) return 0;
    char name[APUS_IN_BESIDE_SIZE];
    long size = apus_stub_copy_string(name, (const char *)arguments[1], sizeof name);
    // Not an empty one.
    if (size <= 1 || size > (long)sizeof name) return 0;
    for (long i = 0; i < size; i++)
        if (name[i] != (char)((volatile uint8_t *)cold->in_bytes)[i]) return 0;
    return status(number - 1, arguments[2], result);
}

/// getdents64(2) of the directory that was opened last, at its beginning. Of the stub, which marks the number, and the kernel, which
/// takes it away, one is the first: entries are given once, and by whoever moves the position.
static int entries(uint32_t number, uint64_t buffer, uint32_t room, uint64_t *result) {
    uint32_t told = number + 1, size = ENTRIES->size;
    if (__atomic_load_n(&ENTRIES->number, __ATOMIC_ACQUIRE) != told || apus_ticks() >= ENTRIES->until) return 0;
    if (size > APUS_ENTRIES_SIZE || size > room || buffer > APUS_STUB_BASE - APUS_ENTRIES_SIZE) return 0;
    if (apus_stub_copy((void *)buffer, (const void *)ENTRIES->bytes, size) != 0) return 0;
    // Before the mark: whoever has the kernel take that has it clear this, too.
    TABLE->end_number = told;
    if (!__atomic_compare_exchange_n(&ENTRIES->number, &told, told | APUS_ENTRIES_TAKEN, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        TABLE->end_number = 0;
        return 0;
    }
    *result = size;
    return 1;
}

int apus_stub_card_call(struct apus_cold *cold, uint32_t answer, const uint64_t *arguments, uint64_t *result) {
    // Descriptors and commands are of 32 bits.
    uint32_t number = (uint32_t)arguments[0];
    if (!ANSWERS[APUS_LOCAL_CLOSE].is_valid) return 0;
    if (answer == APUS_LOCAL_STATAT && status_of_name(cold, arguments, result)) return 1;
    if (number >= APUS_CARDS) return 0;
    uint32_t card = TABLE->cards[number];
    if (!(card & APUS_CARD_USED)) return 0;
    switch (answer) {
    case APUS_LOCAL_FCNTL: break;
    case APUS_LOCAL_FSTAT: return status(number, arguments[1], result);
    case APUS_LOCAL_STATAT: return status_at(number, arguments, result);
    case APUS_LOCAL_GETDENTS:
        if (TABLE->end_number != number + 1) return entries(number, arguments[1], (uint32_t)arguments[2], result);
        *result = 0;
        return 1;
    default:
        if (!(card & APUS_CARD_IS_PLAIN) || !post(cold, APUS_POSTED_CLOSE, number)) return 0;
        TABLE->cards[number] = 0;
        if (cold->is_kept) apus_stub_drop_kept(cold);
        apus_stub_forget_directory(number);
        // The number may soon mean another file.
        if (TABLE->status_number == number + 1) TABLE->status_number = 0;
        if (TABLE->is_named) TABLE->is_named = 0;
        if (TABLE->end_number == number + 1) TABLE->end_number = 0;
        // The kernel still hears of what was read.
        uint32_t told = number + 1;
        if (ENTRIES->number == told)
            __atomic_compare_exchange_n(&ENTRIES->number, &told, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        *result = 0;
        return 1;
    }
    switch ((uint32_t)arguments[1]) {
    case F_GETFD: *result = card & APUS_CARD_CLOSES_ON_EXEC ? FD_CLOEXEC : 0; return 1;
    case F_GETFL:
        if (!(card & APUS_CARD_HAS_FLAGS)) return 0;
        *result = card & APUS_CARD_FLAGS;
        return 1;
    case F_SETFD: return set_flag(cold, number, card, arguments[2] & FD_CLOEXEC, result);
    case F_DUPFD: return copy(cold, number, card, 0, arguments[2], result);
    case F_DUPFD_CLOEXEC: return copy(cold, number, card, 1, arguments[2], result);
    default: return 0;
    }
}
