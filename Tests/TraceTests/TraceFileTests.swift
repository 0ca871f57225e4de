import Foundation
import Testing
import TraceModel

@testable import Trace

@Suite("trace files")
struct TraceFileTests {
    static func temporary() -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("trace-file-\(UUID().uuidString)").path
    }

    static func write(_ events: [TraceEvent], _ format: TraceFormat, to path: String) throws {
        let writer = try TraceFileWriter(path, format: format, header: TraceHeader(subject: .sandbox))
        for event in events { try writer.write(event) }
        try writer.finish()
    }

    static func read(_ path: String) throws -> [TraceEvent] {
        let reader = try TraceFileReader(path)
        var events: [TraceEvent] = []
        while let event = try reader.event() { events.append(event) }
        return events
    }

    @Test("what was written is read back, in both formats", arguments: [TraceFormat.binary, .jsonLines])
    func roundTrip(format: TraceFormat) throws {
        let path = Self.temporary()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let events = RandomEvents.make(1500, seed: 11)
        try Self.write(events, format, to: path)
        let reader = try TraceFileReader(path)
        #expect(reader.format == format)
        #expect(reader.header.subject == .sandbox)
        #expect(try Self.read(path) == events)
    }

    @Test("a stream gives each event as soon as it is written", arguments: [TraceFormat.binary, .jsonLines])
    func stream(format: TraceFormat) throws {
        let pipe = Pipe()
        let (input, output) = (pipe.fileHandleForReading, pipe.fileHandleForWriting)
        let events = RandomEvents.make(50, seed: 15)
        let writer = TraceFileWriter(
            descriptor: output.fileDescriptor, name: "pipe", format: format, header: TraceHeader(subject: .sandbox))
        try writer.flush()
        let reader = try #require(try TraceFileReader(stream: input.fileDescriptor, name: "pipe"))
        for event in events {
            // Nothing follows it yet: a reader that asked for more would wait for ever.
            try writer.write(event)
            try writer.flush()
            #expect(try reader.event() == event)
        }
        try writer.finish()
        try output.close()
        #expect(try reader.event() == nil)
        let empty = Pipe()
        try empty.fileHandleForWriting.close()
        #expect(try TraceFileReader(stream: empty.fileHandleForReading.fileDescriptor, name: "pipe") == nil)
    }

    @Test("an older, longer file is replaced")
    func replaced() throws {
        let path = Self.temporary()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Self.write(RandomEvents.make(100, seed: 12), .binary, to: path)
        try Self.write([], .binary, to: path)
        #expect(try Self.read(path).isEmpty)
    }

    @Test("a cut or corrupt file names itself, the place and the reason", arguments: [TraceFormat.binary, .jsonLines])
    func corrupt(format: TraceFormat) throws {
        let path = Self.temporary()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Self.write(RandomEvents.make(30, seed: 13), format, to: path)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        try whole.dropLast(3).write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: TraceError.self) { try Self.read(path) }
        #expect(error?.sentence.contains("'\(path)'") == true)
        #expect(error?.sentence.contains("byte ") == true)
        var generator = SeededGenerator(14)
        for _ in 0..<400 {
            var copy = whole
            for _ in 0..<3 {
                copy[Int.random(in: 0..<copy.count, using: &generator)] = .random(in: 0 ... .max, using: &generator)
            }
            try copy.write(to: URL(fileURLWithPath: path))
            do { _ = try Self.read(path) } catch is TraceError {}
        }
    }

    @Test(
        "a file that is no trace is refused with the reason",
        arguments: [
            ("", "cut off"), ("hello\n", "not a trace"), ("{}\n", "no valid 'seq'"),
            ("{\"apus-trace\":99}\n", "schema version 99"), ("{\"event\":\"end\",\"events\":0}\n", "no \"apus-trace\""),
            ("{ broken\n", "not JSON"),
        ])
    func refused(text: String, reason: String) throws {
        let path = Self.temporary()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: TraceError.self) { try Self.read(path) }
        #expect(error?.sentence.contains(reason) == true, "\(error?.sentence ?? "")")
    }

    @Test("a missing file is refused with the reason")
    func missing() {
        let error = #expect(throws: TraceError.self) { try TraceFileReader("/nonexistent/trace") }
        #expect(error?.code == .io)
        #expect(error?.sentence.contains("/nonexistent/trace") == true)
        #expect(throws: TraceError.self) {
            try TraceFileWriter("/nonexistent/trace", format: .binary, header: TraceHeader(subject: .native))
        }
    }
}
