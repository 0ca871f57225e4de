internal import HostSystem
internal import LinuxABI
internal import Platform

/// Keeps all guests together below the sandbox's memory limit: it looks every now and then at what they really use, as the
/// host counts it, and ends the largest when that is too much. What Linux's memory cgroup and its OOM killer do.
final class MemoryGuard {
    private unowned let kernel: Kernel
    private let limit: UInt64
    /// Memory that files in memory use.
    private let fileBytes: () -> UInt64
    /// At first touch a guest takes some 3 GB/s: this is about 30 MB between two looks.
    private static let interval = Timestamp(seconds: 0, nanoseconds: 10_000_000)

    init(_ kernel: Kernel, limit: UInt64, fileBytes: @escaping () -> UInt64) {
        self.kernel = kernel
        self.limit = limit
        self.fileBytes = fileBytes
        schedule()
    }

    private func schedule() {
        _ = kernel.timers.schedule(at: kernel.clock.now.advanced(by: MemoryGuard.interval)) {
            [weak self] in
            self?.look()
            self?.schedule()
        }
    }

    private func look() {
        var maps: [ObjectIdentifier: (map: MemoryMap, bytes: UInt64)] = [:]
        for thread in kernel.threads.values {
            guard let map = thread.map, maps[ObjectIdentifier(map)] == nil else { continue }
            maps[ObjectIdentifier(map)] = (map, Host.privateMemory(of: map.stub.hostProcess))
        }
        let used = maps.values.reduce(fileBytes()) { $0.addingReportingOverflow($1.bytes).partialValue }
        guard used > limit, let largest = maps.values.max(by: { $0.bytes < $1.bytes }) else { return }
        for process in Array(kernel.processes.values) where process.threads.contains(where: { $0.map === largest.map })
        {
            kernel.onOutOfMemory?(process, largest.bytes)
            kernel.exitGroup(process, waitStatus: SignalNumber.kill.rawValue)
        }
    }
}

extension Kernel {
    /// Begins to enforce `memoryLimit`, if there is one.
    /// - Parameter fileBytes: how many bytes files in memory use.
    package func guardMemory(fileBytes: @escaping () -> UInt64) {
        guard let memoryLimit else { return }
        memoryGuard = MemoryGuard(self, limit: memoryLimit, fileBytes: fileBytes)
    }
}
