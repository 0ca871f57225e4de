internal import HostSystem
internal import Platform

/// The machine as guests see it.
extension Kernel {
    /// The processors that guests may use, as words of a bit set.
    package var processors: [UInt64] {
        if let known = knownProcessors { return known }
        let found = platform?.processors ?? Host.processors
        knownProcessors = found
        return found
    }

    /// Bytes of memory: the host's, or what the sandbox was given of it.
    package var memory: (total: UInt64, free: UInt64) {
        let host = Host.memory
        guard let limit = memoryLimit, limit < host.total else { return host }
        return (limit, min(limit, host.free))
    }
}
