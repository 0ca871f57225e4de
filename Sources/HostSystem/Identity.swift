internal import CHost

/// Who this process is on the host, and what the host allows it: what a guest begins with.
extension Host {
    package static var userID: UInt32 { UInt32(truncatingIfNeeded: (try? call(102)) ?? 0) }
    package static var groupID: UInt32 { UInt32(truncatingIfNeeded: (try? call(104)) ?? 0) }

    /// The supplementary groups, at most 65536.
    package static var groups: [UInt32] {
        var groups = [UInt32](repeating: 0, count: 65536)
        // The host writes at most as many numbers as the array has.
        let count = unsafe groups.withUnsafeMutableBytes { bytes in
            (try? call(115, UInt(bytes.count / 4), UInt(bitPattern: bytes.baseAddress))) ?? 0
        }
        return Array(groups.prefix(max(0, count)))
    }

    /// `getrlimit(2)`: soft and hard; nil when the host does not know the resource.
    package static func limit(_ resource: Int) -> (soft: UInt64, hard: UInt64)? {
        var words: InlineArray<2, UInt64> = [0, 0]
        var span = words.mutableSpan
        // The host writes the 16 bytes of one `struct rlimit`.
        let result = unsafe span.withUnsafeMutableBytes { bytes in
            try? call(97, UInt(bitPattern: resource), UInt(bitPattern: bytes.baseAddress))
        }
        return result == nil ? nil : (words[0], words[1])
    }

    /// Lets this process hold as many descriptors as the host allows: those of all guests' files are its own. What guests
    /// themselves may have is not changed by it.
    package static func raiseDescriptorLimit() { raiseLimit(7, to: 1 << 20) }

    /// Lets the files of this process, those in memory among them, be as long as the host allows, and what does not fit in
    /// spite of it fail without a signal. How long guests may make theirs is the kernel's affair.
    package static func raiseFileSizeLimit() {
        ignore(25)
        raiseLimit(1, to: .max)
    }

    /// The most that a file of this process may hold.
    package static var fileSizeLimit: UInt64 { limit(1)?.soft ?? .max }

    private static func raiseLimit(_ resource: Int, to value: UInt64) {
        guard let limit = limit(resource) else { return }
        // More than the caller's hard limit takes a privilege; the hard limit itself takes none.
        for wanted in [(soft: value, hard: max(limit.hard, value)), (limit.hard, limit.hard)]
            as [(soft: UInt64, hard: UInt64)]
        {
            let words: InlineArray<2, UInt64> = [wanted.soft, wanted.hard]
            // The host reads the 16 bytes of one `struct rlimit`.
            let result = unsafe words.span.withUnsafeBytes { bytes in
                try? call(160, UInt(bitPattern: resource), UInt(bitPattern: bytes.baseAddress))
            }
            if result != nil { return }
        }
    }

    /// The file mode creation mask; asking means setting it for a moment.
    package static var fileModeMask: UInt32 {
        let mask = (try? call(95, 0o022)) ?? 0o022
        _ = try? call(95, UInt(bitPattern: mask))
        return UInt32(truncatingIfNeeded: mask)
    }

    /// An entry of this process's auxiliary vector; 0 when there is none. See `getauxval(3)`.
    package static func auxiliary(_ type: UInt) -> UInt { apus_host_auxiliary(type) }
}

/// See `capabilities(7)`.
extension Host {
    /// The sets of this process, by `capget(2)`; none when the host does not say.
    package static var capabilities: (effective: UInt64, permitted: UInt64, inheritable: UInt64) {
        let header: InlineArray<2, UInt32> = [0x2008_0522, 0]
        var words: InlineArray<6, UInt32> = .init(repeating: 0)
        var span = words.mutableSpan
        // The host reads 8 bytes of the header and writes the 24 bytes of two `__user_cap_data_struct`.
        let result = unsafe header.span.withUnsafeBytes { header in
            unsafe span.withUnsafeMutableBytes { data in
                try? call(125, UInt(bitPattern: header.baseAddress), UInt(bitPattern: data.baseAddress))
            }
        }
        guard result != nil else { return (0, 0, 0) }
        func set(_ index: Int) -> UInt64 { UInt64(words[index]) | UInt64(words[index + 3]) << 32 }
        return (set(0), set(1), set(2))
    }

    /// `PR_CAPBSET_READ` of every capability below `count`.
    package static func boundingCapabilities(_ count: UInt) -> UInt64 {
        var set: UInt64 = 0
        for number in 0..<count where (try? call(157, 23, number)) == 1 { set |= 1 << UInt64(number) }
        return set
    }

    /// The host's `nodename` of `uname(2)`.
    package static var nodeName: [UInt8] {
        // Six fields of 65 bytes, which the host fills.
        var fields = [UInt8](repeating: 0, count: 6 * 65)
        let result = unsafe fields.withUnsafeMutableBytes { bytes in
            try? call(63, UInt(bitPattern: bytes.baseAddress))
        }
        return result == nil ? [] : Array(fields[65..<130].prefix { $0 != 0 })
    }
}
