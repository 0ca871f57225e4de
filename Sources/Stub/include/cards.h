// What the kernel and the stub share of a process's descriptors, where the stub answers, closes and copies them by itself.
#pragma once
#include <stdint.h>

/// In the contexts, behind what an epoll would say: a card for each descriptor, and the calls that the stub has carried out.
#define APUS_CARDS_OFFSET 0x3f20000UL
#define APUS_STUB_CARDS (APUS_STUB_CONTEXTS + APUS_CARDS_OFFSET)

/// Among the answers, and none: close(2) and fcntl(2) of descriptors whose cards allow it. The first's answer is the permission for all, and says
/// below which number there can be descriptors.
#define APUS_LOCAL_CLOSE 27
#define APUS_LOCAL_FCNTL 28
/// And fstat(2), newfstatat(2) of a descriptor itself and getdents64(2), while the answer stands there.
#define APUS_LOCAL_FSTAT 29
#define APUS_LOCAL_STATAT 30
#define APUS_LOCAL_GETDENTS 31

/// How many descriptors there can be of which the stub is told something.
#define APUS_LOCAL_FILES 256UL
/// What it does not carry out in one call: nobody waits for an interrupt longer than that.
#define APUS_LOCAL_MOST 0x100000UL

/// How many descriptors have a card.
#define APUS_CARDS 256UL

/// On a card, above the 24 bits of status flags: what the stub knows of a descriptor. 0 for a number that is free.
enum {
    APUS_CARD_USED = 1 << 24,
    APUS_CARD_CLOSES_ON_EXEC = 1 << 25,
    /// The status flags stand on it.
    APUS_CARD_HAS_FLAGS = 1 << 26,
    /// Nobody waits for its end: the kernel need not hear of that, nor of a copy, at once.
    APUS_CARD_IS_PLAIN = 1 << 27,
};
#define APUS_CARD_FLAGS 0xffffffU

enum {
    /// Of the descriptor in bits 0 to 7.
    APUS_POSTED_CLOSE = 1,
    /// To the number in bits 8 to 15; bit 16 is its close-on-exec flag.
    APUS_POSTED_COPY = 2,
    /// Its close-on-exec flag becomes bit 16.
    APUS_POSTED_FLAG = 3,
};
#define APUS_POSTED_KIND_SHIFT 24

/// So many calls of a thread wait for the kernel at most.
#define APUS_POSTED_MOST 16

/// What the one thread of a process has done to its descriptors by itself, since the kernel looked last: it carries all of that
/// out before it looks at anything else. Only the stub writes the cards while the thread runs, only the kernel while it asks.
struct apus_cards {
    /// How many calls were posted, ever; each stands at its number modulo APUS_POSTED_MOST.
    uint32_t count;
    uint32_t posted[APUS_POSTED_MOST];
    uint32_t padding[32 - 1 - APUS_POSTED_MOST];
    /// What holds until the thread asks again, or anybody else does: one more than the number of the descriptor that fstat(2)
    /// would give `status`, until these ticks of the processor's clock; and of the directory that has no more entries.
    uint32_t status_number;
    uint32_t end_number;
    uint64_t until;
    uint64_t status[18];
    /// It was opened by a name in this directory, which is the first payload of that call and no link.
    int32_t status_directory;
    uint32_t is_named;
    uint64_t line_padding[3];
    uint32_t cards[APUS_CARDS];
};
