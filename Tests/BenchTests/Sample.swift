import Corpus
import Foundation

@testable import Bench

/// A run with figures of all kinds.
enum Sample {
    /// Of two rounds, the second on a machine twice as slow.
    static var results: BenchResults {
        var results = BenchResults(
            date: "2026-01-31T12:00:00Z",
            host: HostFacts(kernel: "6.1.0", machine: "x86_64", system: "Debian 12", processors: 2),
            model: "A <fast> processor", load: 0.25, bindings: [.all, .one],
            runtimes: [
                .native, .sandbox(apus: "/bin/apus"), Runtime("proot", ["proot"], note: "a & b"),
                Runtime("runsc", ["runsc"], skipped: "is not installed"),
            ])
        results.rounds = 2
        var null = row("null")
        for (native, sandbox) in [(100.0, 1000.0), (200, 2400)] {
            null.append(native, "native", .all)
            null.append(sandbox, "sandbox", .all)
            null.append(native * 30, "proot", .all)
            null.append(native, "native", .one)
            null.append(sandbox * 4, "sandbox", .one)
        }
        var start = row("start")
        var idle = row("idle")
        for _ in 0..<2 {
            start.append(1e6, "native", .all)
            start.append(11e6, "sandbox", .all)
            idle.append(9e6, "sandbox", .all)
        }
        var redis = row("redis")
        redis.skipped = "the sandbox offers no AF_INET"
        results.rows = [null, start, idle, redis]
        return results
    }

    static func row(_ name: String) -> BenchResults.Row {
        let operation = Bench.Operation.all.first { $0.name == name } ?? Bench.Operation(name, name)
        return BenchResults.Row(operation)
    }

    /// A run of one operation, of which the rounds' ratios are given.
    static func results(_ name: String, _ ratios: [Double], processors: Int = 2) -> BenchResults {
        var results = results
        results.host.processors = processors
        var row = row(name)
        for ratio in ratios {
            for binding in Binding.allCases {
                row.append(100, "native", binding)
                row.append(100 * ratio, "sandbox", binding)
            }
        }
        results.rows = [row]
        return results
    }
}
