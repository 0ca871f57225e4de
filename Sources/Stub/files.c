// Reads and writes that need nobody else: of /dev/null and /dev/zero, and of files whose pages the kernel has had mapped here.
//
// The kernel says what holds of a descriptor in a line of the process's contexts, and takes it back before it answers a call
// that changes it. Whatever is out of the ordinary is the kernel's: then nothing has happened here but that bytes of the file
// may stand in a buffer that was to be filled.
#include "internal.h"

#define FILES ((volatile struct apus_local_file *)APUS_STUB_LOCAL_FILES)

/// What the kernel says of a descriptor, all of it at one time. Not NULL if it holds now.
static volatile struct apus_local_file *find(uint64_t number, struct apus_local_file *found) {
    // Descriptors are of 32 bits.
    uint32_t index = (uint32_t)number;
    if (index >= APUS_LOCAL_FILES) return 0;
    volatile struct apus_local_file *entry = FILES + index;
    found->version = __atomic_load_n(&entry->version, __ATOMIC_ACQUIRE);
    found->reads = entry->reads;
    found->discards = entry->discards;
    found->ends = entry->ends;
    found->epoch = entry->epoch;
    found->until = entry->until;
    found->address = entry->address;
    found->size = entry->size;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (found->version == 0 || (found->version & 1) || entry->version != found->version) return 0;
    if (found->epoch != CONFIG->files_epoch) return 0;
    if (found->until != ~0ul && apus_ticks() >= found->until) return 0;
    return entry;
}

/// How many bytes a read gets of those that the file has at an offset; -1 where only the kernel knows.
static int64_t available(const struct apus_local_file *file, uint64_t offset, uint64_t count) {
    // The sum is below 2^63, or the kernel refuses it.
    if (offset > (1ul << 62)) return -1;
    if (offset + count <= file->size) return (int64_t)count;
    if (!file->ends) return -1;
    return offset < file->size ? (int64_t)(file->size - offset) : 0;
}

/// Fills the buffer. False where the kernel must see what is wrong with it.
static int fill(const struct apus_local_file *file, uint64_t buffer, uint64_t offset, uint64_t count) {
    if (file->reads == APUS_LOCAL_ZEROS) return apus_stub_zero((void *)buffer, count) == 0;
    // Also where the file has become shorter meanwhile: its pages are gone.
    return apus_stub_copy((void *)buffer, (const void *)(file->address + offset), count) == 0;
}

int apus_stub_file_call(struct apus_cold *cold, uint32_t answer, const uint64_t *arguments, uint64_t *result) {
    if (answer < APUS_LOCAL_READ || answer > APUS_LOCAL_PREAD || !ANSWERS[answer].is_valid) return 0;
    uint64_t buffer = arguments[1], count = arguments[2], offset = 0;
    // Linux does not look at the buffer of /dev/null, but at where it lies.
    if (count == 0 || count > APUS_LOCAL_MOST || buffer > APUS_STUB_BASE - count) return 0;
    struct apus_local_file file;
    volatile struct apus_local_file *entry = find(arguments[0], &file);
    if (!entry) return 0;
    if (answer == APUS_LOCAL_WRITE) {
        if (!file.discards) return 0;
        cold->local_writes++;
        cold->local_written_bytes += count;
        *result = count;
        return 1;
    }
    int64_t got;
    if (answer == APUS_LOCAL_PREAD) {
        offset = arguments[3];
        if (offset > (1ul << 62)) return 0;
    }
    switch (file.reads) {
    case APUS_LOCAL_NOTHING: got = 0; break;
    case APUS_LOCAL_ZEROS: got = (int64_t)count; break;
    case APUS_LOCAL_PAGES: got = answer == APUS_LOCAL_PREAD ? available(&file, offset, count) : -1; break;
    default: return 0;
    }
    if (got < 0 || (got > 0 && !fill(&file, buffer, offset, (uint64_t)got))) return 0;
    // Pages of another file may have come to stand there: then the kernel says what holds, and fills the buffer anew.
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (entry->version != file.version) return 0;
    cold->local_reads++;
    cold->local_read_bytes += (uint64_t)got;
    *result = (uint64_t)got;
    return 1;
}
