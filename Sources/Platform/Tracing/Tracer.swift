internal import HostSystem
internal import LinuxABI
internal import Stub

/// The kernel as the tracer of all stubs: what their host threads stop for goes to the `TracedThread` that it concerns.
final class Tracer {
    private var threads: [Int32: TracedThread] = [:]
    /// Threads and processes that have stopped before their makers told of them.
    private var newcomers: Set<Int32> = []
    private let filter = FilterMachine(program: StubFilter.program(asking: true))
    /// What the kernel has ordered.
    let clones = CloneGuard()
    let orderEntry = apus_stub_order_entry()
    let toldAddress = apus_stub_told_address()

    /// Something has happened to a child or a traced thread.
    /// - Returns: whether it has ended.
    func took(_ number: Int32, _ status: Int32) -> Bool {
        guard status & 0xff == 0x7f else {
            threads[number]?.isStopped = false
            threads[number] = nil
            newcomers.remove(number)
            return true
        }
        if let thread = threads[number] {
            thread.stopped(status)
        } else {
            newcomers.insert(number)
        }
        return false
    }

    /// From now on stops of the number are this thread's.
    func adopt(_ number: Int32, as thread: TracedThread) {
        thread.number = number
        threads[number] = thread
        if newcomers.remove(number) != nil { thread.begin() }
    }

    /// Whether a stub may make the call: as the filter has it that stands behind stubs that nobody traces.
    func admits(_ call: Host.TracedCall, of thread: Int32) -> Bool {
        let arguments = call.arguments.indices.map { call.arguments[$0] }
        let number = UInt32(truncatingIfNeeded: call.number)
        let verdict = try? filter.answer(number, arguments, architecture: call.architecture, from: call.address)
        return verdict == FilterInstruction.allow
            || verdict == FilterInstruction.ask && clones.admits(call, of: thread)
    }
}
