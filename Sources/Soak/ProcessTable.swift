internal import Foundation

/// Processes of the host, by what `/proc` says of them.
enum ProcessTable {
    private static var numbers: [Int32] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
    }

    /// Those that run a program: stubs run the kernel's.
    static func running(_ program: String) -> [Int32] {
        numbers.filter {
            guard let path = link("/proc/\($0)/exe") else { return false }
            return path == program || path == program + " (deleted)"
        }
    }

    static func children(of process: Int32) -> [Int32] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
        return tasks.flatMap { task in
            text("/proc/\(process)/task/\(task)/children").split(separator: " ").compactMap { Int32($0) }
        }
    }

    /// The name of what it shares with each stub, among its holdings.
    static let shared = "regions of stubs"

    /// What a process holds, by kind and number. Files of the host are left out, since the kernel may keep some for a while;
    /// so are memory files, since what guests leave in /tmp or in a shared segment outlives them.
    static func holdings(of process: Int32) -> [String: Int] {
        let folder = "/proc/\(process)/fd"
        var kinds: [String: Int] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            guard let target = link("\(folder)/\(name)"), !target.hasPrefix("/") || target.hasPrefix("/memfd:"),
                !target.hasPrefix("/memfd:apus-file")
            else {
                continue
            }
            kinds[target.filter { !$0.isNumber }, default: 0] += 1
        }
        // What it shares with each stub.
        kinds[shared] = text("/proc/\(process)/maps").split(separator: "\n").count {
            $0.contains("apus-contexts")
        }
        return kinds
    }

    static func isAlive(_ process: Int32) -> Bool {
        let stat = text("/proc/\(process)/stat")
        guard let end = stat.lastIndex(of: ")") else { return false }
        return !["Z", "X"].contains(stat[stat.index(after: end)...].split(separator: " ").first ?? "X")
    }

    static var mounts: Int { text("/proc/self/mountinfo").split(separator: "\n").count }

    private static func link(_ path: String) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: path)
    }

    private static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}
