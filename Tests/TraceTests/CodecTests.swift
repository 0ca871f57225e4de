import Testing
import TraceModel

@testable import Trace

@Suite("the binary format")
struct CodecTests {
    static func encoded(_ events: [TraceEvent]) -> [UInt8] {
        var encoder = TraceEncoder()
        var bytes: [UInt8] = []
        encoder.start(TraceHeader(subject: .sandbox), into: &bytes)
        for event in events { encoder.encode(event, into: &bytes) }
        encoder.finish(into: &bytes)
        return bytes
    }

    /// Feeds in chunks and reads to the end.
    static func decoded(_ bytes: [UInt8], chunk: Int) throws -> [TraceEvent] {
        var decoder = TraceDecoder()
        var events: [TraceEvent] = []
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            decoder.feed(Array(bytes[start..<min(bytes.count, start + chunk)]))
            while let event = try decoder.event() { events.append(event) }
        }
        try decoder.finish()
        return events
    }

    @Test("every event survives, however the bytes arrive", arguments: [1, 7, 64, 4096, 1 << 20])
    func roundTrip(chunk: Int) throws {
        let events = RandomEvents.make(400, seed: 1)
        #expect(try Self.decoded(Self.encoded(events), chunk: chunk) == events)
    }

    @Test("a trace that is cut anywhere says so")
    func truncated() {
        let bytes = Self.encoded(RandomEvents.make(8, seed: 2))
        for count in 0..<bytes.count {
            #expect(throws: TraceFormatError.self) { try Self.decoded(Array(bytes[..<count]), chunk: 50) }
        }
    }

    @Test("a corrupt trace is read or refused, never a trap")
    func corrupt() {
        let bytes = Self.encoded(RandomEvents.make(20, seed: 3))
        var generator = SeededGenerator(4)
        var refused = 0
        for _ in 0..<20_000 {
            var copy = bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<copy.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: copy[place] = .random(in: 0 ... .max, using: &generator)
                case 1: copy[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                default: copy.remove(at: place)
                }
            }
            do { _ = try Self.decoded(copy, chunk: 1 << 20) } catch { refused += 1 }
        }
        #expect(refused > 10_000)
    }

    @Test("encoding into a span that is too small writes nothing")
    func span() throws {
        let events = RandomEvents.make(1, seed: 5)
        var encoder = TraceEncoder()
        let short = [UInt8](capacity: 4) { output in
            #expect(!encoder.encode(events[0], into: &output))
        }
        #expect(short.isEmpty)
        var expected: [UInt8] = []
        var other = TraceEncoder()
        other.encode(events[0], into: &expected)
        let long = [UInt8](capacity: 4096) { output in
            #expect(encoder.encode(events[0], into: &output))
        }
        #expect(long == expected)
    }
}
