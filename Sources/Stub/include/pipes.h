// What two stubs share of the pipes between their processes, while the kernel lets them read and write those by themselves: `pipes.c`.
#pragma once
#include "stub.h"

/// In the contexts, behind the cards: which of the process's descriptors lead to such pipes.
#define APUS_LOCAL_PIPES_OFFSET 0x3f30000UL
#define APUS_STUB_LOCAL_PIPES (APUS_STUB_CONTEXTS + APUS_LOCAL_PIPES_OFFSET)

/// Where the memory that it shares with one other process is mapped: before the pages of files.
#define APUS_STUB_PIPE_LINK APUS_STUB_PAGES
#define APUS_STUB_FILE_PAGES (APUS_STUB_PAGES + 0x200000UL)
/// A page with a line for each pipe, then a page of bytes for each.
#define APUS_PIPE_LINK_SIZE 0x3000UL
#define APUS_PIPE_LINK_PIPES 2
#define APUS_PIPE_PAGE 4096UL

/// By the kernel, in the process's own contexts: nobody else can write here.
struct apus_local_pipes {
    /// 0 while nothing holds; else what stands in the lines of the pipes.
    uint32_t version;
    /// The descriptor that reads, the one that writes; -1 for none.
    int32_t reads, writes;
    /// Which of the two pipes each of them leads to.
    uint32_t read_pipe, write_pipe;
};

/// One pipe: what one page of Linux's would hold. Both stubs and the kernel change it, each by one exchange of the word.
struct apus_pipe_line {
    /// The version in the high half, or 0: nothing here is of any use; where the unread bytes begin and end in the low one.
    uint64_t word;
    /// The processor that the writer, or the reader, has used it on last; 255 before.
    uint8_t writer_cpu, reader_cpu;
    uint8_t padding[2];
    /// How often the writer has written.
    uint32_t writes;
    uint64_t line_padding[6];
};
