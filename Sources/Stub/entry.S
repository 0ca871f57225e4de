// The stub's ways in and out that C cannot express. Offsets are those of `struct apus_cold`; %gs holds the thread's block.
#define REGISTER(n) (8 * (n))
#define STACK_TOP 160
#define IN_STUB 168
#define INTERRUPT_PENDING 172
#define FP_MASK 176
#define FP_POINTER 184

    .section apus_stub, "ax", @progbits

// The host's return from a signal handler.
    .globl apus_stub_restorer
    .hidden apus_stub_restorer
apus_stub_restorer:
    mov $15, %eax
    syscall
    ud2

// Leaves the stub for guest code with every register from the thread's block.
// Until the last instruction the block holds the complete state, so an interrupt inside the window loses nothing.
    .globl apus_stub_leave
    .hidden apus_stub_leave
apus_stub_leave:
    mov %gs:FP_POINTER, %rcx
    mov %gs:FP_MASK, %eax
    xor %edx, %edx
    .globl apus_stub_xrstor
    .hidden apus_stub_xrstor
apus_stub_xrstor:
    xrstor64 (%rcx)
    // Not before: a signal that comes in here is written below %rsp, over the frame that was just loaded.
    mov %gs:STACK_TOP, %rsp
    // Here for a guest whose floating-point state is live.
    .globl apus_stub_leave_begin
    .hidden apus_stub_leave_begin
apus_stub_leave_begin:
    movl $0, %gs:IN_STUB
    cmpl $0, %gs:INTERRUPT_PENDING
    jne apus_stub_leave_interrupted
    mov %gs:REGISTER(19), %rax
    wrfsbase %rax
    mov %gs:REGISTER(0), %r15
    mov %gs:REGISTER(1), %r14
    mov %gs:REGISTER(2), %r13
    mov %gs:REGISTER(3), %r12
    mov %gs:REGISTER(4), %rbp
    mov %gs:REGISTER(5), %rbx
    mov %gs:REGISTER(6), %r11
    mov %gs:REGISTER(7), %r10
    mov %gs:REGISTER(8), %r9
    mov %gs:REGISTER(9), %r8
    mov %gs:REGISTER(10), %rax
    mov %gs:REGISTER(11), %rcx
    mov %gs:REGISTER(12), %rdx
    mov %gs:REGISTER(13), %rsi
    mov %gs:REGISTER(14), %rdi
    push %gs:REGISTER(17)
    popfq
    mov %gs:REGISTER(18), %rsp
    jmp *%gs:REGISTER(16)
    .globl apus_stub_leave_end
    .hidden apus_stub_leave_end
apus_stub_leave_end:

// The same for a thread whose floating-point state is the guest's already.
    .globl apus_stub_leave_live
    .hidden apus_stub_leave_live
apus_stub_leave_live:
    mov %gs:STACK_TOP, %rsp
    jmp apus_stub_leave_begin

// Where patched call sites come in: the call's number in %rax, the address after it in %rcx, everything else the guest's.
// No flag may change before they are saved, and nothing of ours is to be found where %gs is the guest's.
    .globl apus_stub_enter
    .hidden apus_stub_enter
apus_stub_enter:
    rdgsbase %r11
    rorx $32, %r11, %r11
    xchg %r11, %rcx
    lea -0x7ef0(%rcx), %ecx
    jecxz 1f
    .globl apus_stub_foreign_gs
    .hidden apus_stub_foreign_gs
apus_stub_foreign_gs:
    ud2
1:  movl $1, %gs:IN_STUB
    mov %r11, %gs:REGISTER(16)
    mov %r11, %gs:REGISTER(11)
    mov %rsp, %gs:REGISTER(18)
    mov %gs:STACK_TOP, %rsp
    pushfq
    pop %r11
    mov %r11, %gs:REGISTER(17)
    mov %r11, %gs:REGISTER(6)
    mov %r15, %gs:REGISTER(0)
    mov %r14, %gs:REGISTER(1)
    mov %r13, %gs:REGISTER(2)
    mov %r12, %gs:REGISTER(3)
    mov %rbp, %gs:REGISTER(4)
    mov %rbx, %gs:REGISTER(5)
    mov %r10, %gs:REGISTER(7)
    mov %r9, %gs:REGISTER(8)
    mov %r8, %gs:REGISTER(9)
    mov %rax, %gs:REGISTER(10)
    mov %rax, %gs:REGISTER(15)
    mov %rdx, %gs:REGISTER(12)
    mov %rsi, %gs:REGISTER(13)
    mov %rdi, %gs:REGISTER(14)
    rdfsbase %rax
    mov %rax, %gs:REGISTER(19)
    cld
    rdgsbase %rdi
    call apus_stub_on_call
// The way back, where nothing but rax has changed: C code keeps rbx, rbp and r12 to r15. The block holds the complete state
// here, too.
    .globl apus_stub_return_begin
    .hidden apus_stub_return_begin
apus_stub_return_begin:
    movl $0, %gs:IN_STUB
    cmpl $0, %gs:INTERRUPT_PENDING
    jne apus_stub_leave_interrupted
    mov %gs:REGISTER(6), %r11
    mov %gs:REGISTER(7), %r10
    mov %gs:REGISTER(8), %r9
    mov %gs:REGISTER(9), %r8
    mov %gs:REGISTER(10), %rax
    mov %gs:REGISTER(11), %rcx
    mov %gs:REGISTER(12), %rdx
    mov %gs:REGISTER(13), %rsi
    mov %gs:REGISTER(14), %rdi
    push %gs:REGISTER(17)
    popfq
    mov %gs:REGISTER(18), %rsp
    jmp *%gs:REGISTER(16)
    .globl apus_stub_return_end
    .hidden apus_stub_return_end
apus_stub_return_end:

// void apus_stub_save_floating_point(block): into the block's area, where the kernel sees it.
    .globl apus_stub_save_floating_point
    .hidden apus_stub_save_floating_point
apus_stub_save_floating_point:
    lea 0x1000(%rdi), %rcx
    mov FP_MASK(%rdi), %eax
    xor %edx, %edx
    xsave64 (%rcx)
    mov %rcx, FP_POINTER(%rdi)
    ret

// void apus_stub_load_floating_point(block): what the block says, which is then live.
    .globl apus_stub_load_floating_point
    .hidden apus_stub_load_floating_point
apus_stub_load_floating_point:
    mov FP_POINTER(%rdi), %rcx
    mov FP_MASK(%rdi), %eax
    xor %edx, %edx
    xrstor64 (%rcx)
    movq $0, FP_POINTER(%rdi)
    ret

// long apus_stub_xsave(area, components), long apus_stub_xrstor_from(area, components): between the registers and guest memory;
// -EFAULT for what is not there, or what the processor refuses.
    .globl apus_stub_xsave
    .hidden apus_stub_xsave
    .globl apus_stub_xrstor_from
    .hidden apus_stub_xrstor_from
    .globl apus_stub_state_begin
    .hidden apus_stub_state_begin
apus_stub_state_begin:
apus_stub_xsave:
    mov %esi, %eax
    xor %edx, %edx
    xsave64 (%rdi)
    xor %eax, %eax
    ret
apus_stub_xrstor_from:
    mov %esi, %eax
    xor %edx, %edx
    xrstor64 (%rdi)
    xor %eax, %eax
    ret
    .globl apus_stub_state_end
    .hidden apus_stub_state_end
apus_stub_state_end:
    mov $-14, %rax
    ret

// The state that a handler begins with: nothing present, which is the initial state of everything, and mxcsr.
    .balign 64
    .globl apus_stub_initial_state
    .hidden apus_stub_initial_state
apus_stub_initial_state:
    .zero 24
    .long 0x1f80
    .zero 576 - 28

// Makes a host signal's frame for a thread that has come in by none and needs one to leave by.
    .globl apus_stub_leave_by_trap
    .hidden apus_stub_leave_by_trap
apus_stub_leave_by_trap:
    int3
    .globl apus_stub_trapped
    .hidden apus_stub_trapped
apus_stub_trapped:
    ud2

// Where the kernel traces the stub: it sees this stop, and has the thread go on elsewhere.
    .globl apus_stub_tell
    .hidden apus_stub_tell
apus_stub_tell:
    int3
    .globl apus_stub_told
    .hidden apus_stub_told
apus_stub_told:
    ud2

// An interrupt came while the stub worked: tell the kernel before the guest runs. The guest's floating-point state is
// live already; save it where the kernel can see it.
apus_stub_leave_interrupted:
    movl $1, %gs:IN_STUB
    rdgsbase %rdi
    mov %gs:STACK_TOP, %rsp
    call apus_stub_save_floating_point
    rdgsbase %rdi
    call apus_stub_report_interrupt
    jmp apus_stub_leave

// long apus_stub_clone_thread(flags, stack, alive, block, function)
// The child has no stack but the new one and calls function(block).
    .globl apus_stub_clone_thread
    .hidden apus_stub_clone_thread
apus_stub_clone_thread:
    push %r12
    push %r13
    mov %rcx, %r12
    mov %r8, %r13
    mov %rdx, %r10
    xor %edx, %edx
    xor %r8d, %r8d
    mov $56, %eax
    syscall
    test %rax, %rax
    jz 1f
    pop %r13
    pop %r12
    ret
1:  mov %r12, %rdi
    xor %ebp, %ebp
    call *%r13
    ud2

// long apus_stub_clone_process(flags, contexts descriptor, socket descriptor, block, function)
// The child finds its parent's contexts gone (they are not inherited), so it has neither stack nor %gs block until it
// has mapped its own at the same place; then it calls function(block, socket descriptor).
    .globl apus_stub_clone_process
    .hidden apus_stub_clone_process
apus_stub_clone_process:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsi, %r12
    mov %rdx, %r13
    mov %rcx, %r14
    mov %r8, %r15
    xor %esi, %esi
    xor %edx, %edx
    xor %r10d, %r10d
    xor %r8d, %r8d
    mov $56, %eax
    syscall
    test %rax, %rax
    jz 1f
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
1:  movabs $0x7ef000100000, %rdi
    mov $0x4000000, %esi
    mov $3, %edx
    mov $0x11, %r10d
    mov %r12, %r8
    xor %r9d, %r9d
    mov $9, %eax
    syscall
    cmp %rdi, %rax
    jne 2f
    lea 0xffc0(%r14), %rsp
    xor %ebp, %ebp
    mov %r14, %rdi
    mov %r13, %rsi
    call *%r15
2:  mov $60, %eax
    mov $99, %edi
    syscall
    ud2

// long apus_stub_copy(destination, source, count): bytes not copied. A fault inside resumes at apus_stub_copy_fault.
    .globl apus_stub_copy
    .hidden apus_stub_copy
apus_stub_copy:
    mov %rdx, %rcx
    .globl apus_stub_copy_begin
    .hidden apus_stub_copy_begin
apus_stub_copy_begin:
    rep movsb
    .globl apus_stub_copy_end
    .hidden apus_stub_copy_end
apus_stub_copy_end:
    mov %rcx, %rax
    ret

// long apus_stub_copy_string(destination, source, limit): bytes copied with the NUL, or -1 without one in reach.
    .globl apus_stub_copy_string
    .hidden apus_stub_copy_string
apus_stub_copy_string:
    xor %eax, %eax
    .globl apus_stub_string_begin
    .hidden apus_stub_string_begin
apus_stub_string_begin:
    cmp %rdx, %rax
    jae 1f
    mov (%rsi, %rax), %cl
    mov %cl, (%rdi, %rax)
    inc %rax
    test %cl, %cl
    jnz apus_stub_string_begin
    ret
1:
    .globl apus_stub_string_end
    .hidden apus_stub_string_end
apus_stub_string_end:
    mov $-1, %rax
    ret

// long apus_stub_zero(destination, count): bytes not zeroed.
    .globl apus_stub_zero
    .hidden apus_stub_zero
apus_stub_zero:
    mov %rsi, %rcx
    xor %eax, %eax
    .globl apus_stub_zero_begin
    .hidden apus_stub_zero_begin
apus_stub_zero_begin:
    rep stosb
    .globl apus_stub_zero_end
    .hidden apus_stub_zero_end
apus_stub_zero_end:
    mov %rcx, %rax
    ret

// long apus_stub_update(const uint64_t *arguments): see APUS_COMMAND_UPDATE_WORD; -EFAULT where no such word is.
    .globl apus_stub_update
    .hidden apus_stub_update
apus_stub_update:
    mov (%rdi), %rsi
    mov 8(%rdi), %r8d
    mov 16(%rdi), %r9d
    mov 24(%rdi), %r10d
    mov 32(%rdi), %r11d
    mov 40(%rdi), %edx
    .globl apus_stub_update_begin
    .hidden apus_stub_update_begin
apus_stub_update_begin:
    mov (%rsi), %eax
1:  mov %eax, %ecx
    and %r8d, %ecx
    cmp %r9d, %ecx
    jne 2f
    mov %eax, %ecx
    and %r10d, %ecx
    xor %r11d, %ecx
    add %edx, %ecx
    lock cmpxchg %ecx, (%rsi)
    jne 1b
2:  mov %eax, %eax
    ret
    .globl apus_stub_update_end
    .hidden apus_stub_update_end
apus_stub_update_end:
    mov $-14, %rax
    ret

// long apus_stub_watch(address, value, ticks): 1 as soon as the word is another; 0 when the time is over, an interrupt has
// come, or no such word is.
    .globl apus_stub_watch
    .hidden apus_stub_watch
apus_stub_watch:
    mov %rdx, %r8
    rdtsc
    shl $32, %rdx
    lea (%rdx, %rax), %r9
    .globl apus_stub_watch_begin
    .hidden apus_stub_watch_begin
apus_stub_watch_begin:
    cmp %esi, (%rdi)
    jne 1f
    cmpl $0, %gs:INTERRUPT_PENDING
    jne apus_stub_watch_end
    pause
    rdtsc
    shl $32, %rdx
    or %rdx, %rax
    sub %r9, %rax
    cmp %r8, %rax
    jb apus_stub_watch_begin
    jmp apus_stub_watch_end
1:  mov $1, %eax
    ret
    .globl apus_stub_watch_end
    .hidden apus_stub_watch_end
apus_stub_watch_end:
    xor %eax, %eax
    ret

// long apus_stub_futex_sleep(address, operation, value): futex(2) without a timeout, or -512 if an interrupt has come before. One
// that comes between the look and the call goes to apus_stub_futex_end: see `apus_stub_on_signal`.
    .globl apus_stub_futex_sleep
    .hidden apus_stub_futex_sleep
apus_stub_futex_sleep:
    xor %r10d, %r10d
    xor %r8d, %r8d
    xor %r9d, %r9d
    .globl apus_stub_futex_begin
    .hidden apus_stub_futex_begin
apus_stub_futex_begin:
    cmpl $0, %gs:INTERRUPT_PENDING
    jne apus_stub_futex_end
    mov $202, %eax
    .globl apus_stub_futex_sleeps
    .hidden apus_stub_futex_sleeps
apus_stub_futex_sleeps:
    syscall
    ret
    .globl apus_stub_futex_end
    .hidden apus_stub_futex_end
apus_stub_futex_end:
    mov $-512, %rax
    ret

    .section .note.GNU-stack, "", @progbits
