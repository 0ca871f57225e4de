// What the kernel says of an epoll of the process's, and where: `ready.c`.
#pragma once
#include "stub.h"

/// Behind the local files.
#define APUS_LOCAL_READY_OFFSET 0x3f10000UL
#define APUS_STUB_LOCAL_READY (APUS_STUB_CONTEXTS + APUS_LOCAL_READY_OFFSET)
/// More events than that are the kernel's to tell.
#define APUS_READY_MOST 8
/// Of a `struct epoll_event`, in bytes.
#define APUS_READY_SIZE 12

/// What every epoll_wait(2) gets that asks an epoll of the process's for enough events.
struct apus_local_ready {
    /// Odd while it does not hold, 0 before the kernel has told of one. Another number means another content.
    uint32_t version;
    int32_t descriptor;
    /// Without any it is the answer only to who does not wait.
    uint32_t count;
    uint32_t padding;
    /// It holds up to these ticks of the processor's clock.
    uint64_t until;
    /// As the guest gets them.
    uint32_t events[APUS_READY_MOST * APUS_READY_SIZE / 4];
};
