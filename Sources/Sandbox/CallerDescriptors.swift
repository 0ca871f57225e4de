internal import HostSystem
internal import LinuxABI

/// The descriptors that the caller left open, which a program has without a sandbox, too: process substitutions,
/// a shell's redirections, the locks of `flock(1)`'s descriptors.
enum CallerDescriptors {
    /// Numbers from here on are not looked at.
    private static let end: Int32 = 256

    /// To be called before the sandbox opens anything. Standard streams that are closed get their numbers occupied, so that
    /// nothing of the sandbox's own passes for one.
    /// - Returns: what the first program gets, ascending: standard streams as they are, others only when they do not lead to
    ///   further files, as a directory would.
    static func take() -> [Int32] {
        var numbers: [Int32] = []
        for number in 0..<end {
            if let flags = try? Host.statusFlags(number) {
                if number < 3 || isHarmless(number, flags) { numbers.append(number) } else { Host.close(number) }
            } else if number < 3 {
                // The lowest free number is taken.
                _ = try? Host.memoryFile("apus-closed")
            }
        }
        // A directory among them would lead out.
        Host.closeDescriptors(from: end)
        return numbers
    }

    private static func isHarmless(_ number: Int32, _ flags: OpenFlags) -> Bool {
        guard !flags.contains(.pathOnly), let status = try? Host.status(number) else { return false }
        switch FileMode(rawValue: status.mode).kind {
        case .regular, .fifo, .socket, .characterDevice: return true
        default: return false
        }
    }
}
