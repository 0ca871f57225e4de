// The functions of the guest's vDSO: a section of its own, around which the kernel builds an ELF image. Guests call these
// as C functions; they use nothing but registers that a call may change, and each ends in the host's function of that
// name, or, where the kernel has none to offer, in the system call.
//
// For every function there is an address in `struct apus_vdso_table`; 0 means the system call.
#define TABLE 0x7ef000013fc0
// CLOCK_REALTIME, MONOTONIC, MONOTONIC_RAW, REALTIME_COARSE, MONOTONIC_COARSE, BOOTTIME, TAI: what a vDSO knows.
#define CLOCKS 0x8f3

    .section apus_vdso, "ax", @progbits

    .macro function name
    .balign 32
    .globl apus_vdso_\name
    .hidden apus_vdso_\name
apus_vdso_\name:
    .endm

    .macro host_or_call slot, number
    movabs TABLE + 8 * \slot, %rax
    test %rax, %rax
    jz 1f
    jmp *%rax
1:  mov $\number, %eax
    syscall
    ret
    .endm

// As above for a clock in %edi: what only a system call knows is called here, so that it comes from the vDSO itself.
    .macro clock_or_call slot, number
    cmp $11, %edi
    ja 1f
    mov $CLOCKS, %eax
    bt %edi, %eax
    jnc 1f
    host_or_call \slot, \number
    .endm

function clock_gettime
    clock_or_call 0, 228
function gettimeofday
    host_or_call 1, 96
function time
    host_or_call 2, 201
function getcpu
    host_or_call 3, 309
function clock_getres
    clock_or_call 4, 229
    .balign 32
    .globl apus_vdso_end
    .hidden apus_vdso_end
apus_vdso_end:

    .section .note.GNU-stack, "", @progbits
