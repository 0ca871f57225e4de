// What the kernel and the stub share: the layout of the stub's part of a guest's address space.
//
// The stub is code of ours that runs in the guest's address space, so a guest can read, jump into and forge everything
// here. The kernel copies what it needs once and validates it; the stub trusts nothing but what it was told last.
#pragma once
#include "processor.h"

#include <stddef.h>
#include <stdint.h>

#include "cards.h"
#include "commands.h"
#include "mappings.h"

// --- Addresses in the guest -------------------------------------------------------------------------------------------

/// The stub's area; a guest's own addresses end below it.
#define APUS_STUB_BASE 0x7ef000000000UL
#define APUS_STUB_CODE_SIZE 0x10000UL
/// Read only for the guest, one for the whole sandbox.
#define APUS_STUB_CONFIG (APUS_STUB_BASE + 0x10000UL)
#define APUS_STUB_CONFIG_SIZE 0x4000UL
/// One page that every guest may write: the word that wakes the kernel, and those that stubs sleep on.
#define APUS_STUB_DOORBELL (APUS_STUB_BASE + 0x20000UL)
/// Where each stub keeps the host's vDSO with the pages of data before it; the guest's own vDSO leads there.
#define APUS_STUB_HOST_VDSO (APUS_STUB_BASE + 0x80000UL)
#define APUS_STUB_HOST_VDSO_SIZE 0x40000UL
/// The process's own area: what its threads share, their hot lines in the same page, then one block for each thread.
#define APUS_STUB_CONTEXTS (APUS_STUB_BASE + 0x100000UL)
#define APUS_BLOCK_SIZE 0x10000UL
#define APUS_MAX_THREADS 1000UL
#define APUS_CONTEXTS_SIZE 0x4000000UL
/// First: results of calls that the stub gives without asking.
#define APUS_ANSWERS_OFFSET 0x0UL
#define APUS_STUB_ANSWERS (APUS_STUB_CONTEXTS + APUS_ANSWERS_OFFSET)
/// Behind the answers: how many of the process's threads are in futex waits of the kernel's.
#define APUS_KERNEL_WAITS_OFFSET 0x200UL
#define APUS_STUB_KERNEL_WAITS (APUS_STUB_CONTEXTS + APUS_KERNEL_WAITS_OFFSET)
/// Behind that: the number by which the kernel knows the process.
#define APUS_MARK_OFFSET 0x240UL
/// Behind that, and the word of `names.h`: what a program asks as it begins.
#define APUS_BEGIN_OFFSET 0x280UL
#define APUS_HOT_OFFSET 0x400UL
#define APUS_STUB_END (APUS_STUB_CONTEXTS + APUS_CONTEXTS_SIZE)
/// Behind the last block: what the stub may read of the process's descriptors by itself.
#define APUS_LOCAL_FILES_OFFSET 0x3f00000UL
#define APUS_STUB_LOCAL_FILES (APUS_STUB_CONTEXTS + APUS_LOCAL_FILES_OFFSET)
/// Where pages of those files are mapped: above the stub, where no guest is told of anything.
#define APUS_STUB_PAGES 0x7ef100000000UL
#define APUS_STUB_PAGES_END 0x7fff00000000UL
/// Where the host's own address space ends.
#define APUS_HOST_TASK_SIZE 0x7ffffffff000UL

/// `mseal(2)`, from Linux 6.10 on, which the C library's headers may not know.
#define APUS_HOST_MSEAL 462
/// `futex_waitv(2)` and `futex_wait(2)`, the same.
#define APUS_HOST_FUTEX_WAITV 449
#define APUS_HOST_FUTEX_WAIT 455

/// The stub's only lasting descriptor: a socket on which the kernel hands it files to map.
#define APUS_SOCKET 0
/// Where the template has the filter's listener, until the kernel has taken it over.
#define APUS_LISTENER 1
/// How many descriptors a stub can have at a time: what a guest could hoard.
#define APUS_MAX_DESCRIPTORS 64

/// The two kinds of clone: CLONE_VM | FS | FILES | SIGHAND | THREAD | SYSVSEM | CHILD_CLEARTID, and CLONE_PARENT | SIGCHLD,
/// since every stub is a child of the kernel itself.
#define APUS_CLONE_THREAD 0x250f00
#define APUS_CLONE_PROCESS 0x8011

// --- One thread -------------------------------------------------------------------------------------------------------

enum {
    /// The thread runs guest code, or the stub has taken its answer.
    APUS_STATE_GUEST = 0,
    /// By the stub: the kernel is asked.
    APUS_STATE_REQUEST = 1,
    /// By the kernel: the answer stands.
    APUS_STATE_DONE = 2,
    /// By the kernel: the answer will take a while, sleep at once.
    APUS_STATE_BLOCK = 3,
};

enum {
    APUS_KIND_SYSCALL = 2,
    APUS_KIND_FAULT = 3,
    APUS_KIND_READY = 4,
    APUS_KIND_INTERRUPTED = 5,
    /// The commands of the last answer were carried out (or one failed): their results stand.
    APUS_KIND_COMMANDS_DONE = 6,
    /// A call by another architecture's numbers: `int 0x80`.
    APUS_KIND_FOREIGN_CALL = 7,
};

enum {
    /// Load every register from `registers`; without it only rax changes.
    APUS_ACTION_RESTORE_ALL = 1,
    /// Ask again with APUS_KIND_COMMANDS_DONE after the commands.
    APUS_ACTION_REPORT = 2,
    APUS_ACTION_COMMANDS = 4,
    /// Copy `copy_out` blocks from the bounce area to guest memory.
    APUS_ACTION_COPY_OUT = 8,
    /// Load the floating-point state from `fp_area`, where the kernel has put it.
    APUS_ACTION_FP_AREA = 16,
    /// Wake the stub that sleeps on the word whose number stands in `arguments[0]`: it has its answer. Also with
    /// APUS_STATE_BLOCK.
    APUS_ACTION_WAKE = 32,
    /// One command, which stands in this line: its number in `arguments[0]`, then its arguments but the last, which is 0.
    APUS_ACTION_COMMAND = 64,
    /// Copy bytes that stand in this line, from `arguments[2]` on, to guest memory at `arguments[1]`; APUS_HERE tells how many.
    APUS_ACTION_COPY_HERE = 128,
    /// Give way on this processor: with APUS_STATE_BLOCK to whoever is to bring the answer, with an answer to whom it has woken.
    APUS_ACTION_TURN = 0x4000,
};

/// In an answer's `action`: bytes that stand in the line itself.
#define APUS_HERE_SHIFT 8
#define APUS_HERE_MASK 63
#define APUS_HERE_ARGUMENT 2
#define APUS_HERE_SIZE 32

/// In a request's `action`: the call comes from a site that has trapped often.
#define APUS_REQUEST_HOT_SITE 0x8000
/// In a request's `action`: a futex call of which the stub has done a part. A wait was asleep when the kernel's interrupt
/// came; a wake-up has woken as many as the fourth argument says.
#define APUS_REQUEST_BEGUN 0x4000
/// In a call's `action`: the stub has changed the thread's mask of blocked signals since it asked last.
#define APUS_REQUEST_MASK 0x2000
/// In a call's `action`: how many payloads are listed; and how many bytes of a string stand in place of arguments.
#define APUS_REQUEST_PAYLOADS 0xf
#define APUS_REQUEST_STRING_SHIFT 4
#define APUS_REQUEST_STRING_MASK 63

/// Everything that one system call moves between the two sides, in one cache line.
struct apus_hot {
    uint32_t state;
    uint8_t kind;
    uint8_t cpu;
    /// With a call: APUS_REQUEST_... With an answer: APUS_ACTION_...
    uint16_t action;
    /// The call's number, then its result.
    uint64_t value;
    uint64_t arguments[6];
};

enum {
    APUS_R15, APUS_R14, APUS_R13, APUS_R12, APUS_RBP, APUS_RBX, APUS_R11, APUS_R10, APUS_R9, APUS_R8,
    APUS_RAX, APUS_RCX, APUS_RDX, APUS_RSI, APUS_RDI, APUS_ORIGINAL_RAX, APUS_RIP, APUS_FLAGS, APUS_RSP,
    APUS_FS_BASE, APUS_REGISTERS,
};

/// One stretch of guest memory whose bytes stand in the bounce area.
struct apus_payload {
    uint64_t address;
    uint32_t count;
    /// From the beginning of the bounce area; APUS_BESIDE for what stands beside the list.
    uint32_t offset;
};

#define APUS_BESIDE 0xffffffffU
#define APUS_BESIDE_SIZE 40
#define APUS_IN_BESIDE_SIZE 48

#define APUS_MAX_PAYLOADS 8

/// How often a call site has trapped, by the address after it.
struct apus_site {
    uint64_t address;
    uint64_t traps;
};

#define APUS_COUNTED_SITES 64

/// What the thread does on a signal that it sends to itself: `sigaction(2)`.
struct apus_own_action {
    /// 0 for none.
    int32_t signal;
    uint32_t padding;
    uint64_t handler, flags, restorer, mask;
};

#define APUS_OWN_ACTIONS 4

/// What the frames of handlers need that only the kernel knows: `signal.c`. By the kernel, while the thread does not run guest
/// code; it counts while `mask_is_here`.
struct apus_handlers {
    uint32_t is_known;
    int32_t thread;
    /// `sigaltstack(2)`.
    uint64_t stack_base, stack_size;
    uint32_t stack_flags, padding;
    /// The last fault.
    uint64_t fault_error, fault_trap, fault_address;
    struct apus_own_action actions[APUS_OWN_ACTIONS];
};

/// The rest of a thread's shared state; at the beginning of its block.
struct apus_cold {
    // Offsets of these members are known to entry.S.
    uint64_t registers[APUS_REGISTERS];  // 0
    uint64_t stack_top;                  // 160
    uint32_t in_stub;                    // 168
    uint32_t interrupt_pending;          // 172
    uint64_t fp_mask;                    // 176: what xrstor loads
    uint64_t fp_pointer;                 // 184: where it loads it from; 0 while the state is live

    /// In a line of its own: the kernel reads it at every answer, and it rarely changes.
    /// 1 while the stub sleeps for the kernel's answer, 2 while it sleeps on a futex of its guest's: `futex.c`.
    uint32_t stub_sleeps;
    /// Zeroed by the host when the thread is gone.
    uint32_t alive;
    /// The guest's %gs base; 0 for one that has none, as nearly all.
    uint64_t gs_base;
    /// Which of the doorbell page's words it sleeps on; 0 for its own state word.
    uint32_t wake_index;
    uint32_t line_padding[11];
    // The last host signal.
    uint32_t signal;
    int32_t signal_code;
    uint64_t fault_address;
    uint64_t fault_error;
    uint64_t fault_trap;

    uint32_t command_count;
    int32_t received;
    struct apus_command commands[APUS_MAX_COMMANDS];

    uint32_t in_padding[6];
    /// What the stub writes: the first payload, if it is small, travels with the list in one line.
    uint8_t in_bytes[APUS_IN_BESIDE_SIZE];
    struct apus_payload in[APUS_MAX_PAYLOADS];

    uint32_t out_padding[4];

    /// What the kernel writes: the first result, if it is small, travels with the list in one line.
    uint32_t out_count;
    /// Set by the stub when a copy out met a bad address.
    uint32_t out_fault;
    uint8_t out_bytes[APUS_BESIDE_SIZE];
    struct apus_payload out[APUS_MAX_PAYLOADS];
    struct apus_site sites[APUS_COUNTED_SITES];

    /// This thread is counted among the kernel's futex waits.
    uint32_t is_counted;
    /// For how long it pays to watch a futex before sleeping on it, in TSC ticks, as learned; and how many waits go by
    /// before that is tried again.
    uint32_t watch_ticks;
    uint32_t unwatched_waits;

    /// Which signals the thread blocks, as the kernel has it; and as the stub has changed it while `mask_is_here`.
    uint64_t signal_mask;
    /// By the kernel: no signal waits, so that a change of the mask lets none in and leaves none to others.
    uint32_t mask_is_here;
    /// By the stub: the kernel has not been told of a change.
    uint32_t mask_moved;
    /// `set_robust_list(2)`.
    uint64_t robust_list;
    /// `set_tid_address(2)`.
    uint64_t tid_address;
    /// By the stub: at which calls it gives way as it asks, since it was told to the last time.
    uint64_t turn_calls[2];
    struct apus_handlers handlers;

    /// Reads and writes that the stub has carried out, and their bytes; never set back.
    uint64_t local_reads, local_read_bytes, local_writes, local_written_bytes;
    /// What the stub has posted since it asked last: calls, changes of the address space, writes, and the room of their bytes.
    uint32_t posted, posted_mappings, posted_writes, posted_bytes;
    /// By the stub: what it has received last is still there.
    uint32_t is_kept;
};

/// In a block: cold state, floating-point area, bounce area, then the stack that host signals come in on.
#define APUS_FP_AREA 0x1000UL
#define APUS_FP_AREA_SIZE 0x3000UL
#define APUS_BOUNCE 0x4000UL
#define APUS_BOUNCE_SIZE 0x4000UL
#define APUS_STACK 0x8000UL
#define APUS_STACK_SIZE 0x8000UL

/// How many bytes of an argument's pointee the stub copies next to the call. Made from the one table.
struct apus_payload_rule {
    /// Which argument points at the bytes; APUS_STACK_POINTER, APUS_ROBUST_LIST; 0xff ends the list.
    uint8_t pointer;
    /// APUS_EXTENT_...
    uint8_t extent;
    /// The argument that counts. For APUS_EXTENT_STRING the first that the call does not have, where short ones travel; or 0.
    uint8_t counter;
    uint8_t padding;
    /// Bytes of one element, or of the whole.
    uint32_t size;
};

/// In a rule: the bytes stand where the caller's stack pointer shows, as for rt_sigreturn.
#define APUS_STACK_POINTER 6
/// In a rule: the bytes stand where the thread's robust list begins, as for exit.
#define APUS_ROBUST_LIST 7

enum { APUS_EXTENT_FIXED = 0, APUS_EXTENT_COUNTED = 1, APUS_EXTENT_STRING = 2 };

#define APUS_RULES_PER_CALL 3
#define APUS_RULED_CALLS 480

/// Whether the kernel traces the stubs: not yet the template, which waits for it; or all of them.
enum { APUS_TRACED_SOON = 1, APUS_TRACED_NOW = 2 };

/// What the kernel tells every stub. Read only for them.
struct apus_config {
    /// 1 while the kernel sleeps on the doorbell.
    uint32_t kernel_sleeps;
    uint32_t kernel_cpu;
    /// For how long a stub spins for its answer, in TSC ticks.
    uint64_t spin_ticks;
    uint64_t fp_mask;
    /// Bytes of an XSAVE area in standard format.
    uint64_t fp_size;
    /// The kernel process's number, which is every stub's parent.
    uint32_t kernel_process;
    /// A call site that has trapped so often is reported; 0 for never.
    uint32_t patch_after;
    /// The kernel is the tracer of every stub: APUS_TRACED_...
    uint32_t traced;
    /// Stubs give way once before they sleep: the kernel is on their processor, and nobody else.
    uint32_t takes_turns;
    /// For how long a stub watches a futex at most, in TSC ticks.
    uint32_t watch_ticks;
    uint32_t padding;
    /// Which entries of local files hold: those that say the same.
    uint64_t files_epoch;
    struct apus_payload_rule rules[APUS_RULED_CALLS][APUS_RULES_PER_CALL];
    /// Which of the process's local answers a call has; 0 for none.
    uint8_t local_answers[APUS_RULED_CALLS];
};

/// The functions of the guest's vDSO, in the order of the table: clock_gettime, gettimeofday, time, getcpu, clock_getres.
enum {
    APUS_VDSO_CLOCK_GETTIME,
    APUS_VDSO_GETTIMEOFDAY,
    APUS_VDSO_TIME,
    APUS_VDSO_GETCPU,
    APUS_VDSO_CLOCK_GETRES,
    APUS_VDSO_FUNCTIONS,
};

/// Where the functions of the guest's vDSO go on, in every stub; 0 for the system call. In the configuration's last line.
#define APUS_VDSO_TABLE (APUS_STUB_CONFIG + APUS_STUB_CONFIG_SIZE - 64)
struct apus_vdso_table {
    uint64_t functions[APUS_VDSO_FUNCTIONS];
    uint64_t padding[8 - APUS_VDSO_FUNCTIONS];
};

/// The result of a call that is the same for every thread of the process, until the kernel says otherwise.
struct apus_local_answer {
    uint64_t is_valid;
    uint64_t value;
};

#define APUS_LOCAL_ANSWERS 32
/// Not an answer, but a call that the host may as well carry out at once: sched_yield.
#define APUS_LOCAL_YIELD 1
/// Not an answer either: futex(2), whose private waits and wake-ups the stub carries out by the host's.
#define APUS_LOCAL_FUTEX 10
/// Nor these: rt_sigprocmask(2), which the stub carries out while the kernel has left the mask with it, and
/// set_robust_list(2), which is a word that the kernel looks for in the block.
#define APUS_LOCAL_MASK 11
#define APUS_LOCAL_ROBUST 12
/// read(2), write(2) and pread64(2) of descriptors that the kernel has told of, if there are any.
#define APUS_LOCAL_READ 14
#define APUS_LOCAL_WRITE 15
#define APUS_LOCAL_PREAD 16
/// epoll_wait(2) and its relatives, of the epoll that the kernel has told of: `ready.c`.
#define APUS_LOCAL_EPOLL_WAIT 20
#define APUS_LOCAL_EPOLL_PWAIT 21
#define APUS_LOCAL_EPOLL_PWAIT2 22
/// Nor these: rt_sigreturn(2), and kill(2) and tgkill(2) by which a thread enters a handler of its own: `signal.c`.
#define APUS_LOCAL_SIGRETURN 24
#define APUS_LOCAL_KILL 25
#define APUS_LOCAL_TGKILL 26
/// Answers that the stub uses itself: the process's number, that of its only thread, and the real user's.
#define APUS_ANSWER_PROCESS 2
#define APUS_ANSWER_THREAD 3
#define APUS_ANSWER_USER 6

/// What reading a descriptor gives, in `apus_local_file`.
enum {
    APUS_LOCAL_UNKNOWN = 0,
    /// None, as of /dev/null.
    APUS_LOCAL_NOTHING = 1,
    APUS_LOCAL_ZEROS = 2,
    /// At an offset: the bytes there of `size` bytes from `address` on.
    APUS_LOCAL_PAGES = 3,
};

/// What the kernel says of a descriptor of the process, in one cache line.
struct apus_local_file {
    /// Odd while the kernel writes the rest; 0 before it has. Another number means another content.
    uint32_t version;
    /// APUS_LOCAL_NOTHING and the like.
    uint8_t reads;
    /// Writes succeed, whatever they say.
    uint8_t discards;
    /// The file ends at `size`; else the kernel knows what comes there.
    uint8_t ends;
    uint8_t padding;
    /// The configuration's `files_epoch` for which all of this holds.
    uint64_t epoch;
    /// It holds up to these ticks of the processor's clock.
    uint64_t until;
    uint64_t address;
    uint64_t size;
    uint64_t line_padding[3];
};

/// Places for sleepers; the first is nobody's.
#define APUS_WAKE_WORDS 1008

struct apus_doorbell {
    uint32_t word;
    uint32_t padding[15];
    /// Counted up before who sleeps on it is woken, by the kernel or by a stub that was told to. Any guest can write here: who
    /// wakes too early sleeps on, and who was not woken is woken by the kernel after a while.
    uint32_t wake[APUS_WAKE_WORDS];
};

// --- The stub as the kernel sees it -----------------------------------------------------------------------------------

/// The stub's code, to be copied to APUS_STUB_BASE.
const void *apus_stub_image(void);
size_t apus_stub_image_size(void);

/// The code of the guest's vDSO, position independent, and where in it a function begins; APUS_VDSO_FUNCTIONS gives its end.
const void *apus_vdso_code(void);
size_t apus_vdso_code_size(void);
size_t apus_vdso_function(int index);

#define APUS_HOST_VDSO_PARTS 4

/// The mappings of the host's vDSO in this process, ascending and without gaps; the last is the image itself.
struct apus_host_vdso {
    uint32_t count;
    uint64_t start[APUS_HOST_VDSO_PARTS];
    uint64_t size[APUS_HOST_VDSO_PARTS];
};

/// Adds a mapping; more than fit are left out.
void apus_host_vdso_add(struct apus_host_vdso *vdso, uint64_t start, uint64_t size);

/// Moves them to APUS_STUB_HOST_VDSO. 0 when the host refuses: then they are of no use any more.
int apus_stub_keep_host_vdso(const struct apus_host_vdso *vdso);

/// Where patched call sites jump to, in the guest.
uint64_t apus_stub_call_entry(void);

/// Where the tracer sends a thread with commands, its block in the first argument; and where a stub stands that has told it
/// something.
uint64_t apus_stub_order_entry(void);
uint64_t apus_stub_told_address(void);

/// A BPF program.
struct apus_filter {
    const void *instructions;
    size_t count;
};

/// Forks the calling process, which has one thread, and turns the child into the sleeping template at slot 0: it maps the
/// stub, installs handlers, user dispatch and the filter, and asks the kernel at once. It keeps `vdso`. The filter is `asking`,
/// with its listener at APUS_LISTENER, or `other` where the host refuses that or `asking` is empty; what is traced does without
/// where the host refuses both. Returns the child's number or a negated errno. When a step fails the child exits with 100 plus the step's number.
int apus_stub_spawn_template(int contexts, int config, int doorbell, int socket, struct apus_filter asking,
                             struct apus_filter other, const struct apus_host_vdso *vdso);
