// mmap(2) of private memory without a file, munmap(2) and mprotect(2) of private memory, which the stub carries out and posts: the kernel
// does the same to its list of areas before it looks at anything else, whoever asks.
//
// Only where one thread has the address space to itself. So nobody changes the gaps while this runs, and where the kernel would
// put a mapping is known beforehand. Whatever is out of the ordinary is the kernel's.
#include "internal.h"

#include <sys/mman.h>

#define TABLE ((volatile struct apus_mappings *)APUS_STUB_MAPPINGS)

_Static_assert(APUS_MAPPINGS_OFFSET >= APUS_CARDS_OFFSET + sizeof(struct apus_cards) &&
                   APUS_MAPPINGS_OFFSET + sizeof(struct apus_mappings) <= APUS_CARDS_OFFSET + APUS_PAGE,
               "one page with the cards");

static void post_file(struct apus_cold *cold, uint64_t place, uint64_t length, uint64_t offset) {
    cold->posted_mappings++;
    uint32_t count = TABLE->count;
    volatile struct apus_posted_mapping *entry = &TABLE->posted[count % APUS_POSTED_MAPPINGS];
    entry->place = place;
    entry->length = length;
    entry->offset = offset;
    __atomic_store_n(&TABLE->count, count + 1, __ATOMIC_RELEASE);
}

static void post(struct apus_cold *cold, uint64_t place, uint64_t length) { post_file(cold, place, length, 0); }

static uint32_t gap_count(void) {
    uint32_t count = TABLE->gap_count;
    return count > APUS_GAPS ? 0 : count;
}

/// The highest gap that holds so much, aligned so, and where in it; APUS_GAPS if none of those that are known does.
static uint32_t find_gap(uint64_t length, uint64_t alignment, uint64_t *start) {
    uint32_t count = gap_count();
    for (uint32_t i = 0; i < count; i++) {
        uint64_t low = TABLE->gaps[i].start, high = TABLE->gaps[i].end;
        // The kernel looks for one that holds an aligned stretch wherever it lies.
        if (high < low || high - low < length + alignment - APUS_PAGE) continue;
        *start = (high - length) & ~(alignment - 1);
        return i;
    }
    return APUS_GAPS;
}

static void remove_gap(uint32_t index) {
    uint32_t count = gap_count();
    if (count == 0) return;
    for (uint32_t i = index; i + 1 < count; i++) {
        TABLE->gaps[i].start = TABLE->gaps[i + 1].start;
        TABLE->gaps[i].end = TABLE->gaps[i + 1].end;
    }
    TABLE->gap_count = count - 1;
}

/// Puts a gap before the one with the index. The last one gives way where there is no room: then less is known.
static void insert_gap(uint32_t index, uint64_t start, uint64_t end) {
    uint32_t count = gap_count();
    if (index >= APUS_GAPS) return;
    uint32_t last = count < APUS_GAPS ? count : APUS_GAPS - 1;
    for (uint32_t i = last; i > index; i--) {
        TABLE->gaps[i].start = TABLE->gaps[i - 1].start;
        TABLE->gaps[i].end = TABLE->gaps[i - 1].end;
    }
    TABLE->gaps[index].start = start;
    TABLE->gaps[index].end = end;
    TABLE->gap_count = last + 1;
}

/// Something stands in the gap now, from one address to the other.
static void fill_gap(uint32_t index, uint64_t start, uint64_t end) {
    uint64_t low = TABLE->gaps[index].start, high = TABLE->gaps[index].end;
    if (end == high && start == low) return remove_gap(index);
    if (end == high) {
        TABLE->gaps[index].end = start;
        return;
    }
    TABLE->gaps[index].start = end;
    if (start > low) insert_gap(index + 1, low, start);
}

/// Nothing stands there any more.
static void add_gap(uint64_t start, uint64_t end) {
    uint32_t count = gap_count(), index = 0;
    while (index < count && TABLE->gaps[index].start >= end) index++;
    // From here on they are below.
    int joins_above = index > 0 && TABLE->gaps[index - 1].start == end;
    int joins_below = index < count && TABLE->gaps[index].end == start;
    if (joins_above && joins_below) {
        TABLE->gaps[index - 1].start = TABLE->gaps[index].start;
        remove_gap(index);
    } else if (joins_above) {
        TABLE->gaps[index - 1].start = start;
    } else if (joins_below) {
        TABLE->gaps[index].end = end;
    } else if (index < count) {
        insert_gap(index, start, end);
    }
    // Below the last one not every gap is known.
}

static void note_area(uint64_t start, uint64_t end, uint64_t protection) {
    uint32_t index = 0;
    while (index < APUS_PLAIN_AREAS && TABLE->areas[index].end) index++;
    if (index == APUS_PLAIN_AREAS) {
        index = TABLE->next_area % APUS_PLAIN_AREAS;
        TABLE->next_area = index + 1;
    }
    TABLE->areas[index].start = start;
    TABLE->areas[index].end = end;
    TABLE->areas[index].protection = protection;
}

/// The area that holds all of it; APUS_PLAIN_AREAS if none of those that are known does.
static uint32_t find_area(uint64_t start, uint64_t end) {
    uint32_t index = 0;
    while (index < APUS_PLAIN_AREAS && (start < TABLE->areas[index].start || end > TABLE->areas[index].end)) index++;
    return index;
}

/// Takes a part out of an area.
static void cut_area(uint32_t index, uint64_t start, uint64_t end) {
    volatile struct apus_plain_area *area = &TABLE->areas[index];
    uint64_t area_end = area->end, protection = area->protection;
    if (start == area->start) {
        area->start = end;
        if (end == area_end) area->end = 0;
    } else {
        area->end = start;
        if (end < area_end) note_area(end, area_end, protection);
    }
}

static long map_zeros(uint64_t start, uint64_t length, uint64_t protection) {
    return host_call(SYS_mmap, (long)start, (long)length, (long)protection,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
}

/// Over a part of an area: what a file's last page does not reach, say.
static int replace(struct apus_cold *cold, uint64_t start, uint64_t length, uint64_t protection, uint64_t *result) {
    uint32_t index = start % APUS_PAGE || start > APUS_STUB_BASE ? APUS_PLAIN_AREAS : find_area(start, start + length);
    if (index == APUS_PLAIN_AREAS || map_zeros(start, length, protection) != (long)start) return 0;
    post(cold, start | protection | APUS_POSTED_REPLACE, length);
    cut_area(index, start, start + length);
    note_area(start, start + length, protection);
    *result = start;
    return 1;
}

/// A part of the kept file over a part of an area: so a loader maps what may be executed or written of a library, when it has mapped all.
static int map_kept(struct apus_cold *cold, const uint64_t *arguments, uint64_t *result) {
    uint64_t start = arguments[0], length = arguments[1], protection = arguments[2], offset = arguments[5];
    uint32_t number = (uint32_t)arguments[4];
    if (!cold->is_kept || number == 0xffffffff || TABLE->kept_number != number + 1 || protection & ~7ul) return 0;
    if (start % APUS_PAGE || start > APUS_STUB_BASE || offset % APUS_PAGE || offset > (1ul << 62)) return 0;
    uint32_t index = find_area(start, start + length);
    if (index == APUS_PLAIN_AREAS) return 0;
    long mapped = host_call(SYS_mmap, (long)start, (long)length, (long)protection, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE,
                            cold->received, (long)offset);
    if (mapped != (long)start) return 0;
    uint64_t rights = protection & APUS_POSTED_PROTECTION;
    post_file(cold, start | rights | APUS_POSTED_REPLACE | APUS_POSTED_FILE | (protection & PROT_EXEC ? APUS_POSTED_EXECUTE : 0),
              length, offset);
    cut_area(index, start, start + length);
    if (!(protection & PROT_EXEC)) note_area(start, start + length, rights | APUS_AREA_OF_FILE);
    *result = start;
    return 1;
}

void apus_stub_drop_kept(struct apus_cold *cold) {
    cold->is_kept = 0;
    host_call(SYS_close, cold->received, 0, 0, 0, 0, 0);
}

static int map(struct apus_cold *cold, const uint64_t *arguments, uint64_t *result) {
    uint64_t length = arguments[1], protection = arguments[2], start;
    // MAP_DENYWRITE says nothing any more, and loaders set it.
    uint64_t flags = arguments[3] & ~(uint64_t)(MAP_NORESERVE | MAP_STACK | MAP_DENYWRITE);
    if (length == 0 || length > APUS_STUB_BASE || cold->posted_mappings >= APUS_POSTED_MAPPINGS) return 0;
    length = (length + APUS_PAGE - 1) & ~(APUS_PAGE - 1);
    if (flags == (MAP_PRIVATE | MAP_FIXED)) {
        const uint64_t rounded[6] = {arguments[0], length, protection, flags, arguments[4], arguments[5]};
        return map_kept(cold, rounded, result);
    }
    if (arguments[5] || protection & ~APUS_POSTED_PROTECTION) return 0;
    if (flags == (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)) return replace(cold, arguments[0], length, protection, result);
    if (arguments[0] || flags != (MAP_PRIVATE | MAP_ANONYMOUS)) return 0;
    uint32_t gap = find_gap(length, length % APUS_HUGE_PAGE ? APUS_PAGE : APUS_HUGE_PAGE, &start);
    // There may be one further down that the kernel knows.
    if (gap == APUS_GAPS) return 0;
    if (map_zeros(start, length, protection) != (long)start) return 0;
    // Not before: who hears of it finds it there.
    post(cold, start | protection, length);
    fill_gap(gap, start, start + length);
    note_area(start, start + length, protection);
    *result = start;
    return 1;
}

static int unmap(struct apus_cold *cold, const uint64_t *arguments, uint64_t *result) {
    uint64_t start = arguments[0], length = arguments[1];
    if (start % APUS_PAGE || start > APUS_STUB_BASE || length == 0 || length > APUS_STUB_BASE) return 0;
    // Room for taking it back, too.
    if (cold->posted_mappings + 2 > APUS_POSTED_MAPPINGS) return 0;
    uint64_t end = (start + length + APUS_PAGE - 1) & ~(APUS_PAGE - 1);
    uint32_t index = find_area(start, end);
    if (index == APUS_PLAIN_AREAS) return 0;
    uint64_t protection = TABLE->areas[index].protection & APUS_POSTED_PROTECTION;
    int is_of_file = (TABLE->areas[index].protection & APUS_AREA_OF_FILE) != 0;
    // First, so that nobody finds in the list what is not there; unless it could not be taken back.
    if (!is_of_file) post(cold, start | protection | APUS_POSTED_UNMAP, end - start);
    if (host_call(SYS_munmap, (long)start, (long)(end - start), 0, 0, 0, 0) != 0) {
        // The host has too many areas of the process, say. It is there as before.
        if (!is_of_file) post(cold, start | protection, end - start);
        return 0;
    }
    if (is_of_file) post(cold, start | APUS_POSTED_UNMAP, end - start);
    cut_area(index, start, end);
    add_gap(start, end);
    *result = 0;
    return 1;
}

static int protect(struct apus_cold *cold, const uint64_t *arguments, uint64_t *result) {
    uint64_t start = arguments[0], length = arguments[1], protection = arguments[2];
    if (start % APUS_PAGE || start > APUS_STUB_BASE || length == 0 || length > APUS_STUB_BASE) return 0;
    if (protection & ~APUS_POSTED_PROTECTION || cold->posted_mappings >= APUS_POSTED_MAPPINGS) return 0;
    uint64_t end = (start + length + APUS_PAGE - 1) & ~(APUS_PAGE - 1);
    uint32_t index = find_area(start, end);
    if (index == APUS_PLAIN_AREAS) return 0;
    // Where the host refuses it the kernel tries the same.
    if (host_call(SYS_mprotect, (long)start, (long)(end - start), (long)protection, 0, 0, 0) != 0) return 0;
    post(cold, start | protection | APUS_POSTED_PROTECT, end - start);
    uint64_t kind = TABLE->areas[index].protection & APUS_AREA_OF_FILE;
    cut_area(index, start, end);
    note_area(start, end, protection | kind);
    *result = 0;
    return 1;
}

int apus_stub_mapping_call(struct apus_cold *cold, uint32_t answer, const uint64_t *arguments, uint64_t *result) {
    if (!ANSWERS[APUS_LOCAL_MAP].is_valid) return 0;
    switch (answer) {
    case APUS_LOCAL_MAP: return map(cold, arguments, result);
    case APUS_LOCAL_UNMAP: return unmap(cold, arguments, result);
    default: return protect(cold, arguments, result);
    }
}
