package import LinuxABI

/// `struct sockaddr_un`. See `unix(7)`.
package enum UnixAddress: Hashable, Sendable {
    /// A name in the file system, as it was given.
    case path([UInt8])
    /// A name of its own space, without the NUL in front.
    case abstract([UInt8])
    /// The family alone.
    case unnamed

    package static let family: UInt16 = 1
    private static let maximum = 110

    /// Throws EINVAL for another family, or a length that no such address has.
    package init(_ bytes: [UInt8]) throws(Errno) {
        guard bytes.count >= 2, bytes.count <= UnixAddress.maximum else { throw .EINVAL }
        guard UInt16(bytes[0]) | UInt16(bytes[1]) << 8 == UnixAddress.family else { throw .EINVAL }
        let name = bytes.dropFirst(2)
        if name.isEmpty {
            self = .unnamed
        } else if name.first == 0 {
            self = .abstract(Array(name.dropFirst()))
        } else {
            self = .path(Array(name.prefix { $0 != 0 }))
        }
    }

    package var encoded: [UInt8] {
        switch self {
        case .path(let path): [1, 0] + path + [0]
        case .abstract(let name): [1, 0, 0] + name
        case .unnamed: [1, 0]
        }
    }
}
