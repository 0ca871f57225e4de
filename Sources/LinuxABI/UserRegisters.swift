/// The general registers of an x86-64 guest thread, canonical: `rip` is never inside the stub.
package struct UserRegisters: Hashable, Sendable {
    package var r15: UInt = 0
    package var r14: UInt = 0
    package var r13: UInt = 0
    package var r12: UInt = 0
    package var rbp: UInt = 0
    package var rbx: UInt = 0
    package var r11: UInt = 0
    package var r10: UInt = 0
    package var r9: UInt = 0
    package var r8: UInt = 0
    package var rax: UInt = 0
    package var rcx: UInt = 0
    package var rdx: UInt = 0
    package var rsi: UInt = 0
    package var rdi: UInt = 0
    package var rip: UInt = 0
    /// `eflags`, as `pushfq` shows it.
    package var flags: UInt = 0x202
    package var rsp: UInt = 0
    package var fsBase: UInt = 0

    package init() {}
}
