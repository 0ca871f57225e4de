import Corpus
import Foundation
import Testing

@testable import Bench

@Suite("figures")
struct FiguresTests {
    @Test("a spread is the median with the ends, whatever the order")
    func spread() throws {
        let odd = try #require(Spread([5, 1, 9]))
        #expect([odd.median, odd.lowest, odd.highest] == [5, 1, 9])
        #expect(Spread([4, 2, 8, 6])?.median == 5)
        #expect(Spread([7])?.noise == 0)
        #expect(Spread([10, 11, 14])?.noise == 3)
        // One round that has gone wrong makes no noise.
        #expect(Spread([17, 16, 435])?.noise == 3)
        #expect(Spread([]) == nil)
    }

    @Test("lines of the bench program are nanoseconds and a count")
    func parsing() throws {
        #expect(try Rig.figures("12.50 1000\n13.00 1000\n") == [12.5, 13])
        #expect(try Rig.figures("") == [])
    }

    @Test(
        "anything else that the bench program says is no figure",
        arguments: ["12.5", "nan 3", "inf 3", "-1 3", "0 3", "1 0", "1 x", "x 1", "1 2 3", "1 2\nbench: no"])
    func refused(text: String) {
        #expect(throws: MeasuringFailure.self) { try Rig.figures(text) }
    }

    @Test("ratios are taken within a round, and what is missing in one leaves the others")
    func ratios() throws {
        var row = try #require(Sample.results.rows.first)
        #expect(row.ratio("sandbox", .all) == Spread([10, 12]))
        #expect(row.ratio("proot", .all) == Spread([30, 30]))
        #expect(row.ratio("proot", .one) == nil)
        row.append(100, "native", .all)
        row.append(nil, "sandbox", .all)
        #expect(row.ratio("sandbox", .all)?.median == 11)
        #expect(row.spread("native", .all)?.median == 100)
    }

    @Test("targets are met at most at their value, each in its unit")
    func targets() {
        let rows = Sample.results.rows
        #expect(rows.map { $0.meetsTarget(.all) } == [true, true, false, nil])
        #expect(rows.map { $0.meetsTarget(.one) } == [false, nil, nil, nil])
        #expect(Sample.results.targets(.all) == (2, 3))
    }

    @Test("the store keeps everything, a round without a figure included")
    func store() throws {
        let path = NSTemporaryDirectory() + "apus-bench-test-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var results = Sample.results
        results.rows[0].append(nil, "proot", .all)
        results.failures = [.init(operation: "null", runtime: "proot", binding: .all, text: "no end after 1 s")]
        try BenchStore.write(results, to: path)
        let read = try BenchStore.read(path)
        #expect(read.failures == results.failures)
        #expect(read.rows[0].figures("proot", .all) == [3000, 6000, nil])
        #expect(read.runtimes == results.runtimes)
        #expect(read.rows.map(\.target) == results.rows.map(\.target))
        let first = try Data(contentsOf: URL(fileURLWithPath: path))
        try BenchStore.write(read, to: path)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == first)
        try Data("{\"version\": 99}".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: CorpusError.self) { try BenchStore.read(path) }
        #expect(throws: CorpusError.self) { try BenchStore.read(path + ".missing") }
    }

    @Test("names of operations are unique, and each of the issue's figures has a target for both bindings")
    func operations() {
        #expect(Set(Bench.Operation.all.map(\.name)).count == Bench.Operation.all.count)
        let withTarget = Bench.Operation.all.filter { $0.target[.all] != nil }
        #expect(withTarget.allSatisfy { $0.target[.one] != nil })
        #expect(withTarget.count == 28)
    }
}
