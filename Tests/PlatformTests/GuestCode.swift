import Foundation
import GuestMemory
import HostSystem
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
        guard case .ready = try TinyGuest.next(platform, of: thread) else { throw Unexpected("not ready") }
        try thread.process.confirm()
        var answer = StubAnswer()
        answer.commands = [
            // Readable, writable, executable; private, anonymous, fixed.
            .mapAnonymous(address: TinyGuest.codeBase, length: 0x10000, protection: 7, flags: 0x32),
            .mapAnonymous(address: TinyGuest.stackTop - 0x10000, length: 0x10000, protection: 3, flags: 0x32),
        ]
        answer.reports = true
        try thread.answer(answer)
        guard case .commandsDone(_, nil) = try TinyGuest.next(platform, of: thread) else {
            throw Unexpected("no memory")
        }
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

    /// The next event of any guest. The watchdog's bite, after 20 s without one, tells where each thread hangs.
    static func next(_ platform: TrapPlatform) throws -> (thread: StubThread, event: StubEvent) {
        let end = Host.monotonic.nanoseconds + 20_000_000_000
        while Host.monotonic.nanoseconds < end {
            if let next = platform.nextEvent() { return next }
            _ = platform.takeSignals()
            platform.wait(until: MonotonicTime(nanoseconds: Host.monotonic.nanoseconds + 10_000_000))
        }
        throw Unexpected("no event for 20 s\n" + ThreadDump.ofChildren())
    }

    /// The next event of one guest. What others ask stays asked.
    static func next(_ platform: TrapPlatform, of thread: StubThread) throws -> StubEvent {
        while true {
            let next = try next(platform)
            if next.thread === thread { return next.event }
        }
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

/// What the host says of the processes that this thread has started: the stubs of its platform.
enum ThreadDump {
    /// Their numbers, in the order in which they were made; nil where the host does not tell.
    static var children: [Int32]? {
        let text = try? String(contentsOfFile: "/proc/thread-self/children", encoding: .utf8)
        return text?.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
    }

    static func ofChildren() -> String {
        (children ?? []).flatMap { process in
            let folder = "/proc/\(process)/task"
            let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return threads.sorted().map { thread in
                let facts = ["wchan", "syscall", "stat"].map { name in
                    let text = try? String(contentsOfFile: "\(folder)/\(thread)/\(name)", encoding: .utf8)
                    return "\(name) " + (text ?? "?").trimmingCharacters(in: .whitespacesAndNewlines).prefix(80)
                }
                return "process \(process), thread \(thread): " + facts.joined(separator: "; ")
            }
        }.joined(separator: "\n")
    }
}
