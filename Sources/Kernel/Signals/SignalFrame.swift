internal import GuestMemory
package import LinuxABI
internal import Platform

extension SignalAction {
    /// `SA_*` of `sigaction(2)`.
    package static let noChildStop: UInt = 0x1
    package static let noChildWait: UInt = 0x2
    package static let wantsInfo: UInt = 0x4
    package static let exposeTagBits: UInt = 0x800
    package static let hasRestorer: UInt = 0x0400_0000
    package static let onStack: UInt = 0x0800_0000
    package static let restart: UInt = 0x1000_0000
    package static let noDefer: UInt = 0x4000_0000
    package static let resetHandler: UInt = 0x8000_0000
}

/// x86-64's `rt_sigframe`, as Linux's `x64_setup_rt_frame` lays it on the guest's stack.
///
/// From the top: the interrupted code's red zone, the floating-point state on a multiple of 64 with its closing magic
/// number, the siginfo, the ucontext, the return address. At the handler's first instruction rsp is 8 below a multiple
/// of 16, as after a call.
extension GuestThread {
    /// Puts the frame of one handler on the stack and makes `registers` those of the handler's first instruction; the stub,
    /// which has the floating-point state, does the same with that. Throws EFAULT where there is no room.
    func enterHandler(for info: SignalInfo, _ action: SignalAction) throws(Errno) {
        typealias Layout = SignalFrameLayout
        guard action.flags & SignalAction.hasRestorer != 0 else { throw .EFAULT }
        let stack = signals.alternateStack
        let wasOnAlternate = stack.isInUse(at: registers.rsp)
        var pointer = registers.rsp &- Layout.redZone
        var entersAlternate = false
        if action.flags & SignalAction.onStack != 0, stack.mode(at: pointer) == 0 {
            pointer = stack.base &+ stack.size
            entersAlternate = true
        }

        let stateSize = kernel.platform?.frameStateSize ?? 0
        var statePointer: UInt = 0
        if stateSize > 0 {
            statePointer = (pointer &- UInt(stateSize)) & ~63
            pointer = statePointer
        }
        let frame = ((pointer &- Layout.size) & ~15) &- 8
        if wasOnAlternate || entersAlternate {
            guard stack.holds(frame) else { throw .EFAULT }
        }
        guard !frame.addingReportingOverflow(Layout.size).overflow else { throw .EFAULT }

        var bytes = frameBytes(info, action, floatingPoint: statePointer)
        if stateSize > 0 {
            let (end, overflow) = statePointer.addingReportingOverflow(UInt(stateSize))
            guard !overflow else { throw .EFAULT }
            // What may not take the state must say so now: the stub is too late for that. What lies between frame and state
            // is below the stack pointer and nobody's.
            if map?.areas.surelyTakes(frame..<end) != true { bytes.pad(to: Int(end &- frame)) }
            append(.pushState(address: statePointer))
            movesState = true
        }
        try copyOut(bytes.bytes, to: frame)

        var r = registers
        r.rdi = UInt(info.signal.rawValue)
        r.rsi = frame + Layout.info
        r.rdx = frame + Layout.context
        r.rax = 0
        r.rip = action.handler
        r.rsp = frame
        // Direction, trap and resume.
        r.flags &= ~0x1_0500
        registers = r

        signals.savedMask = nil
        if stack.flags & SignalStack.autoDisarm != 0 { signals.alternateStack = .disabled }
        var mask = signals.blocked.union(action.mask)
        if action.flags & SignalAction.noDefer == 0 { mask.insert(SignalSet(info.signal)) }
        setBlocked(mask)
    }

    private func frameBytes(_ info: SignalInfo, _ action: SignalAction, floatingPoint: UInt) -> ByteWriter {
        let mask = (signals.savedMask ?? signals.blocked).rawValue
        let stack = signals.alternateStack
        var context = SignalContext(registers: registers)
        context.error = signals.fault.error
        context.trap = signals.fault.trap
        context.faultAddress = signals.fault.address
        context.oldMask = UInt(mask)
        context.floatingPoint = floatingPoint

        var writer = ByteWriter(capacity: Int(SignalFrameLayout.size))
        writer.put(action.restorer)
        writer.put(floatingPoint == 0 ? SignalFrameLayout.contextFlags & ~1 : SignalFrameLayout.contextFlags)
        writer.put(UInt(0))  // uc_link
        SignalStack(base: stack.base, flags: stack.flags, length: stack.size).encode(to: &writer)
        context.encode(to: &writer)
        writer.pad(SignalContext.reservedSize)
        writer.put(mask)
        if action.flags & SignalAction.wantsInfo != 0 { info.encode(to: &writer) }
        writer.pad(to: Int(SignalFrameLayout.size))
        return writer
    }

    /// `rt_sigreturn(2)`: everything is as the frame says. What Linux does not let a program set stays. A frame that cannot
    /// be read, or floating-point state that the processor would refuse, is a SIGSEGV.
    /// - Returns: the restored rax.
    package func returnFromSignal() -> Int {
        signals.restartBlock = nil
        do throws(Errno) {
            try restoreFrame(at: registers.rsp &- 8)
        } catch {
            kernel.force(SignalInfo(kernel: .segmentationViolation), to: self)
            return 0
        }
        let result = Int(bitPattern: registers.rax)
        signals.restoredRegisters = GuestThread.asksForRestart(result)
        return result
    }

    private func restoreFrame(at frame: UInt) throws(Errno) {
        typealias Layout = SignalFrameLayout
        let bytes = try copyIn(Layout.returnSize, from: frame &+ Layout.context)
        var reader = ByteReader(bytes, from: Int(Layout.mask - Layout.context))
        setBlocked(SignalSet(rawValue: reader.take()))

        reader = ByteReader(bytes, from: Int(Layout.registers - Layout.context))
        let context = SignalContext(from: &reader)
        let old = registers
        var r = context.registers
        r.fsBase = old.fsBase
        r.flags = old.flags & ~GuestThread.settableFlags | r.flags & GuestThread.settableFlags
        registers = r
        registersChanged = true
        // A segment that is not 64-bit user code faults at once; one that is 32-bit code is beyond this kernel.
        guard context.codeSegment | 3 == 0x33 else { throw .EFAULT }
        // Where that fails, it is a SIGSEGV as well.
        append(.loadState(address: context.floatingPoint))
        movesState = true

        reader = ByteReader(bytes, from: Int(Layout.stack - Layout.context))
        // A stack that cannot be set is left as it is: the frame has been used all the same.
        try? setAlternateStack(SignalStack(from: &reader))
        if !hasReachableCode { postUnreachableCode() }
    }

    /// Carry, parity, adjust, zero, sign, trap, direction, overflow, resume, alignment check.
    private static let settableFlags: UInt = 0x5_0dd5

    /// `sigaltstack(2)`'s second half. Throws EPERM on the stack itself, EINVAL, ENOMEM.
    package func setAlternateStack(_ new: SignalStack) throws(Errno) {
        guard !signals.alternateStack.isInUse(at: registers.rsp) else { throw .EPERM }
        let mode = new.flags & ~SignalStack.autoDisarm
        guard mode == 0 || mode == SignalStack.disable || mode == SignalStack.onStack else { throw .EINVAL }
        var stack = AlternateStack()
        stack.flags = new.flags
        if mode != SignalStack.disable {
            guard new.length >= GuestThread.smallestAlternateStack else { throw .ENOMEM }
            stack.base = new.base
            stack.size = new.length
        }
        guard stack != signals.alternateStack else { return }
        stub?.withdrawHandlers()
        signals.alternateStack = stack
    }

    /// `MINSIGSTKSZ`.
    private static let smallestAlternateStack: UInt = 2048
}
