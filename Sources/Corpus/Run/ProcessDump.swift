internal import Foundation
internal import LinuxABI
package import Trace

/// What one thread was doing when its run's time was up.
package struct ThreadDump: Sendable, Hashable, Codable {
    package var process: Int32
    package var thread: Int32
    package var name: String
    /// The letter of /proc/PID/stat.
    package var state: String
    /// The kernel function it sleeps in, where the host tells.
    package var waitingIn: String
    /// The name of the call that it is in; nil in user code.
    package var call: String?
    /// The host kernel's stack, where it may be read.
    package var stack: [String]

    package init(_ state: ThreadState) {
        process = state.process
        thread = state.thread
        name = state.name
        self.state = state.state
        waitingIn = state.waitingIn
        call = state.call
        stack = []
    }

    package init(process: Int32, thread: Int32) {
        let folder = "/proc/\(process)/task/\(thread)"
        func text(_ file: String) -> String {
            let bytes = FileManager.default.contents(atPath: "\(folder)/\(file)") ?? Data()
            return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        self.process = process
        self.thread = thread
        let stat = text("stat")
        // The name is in parentheses and may hold any character: the state follows the last one.
        state =
            stat.lastIndex(of: ")").map { String(stat[stat.index(after: $0)...].drop { $0 == " " }.prefix(1)) } ?? "?"
        name = text("comm")
        waitingIn = text("wchan")
        // `running`, or the number first and then the registers.
        let number = text("syscall").split(separator: " ").first.flatMap { Int($0) }
        call = number.map { SyscallTable.x86_64[$0]?.name ?? "call \($0)" }
        stack = text("stack").split(separator: "\n").prefix(12).map(String.init)
    }

    /// As the comparison takes it.
    package var threadState: ThreadState {
        ThreadState(
            process: process, thread: thread, name: name, state: state, waitingIn: waitingIn, call: call)
    }
}

/// Looks at a process and all that descends from it, through /proc.
package enum ProcessDump {
    /// No dump is longer.
    private static let limit = 64

    /// What each thread is doing.
    package static func take(below process: Int32) -> [ThreadDump] {
        var dumps: [ThreadDump] = []
        for next in processes(below: process) where dumps.count < limit {
            for thread in contents("/proc/\(next)/task").compactMap({ Int32($0) }).sorted() where dumps.count < limit {
                dumps.append(ThreadDump(process: next, thread: thread))
            }
        }
        return dumps
    }

    /// The process itself and its descendants.
    package static func processes(below process: Int32) -> [Int32] {
        var children: [Int32: [Int32]] = [:]
        for name in contents("/proc") {
            guard let number = Int32(name), let parent = parent(of: number) else { continue }
            children[parent, default: []].append(number)
        }
        var found: [Int32] = []
        var waiting = [process]
        var seen: Set<Int32> = []
        while let next = waiting.popLast() {
            guard seen.insert(next).inserted else { continue }
            found.append(next)
            waiting += (children[next] ?? []).sorted(by: >)
        }
        return found
    }

    private static func parent(of process: Int32) -> Int32? {
        let bytes = FileManager.default.contents(atPath: "/proc/\(process)/stat") ?? Data()
        let stat = String(decoding: bytes, as: UTF8.self)
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        return fields.count > 1 ? Int32(fields[1]) : nil
    }

    private static func contents(_ directory: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    }
}
