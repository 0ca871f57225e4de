/// The part of x86-64's `struct sigcontext` that the kernel reads and writes: registers, the last fault, and where the
/// floating-point state stands. 192 bytes; 64 reserved ones, which the kernel never touches, follow in memory.
package struct SignalContext: GuestStructure, Sendable, Equatable {
    package var registers: UserRegisters
    package var codeSegment: UInt16 = 0x33
    package var stackSegment: UInt16 = 0x2b
    /// The page-fault error code, trap number and address of the thread's last fault.
    package var error: UInt = 0
    package var trap: UInt = 0
    package var faultAddress: UInt = 0
    /// The mask's first word once more, for programs older than real-time signals.
    package var oldMask: UInt = 0
    /// Address of the XSAVE area; 0 for none.
    package var floatingPoint: UInt = 0

    package init(registers: UserRegisters) { self.registers = registers }

    package static var size: Int { 192 }
    package static let reservedSize = 64

    package init(from reader: inout ByteReader) {
        var r = UserRegisters()
        r.r8 = reader.take()
        r.r9 = reader.take()
        r.r10 = reader.take()
        r.r11 = reader.take()
        r.r12 = reader.take()
        r.r13 = reader.take()
        r.r14 = reader.take()
        r.r15 = reader.take()
        r.rdi = reader.take()
        r.rsi = reader.take()
        r.rbp = reader.take()
        r.rbx = reader.take()
        r.rdx = reader.take()
        r.rax = reader.take()
        r.rcx = reader.take()
        r.rsp = reader.take()
        r.rip = reader.take()
        r.flags = reader.take()
        registers = r
        codeSegment = reader.take()
        reader.skip(4)
        stackSegment = reader.take()
        error = reader.take()
        trap = reader.take()
        oldMask = reader.take()
        faultAddress = reader.take()
        floatingPoint = reader.take()
    }

    package func encode(to writer: inout ByteWriter) {
        let r = registers
        let words: InlineArray<18, UInt> = [
            r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.rdi, r.rsi, r.rbp, r.rbx, r.rdx, r.rax, r.rcx,
            r.rsp, r.rip, r.flags,
        ]
        for index in words.indices { writer.put(words[index]) }
        writer.put(codeSegment)
        writer.pad(4)  // gs and fs selectors
        writer.put(stackSegment)
        writer.put(error)
        writer.put(trap)
        writer.put(oldMask)
        writer.put(faultAddress)
        writer.put(floatingPoint)
    }
}

/// Where the parts of x86-64's `struct rt_sigframe` stand, from its beginning.
package enum SignalFrameLayout {
    /// Return address of the handler: the restorer.
    package static let returnAddress: UInt = 0
    /// `struct ucontext`: flags, link, stack, `sigcontext`, mask.
    package static let context: UInt = 8
    package static let stack: UInt = 24
    package static let registers: UInt = 48
    package static let mask: UInt = 304
    package static let info: UInt = 312
    package static let size: UInt = 440
    /// What `rt_sigreturn` reads, from `context` on.
    package static let returnSize = Int(info - context)

    /// `UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS`.
    package static let contextFlags: UInt = 7
    /// Bytes below rsp that leaf functions use.
    package static let redZone: UInt = 128
}

/// `struct _fpx_sw_bytes`: what the kernel writes at 464 of the floating-point state in a frame.
package struct FloatingPointSoftwareBytes: GuestStructure, Sendable, Equatable {
    package static let offset = 464
    package static let magic1: UInt32 = 0x4650_5853
    package static let magic2: UInt32 = 0x4650_5845

    package var magic: UInt32 = 0
    /// Of the state with `magic2` behind it.
    package var extendedSize: UInt32 = 0
    /// The components that the state holds.
    package var features: UInt64 = 0
    /// Of the state itself.
    package var stateSize: UInt32 = 0

    package init() {}

    package static var size: Int { 48 }

    package init(from reader: inout ByteReader) {
        magic = reader.take()
        extendedSize = reader.take()
        features = reader.take()
        stateSize = reader.take()
    }

    package func encode(to writer: inout ByteWriter) {
        writer.put(magic)
        writer.put(extendedSize)
        writer.put(features)
        writer.put(stateSize)
        writer.pad(28)
    }
}
