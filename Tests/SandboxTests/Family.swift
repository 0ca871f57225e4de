import Foundation

/// Processes of the host, by number.
enum Family {
    struct Member: Hashable, CustomStringConvertible {
        let process: Int32
        /// When it started, in clock ticks: with it a number means one process for ever.
        let start: UInt64
        let parent: Int32

        var description: String { "\(process)" }
    }

    /// A process and all its descendants, zombies left out, by number.
    static func members(below process: Int32) -> [Member] {
        let all = everybody()
        var members = all.filter { $0.process == process }
        var known = Set(members.map(\.process))
        while true {
            let more = all.filter { known.contains($0.parent) && !known.contains($0.process) }
            if more.isEmpty { return members.sorted { $0.process < $1.process } }
            members += more
            known.formUnion(more.map(\.process))
        }
    }

    /// Those that still run.
    static func alive(_ members: [Member]) -> [Member] {
        members.filter { member in read(member.process)?.start == member.start }
    }

    /// Kills processes by number.
    static func end(_ members: [Member]) {
        for member in alive(members) { _ = kill(member.process, SIGKILL) }
    }

    /// Each thread's state and the kernel function that it waits in.
    static func dump(_ members: [Member]) -> String {
        members.prefix(20).map { member in
            let folder = "/proc/\(member.process)/task"
            let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            let lines = threads.sorted().map { thread in
                "  thread \(thread): \(line("State:", of: "\(folder)/\(thread)/status")), "
                    + "waits in \(text("\(folder)/\(thread)/wchan")), call \(text("\(folder)/\(thread)/syscall"))"
            }
            return (["process \(member.process), child of \(member.parent)"] + lines).joined(separator: "\n")
        }.joined(separator: "\n") + (members.count > 20 ? "\nand \(members.count - 20) more" : "")
    }

    private static func everybody() -> [Member] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.compactMap(read)
    }

    /// Nil when there is no such process, or only what is left of it for its parent.
    private static func read(_ process: Int32) -> Member? {
        let stat = text("/proc/\(process)/stat")
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X", let parent = Int32(fields[1]),
            let start = UInt64(fields[19])
        else { return nil }
        return Member(process: process, start: start, parent: parent)
    }

    private static func text(_ path: String) -> String {
        ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func line(_ key: String, of path: String) -> String {
        text(path).split(separator: "\n").first { $0.hasPrefix(key) }
            .map { $0.dropFirst(key.count).trimmingCharacters(in: .whitespaces) } ?? "?"
    }
}

/// Bounds every wait of these tests. How long something takes is never what is tested.
enum Watchdog {
    struct Bite: Error, CustomStringConvertible {
        let description: String
    }

    /// Polls until `holds`. After `Guest.limit` throws what was waited for and the state of each thread of `dumping`.
    static func until(
        _ what: String, dumping: () -> [Family.Member] = { [] }, _ holds: () -> Bool
    ) async throws {
        let end = ContinuousClock.now + Guest.limit
        while !holds() {
            guard ContinuousClock.now < end else {
                let members = dumping()
                let dump = Family.dump(members)
                Family.end(members)
                throw Bite(description: "waited in vain: \(what)\n\(dump)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
