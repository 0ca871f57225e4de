internal import HostSystem
internal import LinuxABI
internal import Stub

/// Lets only those host threads and processes come into being that the kernel has ordered.
///
/// Each clone of a stub waits for the kernel's word (`SECCOMP_RET_USER_NOTIF`). It comes from the very thread that was told to
/// make it, once, with the arguments that the stub uses, all of them in registers; or its process is ended. Without a
/// listener, on hosts that refuse one, clones pass, and `TrapPlatform.endStrays` looks for what they have made.
final class CloneGuard {
    /// -1 without one.
    private let listener: Int32
    /// Who traces the stubs asks for each clone, and needs no listener.
    private let isAsked: Bool
    private var orders: [Order] = []

    fileprivate struct Order {
        let thread: StubThread
        let arguments: InlineArray<5, UInt64>
    }

    /// Takes over what stands at `number` in the template.
    init(listenerAt number: Int32, of template: Int32) {
        listener = (try? Host.takeDescriptor(number, of: template)) ?? -1
        isAsked = false
    }

    /// Of a kernel that traces the stubs.
    init() {
        listener = -1
        isAsked = true
    }

    deinit { if listener >= 0 { Host.close(listener) } }

    var isThere: Bool { isAsked || listener >= 0 }

    /// True while a clone that was ordered has not come.
    @inline(__always)
    var isExpecting: Bool { !orders.isEmpty }

    /// The thread is about to be told to make a thread at the slot.
    func expectThread(at slot: Int, by thread: StubThread) {
        let block = UInt64(APUS_STUB_CONTEXTS) + UInt64(slot + 1) * UInt64(APUS_BLOCK_SIZE)
        let alive = UInt64(MemoryLayout<apus_cold>.offset(of: \.alive) ?? 0)
        expect([UInt64(APUS_CLONE_THREAD), block + UInt64(APUS_BLOCK_SIZE) - 64, 0, block + alive, 0], by: thread)
    }

    /// The thread is about to be told to make a process.
    func expectProcess(by thread: StubThread) { expect([UInt64(APUS_CLONE_PROCESS), 0, 0, 0, 0], by: thread) }

    private func expect(_ arguments: InlineArray<5, UInt64>, by thread: StubThread) {
        guard isThere else { return }
        forget(thread)
        orders.append(Order(thread: thread, arguments: arguments))
    }

    /// The thread has done what it was told, or will not.
    func forget(_ thread: StubThread) {
        if isExpecting { orders.removeAll { $0.thread === thread } }
    }

    /// Decides on the calls that wait, a bounded number of them.
    func serve() {
        guard listener >= 0 else { return }
        for _ in 0..<16 {
            guard Host.hasNotification(listener), let call = try? Host.takeNotification(listener) else { return }
            guard let index = orders.firstIndex(where: { $0.isFor(call) }) else {
                // A number of a thread names its process, too. The call never goes on.
                try? Host.kill(call.thread, 9)
                continue
            }
            // From here on no signal interrupts it (WAIT_KILLABLE_RECV): it is carried out, or the process is dead.
            orders.remove(at: index)
            try? Host.letPass(call, listener)
            // Whoever else waits was told nothing, and waits for the next look.
            if orders.isEmpty { return }
        }
    }

    /// Whether the call that a traced thread is about to make was ordered. Once.
    func admits(_ call: Host.TracedCall, of thread: Int32) -> Bool {
        guard call.number == 56,
            let index = orders.firstIndex(where: { $0.isFor(thread, call.arguments) })
        else { return false }
        orders.remove(at: index)
        return true
    }

    /// Makes the thread that watches descriptors ring when a call waits, once.
    /// - Returns: false where there is no such thread.
    func arm() -> Bool {
        isAsked || (try? Host.poll(listener, for: .in, token: UInt64(UInt32(bitPattern: listener)))) != nil
    }
}

extension CloneGuard.Order {
    fileprivate func isFor(_ call: Host.Notification) -> Bool {
        call.number == 56 && isFor(call.thread, call.arguments)
    }

    fileprivate func isFor(_ caller: Int32, _ given: InlineArray<6, UInt64>) -> Bool {
        caller == thread.hostThread && arguments.indices.allSatisfy { arguments[$0] == given[$0] }
    }
}
