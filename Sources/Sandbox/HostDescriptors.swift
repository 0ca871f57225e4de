internal import HostFS
internal import HostSystem
internal import LinuxABI
internal import VFS

/// Turns the readiness of host descriptors into wake-ups of the kernel's queues. The thread that watches the host is
/// started at the first use: most programs never wait for a descriptor from outside.
final class HostDescriptors: HostReadiness {
    private let bell: UInt
    private var hasStarted = false
    /// By token: which queue waits for which descriptor.
    private var waiting: [UInt64: (descriptor: Int32, queue: WaitQueue, events: PollEvents)] = [:]

    /// - Parameter bell: the address of the word that wakes the kernel's loop.
    init(bell: UInt) { self.bell = bell }

    func arm(_ descriptor: Int32, _ events: PollEvents, _ queue: WaitQueue) {
        let token = UInt64(UInt32(bitPattern: descriptor))
        let wanted = events.union(waiting[token]?.events ?? [])
        do throws(Errno) {
            if !hasStarted {
                try Host.startPoller(bell: bell)
                hasStarted = true
            }
            waiting[token] = (descriptor, queue, wanted)
            try Host.poll(descriptor, for: wanted, token: token)
        } catch {
            // What the host does not watch is always ready.
            waiting[token] = nil
            queue.wakeAll(events)
        }
    }

    /// Hands on what has become ready.
    /// - Returns: true if there was something.
    func deliver() -> Bool {
        guard hasStarted else { return false }
        var hasWorked = false
        while let (token, events) = Host.takeReadiness() {
            hasWorked = true
            guard let entry = waiting.removeValue(forKey: token) else { continue }
            entry.queue.wakeAll(events.union([.error, .hangUp]))
        }
        return hasWorked
    }
}
