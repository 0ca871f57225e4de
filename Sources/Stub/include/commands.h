// What the kernel has a stub carry out, with an answer: by number, as the host's calls.
#pragma once
#include <stdint.h>

enum {
    // Commands above the host's call numbers are the stub's own.
    /// (): take one descriptor from the socket and keep it for APUS_COMMAND_MAP.
    APUS_COMMAND_RECEIVE = 0x10000,
    /// (address, length, protection, flags, -, offset): mmap of the descriptor taken last.
    APUS_COMMAND_MAP,
    /// (): close the descriptor taken last.
    APUS_COMMAND_CLOSE,
    /// (address, length): zero guest memory.
    APUS_COMMAND_ZERO,
    /// (): unmap everything but the stub.
    APUS_COMMAND_UNMAP_ALL,
    /// (slot): a new host thread in this address space; result is its host number.
    APUS_COMMAND_NEW_THREAD,
    /// (slot): a new host process, a copy of this one; takes two descriptors from the socket: its contexts and its socket.
    APUS_COMMAND_NEW_PROCESS,
    /// (): end this host thread.
    APUS_COMMAND_EXIT_THREAD,
    /// (address, mask, value, keep, flip, addend): one atomic change of a 32-bit word of guest memory. Where word & mask is
    /// value it becomes ((word & keep) ^ flip) + addend; the result is the word before.
    APUS_COMMAND_UPDATE_WORD,
    /// (address): put the floating-point state there as a signal frame has it, and go on with a fresh one.
    APUS_COMMAND_PUSH_STATE,
    /// (address): load the floating-point state that a signal frame has there; the initial one for 0.
    APUS_COMMAND_LOAD_STATE,
    /// (slot): let the thread that rests there go on, with this one's floating-point state. Its answer stands.
    APUS_COMMAND_START_THREAD,
    /// (address, length): copy what stands at the beginning of the bounce area to guest memory.
    APUS_COMMAND_COPY,
    /// (): keep what was taken last for what the guest maps next, `mappings.c`.
    APUS_COMMAND_KEEP,
};

struct apus_command {
    uint64_t number;
    uint64_t arguments[6];
    int64_t result;
};

#define APUS_MAX_COMMANDS 24
