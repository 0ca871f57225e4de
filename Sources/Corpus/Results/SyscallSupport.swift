internal import Foundation
internal import TraceModel

/// What the sandbox says of one system call that it implements.
package struct SyscallSupport: Sendable, Hashable, Codable {
    package enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        case full
        case partial
        /// Known, and always answered with an error on purpose.
        case refused
    }

    package var number: Int
    package var name: String
    package var status: Status
    package var note: String

    package init(number: Int, name: String, status: Status, note: String = "") {
        self.number = number
        self.name = name
        self.status = status
        self.note = note
    }

    /// Asks `apus-kernel --syscalls`: a line `number<TAB>name<TAB>status<TAB>note` for each call.
    package static func query(_ launcher: SandboxLauncher) throws(CorpusError) -> [SyscallSupport] {
        let text: String
        do {
            text = try HostProgram.output(of: [launcher.kernel, "--syscalls"])
        } catch {
            throw CorpusError(
                .sandbox, launcher.kernel, "does not list its system calls: \(error)",
                remedy: "build it anew (swift build --product apus-kernel)")
        }
        return try parse(text, from: launcher.kernel)
    }

    static func parse(_ text: String, from file: String) throws(CorpusError) -> [SyscallSupport] {
        var rows: [SyscallSupport] = []
        for (index, line) in text.split(separator: "\n").enumerated() {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard fields.count >= 3, let number = Int(fields[0]), let status = Status(rawValue: fields[2]) else {
                throw CorpusError(
                    .sandbox, file, line: index + 1, "its list of system calls is malformed: '\(line)'",
                    remedy: "build apus and apus-kernel from the same sources")
            }
            rows.append(
                SyscallSupport(
                    number: number, name: fields[1], status: status, note: fields.dropFirst(3).joined(separator: "\t")))
        }
        return rows
    }
}
