import LinuxABI
import Testing
import Trace
import TraceModel

@testable import Diff

@Suite("the canonical form")
struct CanonicalTests {
    static func lines(_ run: RunRecord) throws -> [String: [String]] {
        let interner = Interner()
        let trace = try Canonicalizer.canonical(run.events, interner, table: .x86_64, aliases: run.aliases)
        return Dictionary(
            trace.threads.map { thread in (thread.label, thread.events.map { interner.line($0.shape) }) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The same program's run with other pids and addresses.
    static func program(_ trace: inout TraceBuilder, child: Int32) {
        trace.call("getpid", [], Int64(trace.process))
        trace.call("brk", [0], Int64(trace.base))
        trace.call("brk", [trace.base + 0x21000], Int64(trace.base + 0x21000))
        trace.open("/lib/libc.so.6")
        trace.call("mmap", [0, 0x30000, 1, 2, 3, 0], Int64(trace.base + 0x100_0000))
        trace.call("mmap", [trace.base + 0x101_0000, 0x1000, 5, 0x12, 3, 0x10000], Int64(trace.base + 0x101_0000))
        trace.call("mprotect", [trace.base + 0x101_0000, 0x1000, 1])
        trace.call("munmap", [trace.base + 0x100_0000, 0x30000])
        trace.fork(child)
        trace.as(child) { child in
            child.call("getppid", [], Int64(child.process - 1))
            child.exit(3)
        }
        let status = TracePayload(parameter: 1, isOutput: true, bytes: [0, 3, 0, 0])
        trace.call("wait4", [UInt64(bitPattern: -1), trace.base, 0, 0], Int64(child), [status])
        trace.exit()
    }

    @Test("pids and addresses are told by what they are, so that two runs read the same")
    func symbols() throws {
        let one = TraceBuilder.trace(process: 100, base: 0x7f00_0000_0000) { Self.program(&$0, child: 101) }
        let two = TraceBuilder.trace(process: 7, base: 0x5500_0000_0000) { Self.program(&$0, child: 8) }
        let lines = try Self.lines(one)
        #expect(try Self.lines(two) == lines)
        let first = try #require(lines["1"])
        #expect(first[0].hasSuffix("= 1"))
        #expect(first[2].hasPrefix("brk(HEAP) "))
        #expect(first[2].hasSuffix("= HEAP"))
        #expect(first[4].hasSuffix("= libc.so.6"))
        #expect(first[5].hasPrefix("mmap(libc.so.6+0x10000, 4096"))
        #expect(first[6].hasPrefix("mprotect(libc.so.6+0x10000"))
        #expect(first.contains { $0.hasSuffix("= 1.1") && $0.hasPrefix("wait4(") })
        #expect(lines["1.1"]?[0].hasSuffix("= 1") == true)
    }

    @Test("a process outside of the trace is just that")
    func outside() throws {
        let lines = try Self.lines(TraceBuilder.trace { $0.call("getppid", [], 4242) })
        #expect(lines["1"]?[0].hasSuffix("= OUTSIDE") == true)
    }

    @Test("times, inodes, devices and random bytes become symbols, what they stand beside does not")
    func kinds() throws {
        var stat = StatBuffer()
        stat.inode = 77
        stat.device = 5
        stat.mode = 0o100644
        stat.size = 1234
        stat.modificationTime = Timestamp(seconds: 99, nanoseconds: 1)
        let run = TraceBuilder.trace { trace in
            trace.call("fstat", [3, trace.base], 0, [TracePayload(parameter: 1, isOutput: true, bytes: stat.encoded)])
            trace.call(
                "getrandom", [trace.base, 4, 0], 4, [TracePayload(parameter: 0, isOutput: true, bytes: [1, 2, 3, 4])])
        }
        let lines = try #require(try Self.lines(run)["1"])
        #expect(lines[0].contains("st_ino=INODE"))
        #expect(lines[0].contains("st_dev=DEVICE"))
        #expect(lines[0].contains("st_mtime=TIME"))
        #expect(lines[0].contains("st_size=1234"))
        #expect(lines[1].contains("random[4]"))
    }

    @Test("the texts that each run has its own of are replaced by one name")
    func aliases() throws {
        var run = TraceBuilder.trace { $0.open("/tmp/run-17/file") }
        run.aliases = ["/tmp/run-17": "$WORK"]
        #expect(try Self.lines(run)["1"]?[0].contains("\"$WORK/file\"") == true)
    }

    @Test("threads are numbered within their process, children within their parent")
    func labels() throws {
        let run = TraceBuilder.trace(process: 10) { trace in
            trace.call("getpid", [], 10)
            trace.add(.clone(CloneEdge(child: 11, process: 10, flags: 0x10100)))
            trace.fork(12)
            trace.thread = 11
            trace.add(.clone(CloneEdge(child: 13, process: 10, flags: 0x10100)))
            trace.as(12) { child in
                child.fork(14)
                child.as(14) { $0.call("gettid", [], 14) }
            }
            trace.thread = 13
            trace.call("gettid", [], 13)
        }
        #expect(try Self.lines(run).keys.sorted() == ["1", "1.1", "1.1.1", "1/2", "1/3"])
    }

    @Test("how the program was started is no part of it")
    func start() throws {
        let call = TracedCall(number: 59, arguments: CallArguments([1, 2, 3]))
        let run = TraceBuilder.trace { trace in
            trace.add(.unfinished(call, .replaced))
            trace.add(.exec(path: Array("/bin/x".utf8), formerThread: 100))
            trace.call("getuid")
            trace.add(.unfinished(call, .replaced))
            trace.add(.exec(path: Array("/bin/y".utf8), formerThread: 100))
        }
        let lines = try #require(try Self.lines(run)["1"])
        #expect(lines.count == 3)
        #expect(lines[0].hasPrefix("getuid"))
        #expect(lines[2].contains("another program"))
    }

    @Test("a thread that is not the leader goes on as itself after execve")
    func execFromThread() throws {
        let run = TraceBuilder.trace(process: 10) { trace in
            trace.call("getuid")
            trace.add(.clone(CloneEdge(child: 11, process: 10, flags: 0x10100)))
            trace.add(.exit(WaitStatus(exitCode: 0)))
            trace.thread = 11
            trace.add(.unfinished(TracedCall(number: 59, arguments: CallArguments([1, 2, 3])), .replaced))
            trace.thread = 10
            trace.add(.exec(path: Array("/bin/x".utf8), formerThread: 11))
            trace.call("gettid", [], 10)
        }
        let lines = try Self.lines(run)
        #expect(lines.keys.sorted() == ["1", "1/2"])
        #expect(lines["1/2"]?.last?.hasSuffix("= 1/2") == true)
    }

    @Test("seconds beside UTIME_OMIT and UTIME_NOW are ignored, as utimensat(2) does; others are not")
    func ignoredSeconds() throws {
        func program(_ seconds: UInt64, _ nanoseconds: UInt64) -> (inout TraceBuilder) -> Void {
            { trace in
                let words = [seconds, nanoseconds, 1000, 0]
                let bytes = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
                trace.call(
                    "utimensat", [3, 0, trace.base, 0], 0, [TracePayload(parameter: 2, isOutput: false, bytes: bytes)])
            }
        }
        for special: UInt64 in [0x3fff_ffff, 0x3fff_fffe] {
            #expect(try DivergenceTests.compare(program(0, special), program(4711, special)).verdict == .same)
        }
        #expect(try DivergenceTests.compare(program(0, 0), program(4711, 0)).verdict == .different)
    }

    @Test("mappings are cut, moved and forgotten as the calls say")
    func mappings() {
        var space = AddressSpace()
        space.map(0x10000, 0x5000, label: "a", isFixed: false)
        space.unmap(0x12000, 0x1000)
        #expect(space.symbol(0x11000) == "a+0x1000")
        #expect(space.symbol(0x12800) == nil)
        #expect(space.symbol(0x13000) == "a+0x3000")
        #expect(space.symbol(0x15000) == "a+0x5000")
        space.map(0x13000, 0x1000, label: "b", isFixed: false)
        #expect(space.symbol(0x13000) == "b")
        #expect(space.symbol(0x14000) == "a+0x4000")
        space.move(0x13000, 0x1000, to: 0x90000, 0x2000)
        #expect(space.symbol(0x91000) == "b+0x1000")
        space.map(.max - 10, 4096, label: "wraps", isFixed: false)
        space.unmap(0, .max)
        #expect(space.symbol(.max - 5) == nil)
        var generator = SeededGenerator(5)
        for _ in 0..<5000 {
            let start = UInt64.random(in: 0...64, using: &generator) << 12
            let length = UInt64.random(in: 0...20, using: &generator) << 12
            if Bool.random(using: &generator) {
                space.map(start, length, label: "x", isFixed: Bool.random(using: &generator))
            } else {
                space.unmap(start, length)
                if length > 0 { #expect(space.symbol(start + 1) == nil) }
            }
        }
    }
}
