internal import TraceModel

/// The calls that change what is mapped, and what they change.
enum MemoryCalls {
    /// Those whose addresses are told by their mapping.
    static let names: Set = [
        "mmap", "munmap", "mprotect", "pkey_mprotect", "madvise", "mremap", "brk", "msync", "mlock", "mlock2",
        "munlock",
        "mincore", "shmat", "shmdt", "remap_file_pages",
    ]

    /// Follows one call that returned.
    static func follow(
        _ name: String, _ call: TracedCall, _ result: CallResult, _ state: ProcessState, in space: inout AddressSpace
    ) {
        guard result.errorNumber == nil else { return }
        let address = UInt64(bitPattern: result.rawValue)
        switch name {
        case "mmap":
            let flags = call.arguments[3]
            let isAnonymous = flags & 0x20 != 0
            let descriptor = Int32(truncatingIfNeeded: call.arguments[4])
            let label =
                isAnonymous
                ? "anonymous[0x" + String(call.arguments[1], radix: 16) + "]" : state.file(descriptor) ?? "file"
            // MAP_FIXED, MAP_FIXED_NOREPLACE
            space.map(address, call.arguments[1], label: label, isFixed: flags & 0x10_0010 != 0)
        case "munmap": space.unmap(call.arguments[0], call.arguments[1])
        case "mremap":
            space.move(call.arguments[0], call.arguments[1], to: address, call.arguments[2])
        case "shmat": space.map(address, 4096, label: "shm", isFixed: false)
        default: break
        }
    }
}

/// The calls that move bytes.
enum StreamCalls {
    static let names: Set = [
        "read", "write", "readv", "writev", "recvfrom", "recvmsg", "sendto", "sendmsg", "sendfile", "splice",
    ]
}

extension ProcessState {
    /// Follows what a call that returned does to mappings and descriptors.
    /// `path` is the file that the call is about.
    func follow(_ name: String, _ call: TracedCall, _ result: CallResult, path: String?) {
        guard result.errorNumber == nil else { return }
        let descriptor = Int32(truncatingIfNeeded: result.rawValue)
        switch name {
        case "open", "openat", "openat2", "creat":
            if let given = call.payloads.first(where: { $0.part == .string }) {
                open(descriptor, given.bytes, full: path)
            }
        case "pipe", "pipe2", "socketpair":
            let ends = call.payloads.first { $0.isOutput }?.bytes ?? []
            for start in stride(from: 0, to: ends.count - 3, by: 4) {
                openStream(Int32(ends[start]) | Int32(ends[start + 1]) << 8 | Int32(ends[start + 2]) << 16)
            }
        case "socket", "accept", "accept4": openStream(descriptor)
        case "fstat", "newfstatat":
            // st_mode
            let status = call.payloads.first { $0.isOutput && $0.bytes.count >= 28 }?.bytes
            let given = call.payloads.first { $0.part == .string }?.bytes ?? []
            guard let status, given.isEmpty else { return }
            learn(
                Int32(truncatingIfNeeded: call.arguments[0]),
                mode: (0..<4).reduce(UInt32(0)) { $0 | UInt32(status[24 + $1]) << UInt32(8 * $1) })
        case "memfd_create": open(descriptor, Array("memfd".utf8))
        case "dup", "dup2", "dup3": duplicate(Int32(truncatingIfNeeded: call.arguments[0]), descriptor)
        case "fcntl" where call.arguments[1] == 0 || call.arguments[1] == 1030:
            duplicate(Int32(truncatingIfNeeded: call.arguments[0]), descriptor)
        case "rt_sigaction":
            let action = call.payloads.first { $0.parameter == 1 && !$0.isOutput && $0.bytes.count >= 8 }
            guard let bytes = action?.bytes else { return }
            let handler = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[$1]) << UInt64(8 * $1) }
            setHandler(Int32(truncatingIfNeeded: call.arguments[0]), handler)
        case "close": close(Int32(truncatingIfNeeded: call.arguments[0]))
        case "mmap", "munmap", "mremap", "shmat": MemoryCalls.follow(name, call, result, self, in: &space)
        default: break
        }
    }
}
