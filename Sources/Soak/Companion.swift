internal import Foundation
internal import HostSystem
internal import LinuxABI

/// A program of the host that the soak talks to in lines: the canary, and the native twin of the pulse.
final class Companion {
    private let process: Int32
    private let input = Pipe()
    private let output = Pipe()
    private var lines = LineReader()

    init(_ program: String) throws {
        var command = HostCommand(path: program, arguments: [program], environment: [])
        command.standardInput = input.fileHandleForReading.fileDescriptor
        command.standardOutput = output.fileHandleForWriting.fileDescriptor
        process = try Host.spawn(command)
        try? output.fileHandleForWriting.close()
        try? input.fileHandleForReading.close()
    }

    func say(_ text: String) { try? input.fileHandleForWriting.write(contentsOf: Data(text.utf8)) }

    /// The lines that have come, without waiting.
    func heard() -> [String] { lines.take(from: output.fileHandleForReading.fileDescriptor) }

    /// The next line, for at most some seconds.
    func answer(within seconds: Double) -> String? {
        let end = Date().addingTimeInterval(seconds)
        while Date() < end {
            if let line = heard().last { return line }
            Thread.sleep(forTimeInterval: 0.005)
        }
        return nil
    }

    func end() {
        try? input.fileHandleForWriting.close()
        if (try? Host.wait(for: process, milliseconds: 2000)) == nil {
            try? Host.kill(process, 9)
            _ = try? Host.wait(for: process)
        }
    }
}

/// Takes lines from a descriptor as they come.
struct LineReader {
    private var rest: [UInt8] = []
    /// A guest may write into what it has found: nothing longer is kept.
    private static let limit = 1 << 16

    mutating func take(from descriptor: Int32) -> [String] {
        while Host.readiness(descriptor, .in).contains(.in) {
            let bytes = try? [UInt8](capacity: 4096) { output throws(Errno) in
                _ = try Host.read(descriptor, at: nil, into: &output, limit: 4096)
            }
            guard let bytes, !bytes.isEmpty else { break }
            rest += bytes
            if rest.count > LineReader.limit { rest = [] }
        }
        guard let last = rest.lastIndex(of: 10) else { return [] }
        let lines = rest[..<last].split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
        rest = Array(rest[(last + 1)...])
        return lines
    }
}
