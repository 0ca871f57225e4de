import GuestMemory
import LinuxABI
import Platform

/// A guest made of a few machine instructions, and the kernel's side of its conversation.
final class TinyGuest {
    static let codeBase: UInt = 0x10_0000
    static let stackTop: UInt = 0x20_0000

    let platform: TrapPlatform
    private(set) var thread: StubThread

    /// Starts a guest that executes `code` at `codeBase` with a small stack.
    init(platform: TrapPlatform, code: [UInt8]) throws {
        self.platform = platform
        thread = try platform.newProcess()
        let (ready, event) = try TinyGuest.next(platform)
        guard ready === thread, case .ready = event else { throw Unexpected("\(event)") }
        try thread.process.confirm()
        var answer = StubAnswer()
        answer.commands = [
            // Readable, writable, executable; private, anonymous, fixed.
            .mapAnonymous(address: TinyGuest.codeBase, length: 0x10000, protection: 7, flags: 0x32),
            .mapAnonymous(address: TinyGuest.stackTop - 0x10000, length: 0x10000, protection: 3, flags: 0x32),
        ]
        answer.reports = true
        try thread.answer(answer)
        guard case .commandsDone(_, nil) = try TinyGuest.next(platform).event else { throw Unexpected("no memory") }
        try thread.process.memory.write(code.span, at: TinyGuest.codeBase)
        var start = StubAnswer()
        var registers = UserRegisters()
        registers.rip = TinyGuest.codeBase
        registers.rsp = TinyGuest.stackTop
        start.registers = registers
        try thread.answer(start)
    }

    struct Unexpected: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    /// The next event of any guest; throws after some 10 s without one, which only a broken stub can cause.
    static func next(_ platform: TrapPlatform) throws -> (thread: StubThread, event: StubEvent) {
        for _ in 0..<1000 {
            if let next = platform.nextEvent() { return next }
            _ = platform.takeSignals()
            platform.wait(until: TinyGuest.soon)
        }
        throw Unexpected("no event")
    }

    private static var soon: MonotonicTime {
        MonotonicTime(nanoseconds: Int64(ContinuousClock.now.duration(to: .now).components.attoseconds))
    }

    func nextEvent() throws -> StubEvent { try TinyGuest.next(platform).event }

    /// The next event, which must be a system call.
    func nextCall() throws -> (number: Int, arguments: ArgumentRegisters) {
        let event = try nextEvent()
        guard case .syscall(let number, let arguments) = event else { throw Unexpected("\(event)") }
        return (number, arguments)
    }

    func end() { thread.process.kill() }
}

/// Machine code, written one instruction at a time.
struct Assembler {
    private(set) var bytes: [UInt8] = []

    mutating func raw(_ more: UInt8...) { bytes += more }

    /// `mov $value, %eax; syscall`
    mutating func call(_ number: UInt32) {
        bytes.append(0xb8)
        for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
        bytes += [0x0f, 0x05]
    }

    /// `mov $value, %rdi`, sign-extended.
    mutating func loadArgument(_ value: Int32) {
        bytes += [0x48, 0xc7, 0xc7]
        for shift in [0, 8, 16, 24] as [Int32] { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    /// `jmp` to itself.
    mutating func spin() { bytes += [0xeb, 0xfe] }
}
