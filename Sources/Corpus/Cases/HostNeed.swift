internal import Foundation

/// What a case needs that a host may lack.
package enum HostNeed: String, Sendable, Hashable, CaseIterable {
    case root
    case unprivileged
    case userNamespaces = "user-namespaces"
    case ipv6
    case ioUring = "io-uring"
    case network

    /// Why this host does not offer it; nil if it does.
    package var lack: String? {
        switch self {
        case .root: geteuid() == 0 ? nil : "needs root"
        case .unprivileged: geteuid() == 0 ? "needs a user other than root" : nil
        case .userNamespaces:
            Self.number("/proc/sys/user/max_user_namespaces") ?? 0 > 0
                && Self.number("/proc/sys/kernel/unprivileged_userns_clone") ?? 1 > 0
                ? nil : "needs user namespaces"
        case .ipv6: FileManager.default.fileExists(atPath: "/proc/net/if_inet6") ? nil : "needs IPv6"
        case .ioUring:
            // Absent before Linux 6.6, where it is always allowed; 2 forbids it to everybody.
            Self.number("/proc/sys/kernel/io_uring_disabled") ?? 0 < 2 ? nil : "needs io_uring"
        case .network:
            (try? FileManager.default.contentsOfDirectory(atPath: "/sys/class/net"))?.contains { $0 != "lo" } ?? false
                ? nil : "needs a network interface"
        }
    }

    private static func number(_ path: String) -> Int? {
        guard let bytes = FileManager.default.contents(atPath: path) else { return nil }
        return Int(String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }
}
