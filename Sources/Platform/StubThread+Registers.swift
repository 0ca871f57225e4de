package import LinuxABI

/// A stub thread's registers, in its block.
extension StubThread {
    /// The guest's registers as the stub saved them.
    package func readRegisters() -> UserRegisters {
        let words = memory.load(InlineArray<20, UInt>.self, at: cold)
        var r = UserRegisters()
        r.r15 = words[0]
        r.r14 = words[1]
        r.r13 = words[2]
        r.r12 = words[3]
        r.rbp = words[4]
        r.rbx = words[5]
        r.r11 = words[6]
        r.r10 = words[7]
        r.r9 = words[8]
        r.r8 = words[9]
        r.rax = words[10]
        r.rcx = words[11]
        r.rdx = words[12]
        r.rsi = words[13]
        r.rdi = words[14]
        r.rip = words[16]
        r.flags = words[17]
        r.rsp = words[18]
        r.fsBase = words[19]
        return r
    }

    func writeRegisters(_ r: UserRegisters) {
        let words: InlineArray<20, UInt> = [
            r.r15, r.r14, r.r13, r.r12, r.rbp, r.rbx, r.r11, r.r10, r.r9, r.r8, r.rax, r.rcx, r.rdx, r.rsi, r.rdi,
            r.rax,
            r.rip, r.flags, r.rsp, r.fsBase,
        ]
        for index in 0..<20 { memory.store(words[index], at: cold + 8 * index) }
    }

    /// Only the FS base, for `arch_prctl(2)`.
    package func setFSBase(_ value: UInt) { memory.store(value, at: cold + 8 * 19) }

    /// The guest's GS base, for `arch_prctl(2)`; 0 for none. The stub loads it as the last thing before guest code.
    package var gsBase: UInt {
        get { memory.load(at: cold + Cold.gsBase) }
        set { memory.store(newValue, at: cold + Cold.gsBase) }
    }
}
