// mmap(2) and munmap(2) of private memory without a file, which the stub carries out and posts: the kernel does the same to its list
// of areas before it looks at anything else, whoever asks.
//
// Only where one thread has the address space to itself. So nobody changes the gaps while this runs, and where the kernel would
// put a mapping is known beforehand. Whatever is out of the ordinary is the kernel's.
#include "internal.h"

#include <sys/mman.h>

#define TABLE ((volatile struct apus_mappings *)APUS_STUB_MAPPINGS)

static void post(struct apus_cold *cold, uint64_t place, uint64_t length) {
    cold->posted_mappings++;
    uint32_t count = TABLE->count;
    volatile struct apus_posted_mapping *entry = &TABLE->posted[count % APUS_POSTED_MAPPINGS];
    entry->place = place;
    entry->length = length;
    __atomic_store_n(&TABLE->count, count + 1, __ATOMIC_RELEASE);
}

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

static int map(struct apus_cold *cold, const uint64_t *arguments, uint64_t *result) {
    uint64_t length = arguments[1], protection = arguments[2], start;
    if (arguments[0] || arguments[5] || protection & ~APUS_POSTED_PROTECTION) return 0;
    if ((arguments[3] & ~(uint64_t)(MAP_NORESERVE | MAP_STACK)) != (MAP_PRIVATE | MAP_ANONYMOUS)) return 0;
    if (length == 0 || length > APUS_STUB_BASE || cold->posted_mappings >= APUS_POSTED_MAPPINGS) return 0;
    length = (length + APUS_PAGE - 1) & ~(APUS_PAGE - 1);
    uint32_t gap = find_gap(length, length % APUS_HUGE_PAGE ? APUS_PAGE : APUS_HUGE_PAGE, &start);
    // There may be one further down that the kernel knows.
    if (gap == APUS_GAPS) return 0;
    long mapped = host_call(SYS_mmap, (long)start, (long)length, (long)protection,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    if (mapped != (long)start) return 0;
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
    for (uint32_t i = 0; i < APUS_PLAIN_AREAS; i++) {
        volatile struct apus_plain_area *area = &TABLE->areas[i];
        uint64_t area_start = area->start, area_end = area->end;
        uint64_t protection = area->protection & APUS_POSTED_PROTECTION;
        if (start < area_start || end > area_end) continue;
        // First, so that nobody finds in the list what is not there.
        post(cold, start | protection | APUS_POSTED_UNMAP, end - start);
        if (host_call(SYS_munmap, (long)start, (long)(end - start), 0, 0, 0, 0) != 0) {
            // The host has too many areas of the process, say. It is there as before.
            post(cold, start | protection, end - start);
            return 0;
        }
        if (start == area_start) {
            area->start = end;
            if (end == area_end) area->end = 0;
        } else {
            area->end = start;
            if (end < area_end) note_area(end, area_end, protection);
        }
        add_gap(start, end);
        *result = 0;
        return 1;
    }
    return 0;
}

int apus_stub_mapping_call(struct apus_cold *cold, uint32_t answer, const uint64_t *arguments, uint64_t *result) {
    if (!ANSWERS[APUS_LOCAL_MAP].is_valid) return 0;
    return answer == APUS_LOCAL_MAP ? map(cold, arguments, result) : unmap(cold, arguments, result);
}
