internal import HostFS
internal import HostSystem
internal import LinuxABI
internal import VFS

/// Turns the readiness of host descriptors into wake-ups of the kernel's queues.
final class HostDescriptors: HostReadiness {
    /// By token: which queue waits for which descriptor.
    private var waiting: [UInt64: (descriptor: Int32, queue: WaitQueue, events: PollEvents)] = [:]

    /// Starts the thread that watches the host: the sealed process makes no further ones, and this one keeps no capability
    /// that the calling thread has given up before.
    /// - Parameter bell: the address of the word that wakes the kernel's loop.
    /// - Throws: what the host says when there can be no such thread.
    init(bell: UInt) throws(Errno) { try Host.startPoller(bell: bell) }

    func arm(_ descriptor: Int32, _ events: PollEvents, _ queue: WaitQueue) {
        let token = UInt64(UInt32(bitPattern: descriptor))
        let wanted = events.union(waiting[token]?.events ?? [])
        do throws(Errno) {
            waiting[token] = (descriptor, queue, wanted)
            try Host.poll(descriptor, for: wanted, token: token)
        } catch {
            // What the host does not watch is always ready.
            waiting[token] = nil
            queue.wakeAll(events)
        }
    }

    /// Hands on what has become ready.
    /// - Parameter whenFirst: done before that, if there is something.
    /// - Returns: true if there was something.
    func deliver(whenFirst: () -> Void) -> Bool {
        var hasWorked = false
        while let (token, events) = Host.takeReadiness() {
            if !hasWorked { whenFirst() }
            hasWorked = true
            guard let entry = waiting.removeValue(forKey: token) else { continue }
            entry.queue.wakeAll(events.union([.error, .hangUp]))
        }
        return hasWorked
    }
}
