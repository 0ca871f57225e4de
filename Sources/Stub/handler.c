// What runs on the thread's own host-signal stack: trapped calls, faults, interrupts.
#include "internal.h"

static void save_registers(struct apus_cold *cold, const greg_t *g, uint64_t fs_base) {
    uint64_t *r = cold->registers;
    r[APUS_R15] = g[REG_R15];
    r[APUS_R14] = g[REG_R14];
    r[APUS_R13] = g[REG_R13];
    r[APUS_R12] = g[REG_R12];
    r[APUS_RBP] = g[REG_RBP];
    r[APUS_RBX] = g[REG_RBX];
    r[APUS_R11] = g[REG_R11];
    r[APUS_R10] = g[REG_R10];
    r[APUS_R9] = g[REG_R9];
    r[APUS_R8] = g[REG_R8];
    r[APUS_RAX] = g[REG_RAX];
    r[APUS_ORIGINAL_RAX] = g[REG_RAX];
    r[APUS_RCX] = g[REG_RCX];
    r[APUS_RDX] = g[REG_RDX];
    r[APUS_RSI] = g[REG_RSI];
    r[APUS_RDI] = g[REG_RDI];
    r[APUS_RIP] = g[REG_RIP];
    r[APUS_FLAGS] = g[REG_EFL];
    r[APUS_RSP] = g[REG_RSP];
    r[APUS_FS_BASE] = fs_base;
}

/// Holds interrupts back until the host's return from the signal lets them in again, and reports one that has come.
static void hold_interrupts(struct apus_cold *cold) {
    uint64_t set = 1ul << (INTERRUPT_SIGNAL - 1);
    for (;;) {
        host_call(SYS_rt_sigprocmask, SIG_BLOCK, (long)&set, 0, 8, 0, 0);
        if (!cold->interrupt_pending) return;
        host_call(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&set, 0, 8, 0, 0);
        apus_stub_report_interrupt(cold);
    }
}

/// Leaves by the host's own return from the signal, which alone can set the trap flag so that nothing before the guest's
/// next instruction is trapped, and does not need %gs to the last. The frame gets the block's registers and
/// floating-point state.
static void leave_by_frame(struct apus_cold *cold, ucontext_t *user) {
    if (cold->gs_base) hold_interrupts(cold);
    const uint64_t *r = cold->registers;
    greg_t *g = user->uc_mcontext.gregs;
    g[REG_R15] = (greg_t)r[APUS_R15];
    g[REG_R14] = (greg_t)r[APUS_R14];
    g[REG_R13] = (greg_t)r[APUS_R13];
    g[REG_R12] = (greg_t)r[APUS_R12];
    g[REG_RBP] = (greg_t)r[APUS_RBP];
    g[REG_RBX] = (greg_t)r[APUS_RBX];
    g[REG_R11] = (greg_t)r[APUS_R11];
    g[REG_R10] = (greg_t)r[APUS_R10];
    g[REG_R9] = (greg_t)r[APUS_R9];
    g[REG_R8] = (greg_t)r[APUS_R8];
    g[REG_RAX] = (greg_t)r[APUS_RAX];
    g[REG_RCX] = (greg_t)r[APUS_RCX];
    g[REG_RDX] = (greg_t)r[APUS_RDX];
    g[REG_RSI] = (greg_t)r[APUS_RSI];
    g[REG_RDI] = (greg_t)r[APUS_RDI];
    g[REG_RIP] = (greg_t)r[APUS_RIP];
    g[REG_EFL] = (greg_t)r[APUS_FLAGS];
    g[REG_RSP] = (greg_t)r[APUS_RSP];
    char *frame = (char *)user->uc_mcontext.fpregs;
    const char *state = (const char *)cold->fp_pointer;
    // None where the guest's is live, as the frame has it.
    if (state && state != frame) {
        // Not the 48 bytes in which the host describes its frame.
        uint64_t size = CONFIG->fp_size;
        if (size > APUS_FP_AREA_SIZE) size = APUS_FP_AREA_SIZE;
        apus_stub_copy(frame, state, 464);
        if (size > 512) apus_stub_copy(frame + 512, state + 512, size - 512);
    }
    __asm__ volatile("wrfsbase %0" ::"r"(r[APUS_FS_BASE]));
    // An interrupt from here on waits until the guest has made its one step, or the host has let it in.
    cold->in_stub = 0;
    if (cold->gs_base) __asm__ volatile("wrgsbase %0" ::"r"(cold->gs_base));
}

/// A fault in one of the stub's own copies ends the copy, not the guest.
static int recover_copy(greg_t *g) {
    uint64_t rip = (uint64_t)g[REG_RIP];
    if (rip >= (uint64_t)apus_stub_copy_begin && rip < (uint64_t)apus_stub_copy_end)
        g[REG_RIP] = (greg_t)apus_stub_copy_end;
    else if (rip >= (uint64_t)apus_stub_zero_begin && rip < (uint64_t)apus_stub_zero_end)
        g[REG_RIP] = (greg_t)apus_stub_zero_end;
    else if (rip >= (uint64_t)apus_stub_string_begin && rip < (uint64_t)apus_stub_string_end)
        g[REG_RIP] = (greg_t)apus_stub_string_end;
    else if (rip >= (uint64_t)apus_stub_update_begin && rip < (uint64_t)apus_stub_update_end)
        g[REG_RIP] = (greg_t)apus_stub_update_end;
    else if (rip >= (uint64_t)apus_stub_watch_begin && rip < (uint64_t)apus_stub_watch_end)
        g[REG_RIP] = (greg_t)apus_stub_watch_end;
    else if (rip >= (uint64_t)apus_stub_state_begin && rip < (uint64_t)apus_stub_state_end)
        g[REG_RIP] = (greg_t)apus_stub_state_end;
    else
        return 0;
    return 1;
}

/// Counts the traps of a call site, by the address after it. True at every so-many-th.
static int is_hot_site(struct apus_cold *cold, uint64_t rip) {
    uint32_t threshold = CONFIG->patch_after;
    if (threshold == 0) return 0;
    struct apus_site *site = &cold->sites[(rip ^ rip >> 6) % APUS_COUNTED_SITES];
    if (site->address != rip) {
        site->address = rip;
        site->traps = 0;
    }
    site->traps++;
    return site->traps % threshold == 0;
}

/// Whether a trapped call is one of 64-bit code, by its registers: the host writes no siginfo for it.
static int is_native_call(const greg_t *g) {
    uint64_t rip = (uint64_t)g[REG_RIP];
    uint8_t before[2];
    // 32-bit code.
    if ((g[REG_CSGSFS] & 0xffff) == 0x23) return 0;
    // What the instruction `syscall` leaves there. Not so with `int $0x80`, nor where the host has trapped a call of its vsyscall
    // page and gone back to the caller.
    if ((uint64_t)g[REG_RCX] == rip || apus_stub_copy(before, (const void *)(rip - 2), 2)) return 1;
    return before[0] != 0xcd || before[1] != 0x80;
}

__attribute__((used)) HIDDEN void apus_stub_on_signal(int signal, siginfo_t *info, void *context) {
    ucontext_t *user = context;
    uint64_t stack;
    __asm__("mov %%rsp, %0" : "=r"(stack));
    struct apus_cold *cold = (struct apus_cold *)(stack & ~(APUS_BLOCK_SIZE - 1));
    struct apus_hot asked, *hot = &asked;
    greg_t *g = user->uc_mcontext.gregs;
    uint64_t rip = (uint64_t)g[REG_RIP];
    uint64_t fs_base, gs_base;
    int in_stub_code = rip >= APUS_STUB_BASE && rip < APUS_STUB_BASE + APUS_STUB_CODE_SIZE;

    __asm__ volatile("rdfsbase %0" : "=r"(fs_base));
    __asm__ volatile("rdgsbase %0" : "=r"(gs_base));
    // The guest can have a %gs of its own; nothing of ours may follow that. It comes back when the stub leaves.
    if (gs_base != (uint64_t)cold) {
        __asm__ volatile("wrgsbase %0" ::"r"((uint64_t)cold));
        cold->gs_base = gs_base;
    }
    if (signal == SIGTRAP && rip == (uint64_t)apus_stub_trapped) {
        leave_by_frame(cold, user);
        return;
    }

    int saved = 0, is_call = 0;
    if (signal == INTERRUPT_SIGNAL) {
        if (cold->in_stub) {
            cold->interrupt_pending = 1;
            // Between the look at that word and the sleep on a futex.
            if (rip >= (uint64_t)apus_stub_futex_begin && rip <= (uint64_t)apus_stub_futex_sleeps)
                g[REG_RIP] = (greg_t)apus_stub_futex_end;
            return;
        }
        if (in_stub_code) {
            if ((rip < (uint64_t)apus_stub_leave_begin || rip >= (uint64_t)apus_stub_leave_end) &&
                (rip < (uint64_t)apus_stub_return_begin || rip >= (uint64_t)apus_stub_return_end)) {
                cold->interrupt_pending = 1;
                return;
            }
            // On the way out: the block still holds every register, and the live vector registers are the guest's.
            saved = 1;
        }
    } else if (signal == SIGILL && rip == (uint64_t)apus_stub_foreign_gs) {
        // From a patched site, with a %gs of the guest's: it goes the way of a trapped call.
        g[REG_RIP] = g[REG_RCX] = g[REG_R11];
        g[REG_R11] = g[REG_EFL];
        is_call = 1;
    } else if (in_stub_code && signal != SIGSYS && recover_copy(g)) {
        return;
    }
    if (!saved) save_registers(cold, g, fs_base);
    cold->signal = (uint32_t)signal;
    cold->signal_code = signal == SIGSYS ? 0 : info->si_code;
    cold->fp_pointer = (uint64_t)user->uc_mcontext.fpregs;
    if (signal == SIGSYS || is_call) {
        hot->kind = is_call || is_native_call(g) ? APUS_KIND_SYSCALL : APUS_KIND_FOREIGN_CALL;
        hot->value = (uint64_t)(uint32_t)g[REG_RAX];
        hot->arguments[0] = (uint64_t)g[REG_RDI];
        hot->arguments[1] = (uint64_t)g[REG_RSI];
        hot->arguments[2] = (uint64_t)g[REG_RDX];
        hot->arguments[3] = (uint64_t)g[REG_R10];
        hot->arguments[4] = (uint64_t)g[REG_R8];
        hot->arguments[5] = (uint64_t)g[REG_R9];
    } else if (signal == INTERRUPT_SIGNAL) {
        hot->kind = APUS_KIND_INTERRUPTED;
        cold->interrupt_pending = 0;
    } else {
        hot->kind = APUS_KIND_FAULT;
        cold->fault_address = (uint64_t)info->si_addr;
        cold->fault_error = (uint64_t)g[REG_ERR];
        cold->fault_trap = (uint64_t)g[REG_TRAPNO];
    }
    cold->in_stub = 1;
    if (hot->kind == APUS_KIND_SYSCALL) {
        // A hot site is the kernel's to look at, even where the call is not. Not a restorer: unwinders know it by its bytes.
        apus_stub_call(cold, hot, signal == SIGSYS && hot->value != SYS_rt_sigreturn && is_hot_site(cold, rip));
    } else {
        apus_stub_converse(cold, hot);
    }
    if ((cold->registers[APUS_FLAGS] & TRAP_FLAG) || cold->gs_base) {
        // This frame's floating-point state is the old one where the guest's is live: it takes a new frame.
        if (!cold->fp_pointer) apus_stub_leave_by_trap();
        leave_by_frame(cold, user);
        return;
    }
    if (cold->fp_pointer) apus_stub_leave();
    apus_stub_leave_live();
}

/// Where a fresh template begins, on its own host-signal stack.
__attribute__((used)) HIDDEN void apus_stub_first(struct apus_cold *cold) {
    apus_stub_start_common(cold);
    apus_stub_report_and_run(cold);
}