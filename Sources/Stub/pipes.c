// Pipes between two processes, read and written without the kernel: what one page of a pipe holds lies in memory that both
// stubs see.
//
// The permission stands in the process's own contexts. The pipe itself is one word: a version, and where the unread bytes begin
// and end. Bytes are copied first; then the word is exchanged for the one that tells of them, if it still is what it was. The
// kernel takes everything back by exchanging it for 0: what had been told by then is in its pipe, what is told later has not
// happened, and its call asks. So nobody holds anything that another one would have to wait for. What is out of the ordinary,
// and whoever has waited for a while, asks the kernel.
#include "internal.h"
#include "pipes.h"

#define PIPES ((volatile struct apus_local_pipes *)APUS_STUB_LOCAL_PIPES)

/// In TSC ticks: for how long a reader waits before it asks, and for how long it looks before it gives way.
enum { WAIT_TICKS = 50000, WATCH_TICKS = 4000 };
/// An honest peer changes the word at most once while a call looks at it.
enum { MOST_TRIES = 4 };

static struct apus_pipe_line *line_of(uint32_t pipe) {
    return (struct apus_pipe_line *)APUS_STUB_PIPE_LINK + pipe % APUS_PIPE_LINK_PIPES;
}
static char *bytes_of(uint32_t pipe) {
    return (char *)APUS_STUB_PIPE_LINK + APUS_PIPE_PAGE * (1 + pipe % APUS_PIPE_LINK_PIPES);
}
static uint64_t word_of(uint32_t version, uint32_t start, uint32_t end) {
    return (uint64_t)version << 32 | end << 16 | start;
}

/// Where the unread bytes lie. False where they do not lie in the page, or the kernel has taken everything back.
static int take_apart(uint64_t word, uint32_t version, uint32_t *start, uint32_t *end) {
    *start = word & 0xffff;
    *end = word >> 16 & 0xffff;
    return word >> 32 == version && *start <= *end && *end <= APUS_PIPE_PAGE;
}

static int tells(struct apus_pipe_line *line, uint64_t *seen, uint64_t word) {
    return __atomic_compare_exchange_n(&line->word, seen, word, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/// As Linux puts what fits into the last page behind what is there, and begins a new one when all has been read.
static int write_here(struct apus_cold *cold, uint32_t version, uint64_t buffer, uint32_t count) {
    uint32_t pipe = PIPES->write_pipe, start, end;
    struct apus_pipe_line *line = line_of(pipe);
    apus_fetch_to_write(line);
    uint64_t seen = __atomic_load_n(&line->word, __ATOMIC_ACQUIRE);
    for (int tries = 0; tries < MOST_TRIES; tries++) {
        if (!take_apart(seen, version, &start, &end)) return 0;
        if (start == end) start = end = 0;
        if (count > APUS_PIPE_PAGE - end) return 0;
        if (apus_stub_copy(bytes_of(pipe) + end, (const void *)buffer, count) != 0) return 0;
        line->writer_cpu = (uint8_t)current_cpu();
        line->writes++;
        if (!tells(line, &seen, word_of(version, start, end + count))) continue;
        cold->local_writes++;
        cold->local_written_bytes += count;
        return 1;
    }
    return 0;
}

/// Waits a little for the other side: looks where that runs on another processor, gives way where it does not. False when it
/// has waited long enough.
static int waits(uint64_t began, uint64_t *gave_way, uint8_t peer) {
    uint64_t now = apus_ticks();
    if (now - began > WAIT_TICKS) return 0;
    if (peer != (uint8_t)current_cpu() && now - *gave_way < WATCH_TICKS) {
        apus_relax();
        return 1;
    }
    host_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
    *gave_way = apus_ticks();
    // Somebody else computes here, and gets a slice whenever we give way: sleepers get on better.
    return *gave_way - now < WAIT_TICKS;
}

static uint32_t read_here(struct apus_cold *cold, uint32_t version, uint64_t buffer, uint64_t count) {
    uint32_t pipe = PIPES->read_pipe, start, end;
    struct apus_pipe_line *line = line_of(pipe);
    uint64_t began = apus_ticks(), gave_way = began;
    uint64_t seen = __atomic_load_n(&line->word, __ATOMIC_ACQUIRE);
    for (int tries = 0; tries < MOST_TRIES;) {
        // A signal is the kernel's to look at.
        int is_interrupted = *(volatile uint32_t *)&cold->interrupt_pending != 0;
        if (!take_apart(seen, version, &start, &end) || is_interrupted) return 0;
        if (start == end) {
            if (!waits(began, &gave_way, line->writer_cpu)) return 0;
            seen = __atomic_load_n(&line->word, __ATOMIC_ACQUIRE);
            continue;
        }
        uint32_t got = end - start;
        if (got > count) got = (uint32_t)count;
        if (apus_stub_copy((void *)buffer, bytes_of(pipe) + start, got) != 0) return 0;
        line->reader_cpu = (uint8_t)current_cpu();
        if (tells(line, &seen, word_of(version, start + got, end))) {
            cold->local_reads++;
            cold->local_read_bytes += got;
            return got;
        }
        tries++;
    }
    return 0;
}

int apus_stub_pipe_call(struct apus_cold *cold, uint32_t answer, const uint64_t *arguments, uint64_t *result) {
    uint32_t version = __atomic_load_n(&PIPES->version, __ATOMIC_ACQUIRE);
    if (version == 0) return 0;
    int32_t number = (int32_t)arguments[0];
    uint64_t buffer = arguments[1], count = arguments[2];
    if (number < 0 || count == 0 || count > APUS_LOCAL_MOST || buffer > APUS_STUB_BASE - count) return 0;
    if (answer == APUS_LOCAL_READ && number == PIPES->reads) {
        uint32_t got = read_here(cold, version, buffer, count);
        *result = got;
        return got != 0;
    }
    if (answer == APUS_LOCAL_WRITE && number == PIPES->writes && count <= APUS_PIPE_PAGE &&
        write_here(cold, version, buffer, (uint32_t)count)) {
        *result = count;
        return 1;
    }
    return 0;
}
