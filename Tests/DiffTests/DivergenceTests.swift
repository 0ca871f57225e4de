import LinuxABI
import Testing
import TraceModel

@testable import Diff

@Suite("divergences")
struct DivergenceTests {
    static func compare(
        _ native: (inout TraceBuilder) -> Void, _ sandbox: (inout TraceBuilder) -> Void
    ) throws -> CaseDifference {
        let one = TraceBuilder.trace(process: 100, native)
        let two = TraceBuilder.trace(process: 200, base: 0x7e00_0000_0000, native)
        let mine = TraceBuilder.trace(process: 2, base: 0x5000_0000_0000, sandbox)
        return try Comparison().compare(native: [one, two], sandbox: [mine])
    }

    @Test("the same calls are the same, whatever pids and addresses are")
    func same() throws {
        let program = { (trace: inout TraceBuilder) in CanonicalTests.program(&trace, child: trace.process + 1) }
        let difference = try Self.compare(program, program)
        #expect(difference.verdict == .same)
        #expect(difference.calls["mmap"]?.native == 2)
        #expect(difference.calls["mmap"]?.sandbox == 2)
        #expect(difference.statistics.nativeThreads == 2)
    }

    /// Changes one thing in the middle of a program, and expects to find it.
    @Test("what differs is found, with its class, its field and both values")
    func classes() throws {
        func found(
            _ native: (inout TraceBuilder) -> Void, _ sandbox: (inout TraceBuilder) -> Void
        ) throws -> Divergence {
            let difference = try Self.compare(
                {
                    $0.open("/a")
                    native(&$0)
                    $0.exit()
                },
                {
                    $0.open("/a")
                    sandbox(&$0)
                    $0.exit()
                })
            #expect(difference.divergences.count == 1)
            #expect(difference.firstCausal == (difference.verdict == .explained ? nil : 0))
            return try #require(difference.divergences.first)
        }
        let errno = try found({ $0.call("close", [9], -9) }, { $0.call("close", [9], -22) })
        #expect(errno.kind == .errno)
        #expect(errno.field == "result")
        #expect(errno.native?.contains("EBADF") == true)
        #expect(errno.sandbox?.contains("EINVAL") == true)
        #expect(errno.nativePosition?.index == 1)
        #expect(errno.context.contains { $0.differs && $0.native?.hasPrefix("close(9)") == true })

        let missing = try found({ $0.call("io_uring_setup", [1, 2], 3) }, { $0.call("io_uring_setup", [1, 2], -38) })
        #expect(missing.kind == .unimplemented)
        #expect(missing.cause == .missingFeature)

        let value = try found({ $0.call("lseek", [3, 5, 0], 5) }, { $0.call("lseek", [3, 5, 0], 6) })
        #expect(value.kind == .value)
        #expect(value.native == "5")

        let payload = try found({ $0.read("hello") }, { $0.read("hellx") })
        #expect(payload.kind == .payload)
        #expect(payload.field == "buf")
        #expect(payload.sandbox == "\"hellx\"")

        let lost = try found({ $0.call("sync") }, { _ in })
        #expect(lost.kind == .missingCall)
        #expect(lost.call == "sync")
        let many = try found({ _ in }, { for _ in 0..<5 { $0.call("sync") } })
        #expect(many.kind == .extraCall)
        #expect(many.explanation.contains("5 events"))

        let signal = TracedSignal(number: 10, code: 0, sender: 0)
        #expect(try found({ $0.add(.signal(signal)) }, { _ in }).kind == .signal)

        let order = try found(
            {
                $0.call("sync")
                $0.call("getuid")
            },
            {
                $0.call("getuid")
                $0.call("sync")
            })
        #expect(order.kind == .order)
    }

    @Test("a clock that the vDSO answers natively is explained, not a bug")
    func vdso() throws {
        let difference = try Self.compare(
            { $0.open("/a") },
            {
                $0.open("/a")
                $0.call("clock_gettime", [1, $0.base])
            })
        #expect(difference.verdict == .explained)
        #expect(difference.divergences.first?.kind == .extraCall)
        #expect(difference.divergences.first?.cause == .environment)
        #expect(difference.firstCausal == nil)
    }

    @Test("the loader has no licence to allocate at other times: in the sandbox it finds a vDSO, too")
    func loader() throws {
        func map(_ trace: inout TraceBuilder) {
            trace.call("mmap", [0, 8192, 3, 0x22, UInt64(UInt32.max), 0], Int64(trace.base + 0x10000))
        }
        let early = try Self.compare(
            {
                map(&$0)
                $0.open("/lib/libc.so.6")
                $0.call("set_tid_address", [$0.base], Int64($0.process))
            },
            {
                $0.open("/lib/libc.so.6")
                map(&$0)
                $0.call("set_tid_address", [$0.base], Int64($0.process))
            })
        #expect(early.verdict == .different)
    }

    @Test("signals that are ignored are not compared, those with a handler are")
    func ignoredSignals() throws {
        let child = TracedSignal(number: 17, code: 1, sender: 0)
        let ignored = try Self.compare(
            {
                $0.add(.signal(child))
                $0.call("getuid")
            }, { $0.call("getuid") })
        #expect(ignored.verdict == .same)
        func handler(_ trace: inout TraceBuilder) {
            let action = TracePayload(
                parameter: 1, isOutput: false,
                bytes: [UInt8](repeating: 0x11, count: 8) + [UInt8](repeating: 0, count: 24))
            trace.call("rt_sigaction", [17, trace.base, 0, 8], 0, [action])
        }
        let handled = try Self.compare(
            {
                handler(&$0)
                $0.add(.signal(child))
                $0.call("getuid")
            },
            {
                handler(&$0)
                $0.call("getuid")
            })
        #expect(handled.divergences.map(\.kind) == [.signal])
    }

    @Test("a pipe that is read in other pieces is a race, other bytes are not")
    func pipes() throws {
        func reads(_ pieces: [String]) -> (inout TraceBuilder) -> Void {
            { trace in
                let ends = TracePayload(parameter: 0, isOutput: true, bytes: [3, 0, 0, 0, 4, 0, 0, 0])
                trace.call("pipe2", [trace.base, 0], 0, [ends])
                trace.fork(trace.process + 1)
                trace.as(trace.process + 1) { $0.exit() }
                for piece in pieces { trace.read(piece) }
            }
        }
        #expect(try Self.compare(reads(["abcd", "ef"]), reads(["abc", "def"])).verdict == .explained)
        #expect(try Self.compare(reads(["abcd", "ef"]), reads(["abcd", "ex"])).verdict == .different)
    }

    @Test("another argument explains another result; a call that fails explains itself")
    func consequences() throws {
        func write(_ text: String) -> (inout TraceBuilder) -> Void { { $0.write(text) } }
        let other = try Self.compare(write("one"), write("three"))
        #expect(other.divergences.map(\.field) == ["buf"])
        #expect(other.divergences.first?.explanation.contains("before") == true)
        let failed = try Self.compare({ $0.call("dup2", [3, 4], 4) }, { $0.call("dup2", [3, 5], -9) })
        #expect(failed.divergences.map(\.kind) == [.errno])
    }

    @Test("which of several children ends first is a race, how one child ends is not")
    func anyChild() throws {
        func program(_ order: [Int32], code: UInt8 = 0) -> (inout TraceBuilder) -> Void {
            { trace in
                for child in 1...2 as ClosedRange<Int32> {
                    trace.fork(trace.process + child)
                    trace.as(trace.process + child) { $0.exit(Int32(code)) }
                }
                for child in order {
                    let status = TracePayload(parameter: 1, isOutput: true, bytes: [0, code, 0, 0])
                    trace.call(
                        "wait4", [UInt64(bitPattern: -1), trace.base, 0, 0], Int64(trace.process + child), [status])
                }
            }
        }
        #expect(try Self.compare(program([1, 2]), program([2, 1])).verdict == .explained)
        #expect(try Self.compare(program([1, 2]), program([1, 2], code: 1)).verdict == .different)
    }

    @Test("how far a thread gets before it is killed is a race, how far one that ends by itself gets is not")
    func killedThread() throws {
        func program(_ calls: Int, isKilled: Bool) -> (inout TraceBuilder) -> Void {
            { trace in
                trace.add(.clone(CloneEdge(child: trace.process + 1, process: trace.process, flags: 0x10100)))
                let main = trace.thread
                trace.thread += 1
                trace.call("gettid", [], Int64(trace.thread))
                for _ in 0..<calls { trace.call("sync") }
                if !isKilled { trace.add(.unfinished(TracedCall(number: 60, arguments: CallArguments([])), .ended)) }
                trace.add(.exit(WaitStatus(exitCode: 0)))
                trace.thread = main
                trace.exit()
            }
        }
        #expect(try Self.compare(program(1, isKilled: true), program(3, isKilled: true)).verdict == .explained)
        #expect(try Self.compare(program(1, isKilled: false), program(3, isKilled: false)).verdict == .different)
    }

    @Test("how often a loop turns that turns differently natively may differ")
    func loops() throws {
        func program(_ turns: Int) -> (inout TraceBuilder) -> Void {
            { trace in
                trace.call("getuid")
                for _ in 0..<turns { trace.call("getppid", [], 1) }
                trace.exit()
            }
        }
        let native = [TraceBuilder.trace(program(40)), TraceBuilder.trace(program(30))]
        for turns in [3, 35, 100] {
            let difference = try Comparison().compare(native: native, sandbox: [TraceBuilder.trace(program(turns))])
            #expect(difference.verdict == .same)
        }
    }

    @Test("how often a timer overran is the clock's affair, whether it did is not")
    func overruns() throws {
        let more = try Self.compare({ $0.call("timer_getoverrun", [0], 7) }, { $0.call("timer_getoverrun", [0], 9) })
        #expect(more.divergences.map(\.cause) == [.timePrecision])
        let none = try Self.compare({ $0.call("timer_getoverrun", [0], 7) }, { $0.call("timer_getoverrun", [0], 0) })
        #expect(none.verdict == .different)
    }

    @Test("a native run that ended is compared with, not one that hung")
    func reference() throws {
        var hung = TraceBuilder.trace { $0.call("getuid") }
        hung.ending = .timedOut(seconds: 1, threads: [])
        let whole = TraceBuilder.trace { trace in
            trace.call("getuid")
            trace.call("getgid")
            trace.exit()
        }
        #expect(try Comparison().compare(native: [hung, whole], sandbox: [whole]).verdict == .same)
    }

    @Test("a call that both sides interrupt must be restarted in the same way")
    func restarts() throws {
        let difference = try Self.compare({ $0.call("poll", [0, 0, 5], -516) }, { $0.call("poll", [0, 0, 5], -514) })
        #expect(difference.divergences.map(\.kind) == [.errno])
        #expect(difference.verdict == .different)
    }

    @Test("entries of a directory in another order are an order, explained")
    func directoryOrder() throws {
        func entry(_ name: String, _ inode: UInt8) -> [UInt8] {
            [inode, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 24, 0, 8] + Array(name.utf8) + [0, 0, 0, 0]
        }
        func list(_ bytes: [UInt8]) -> (inout TraceBuilder) -> Void {
            { $0.call("getdents64", [3, 8, 1024], 48, [TracePayload(parameter: 1, isOutput: true, bytes: bytes)]) }
        }
        let difference = try Self.compare(list(entry("a", 1) + entry("b", 2)), list(entry("b", 1) + entry("a", 2)))
        #expect(difference.divergences.map(\.kind) == [.order])
        #expect(difference.verdict == .explained)
        let other = try Self.compare(list(entry("a", 1) + entry("b", 2)), list(entry("b", 1) + entry("c", 2)))
        #expect(other.verdict == .different)
    }

    @Test("what differs between native runs may differ, what is stable may not")
    func envelope() throws {
        func program(_ size: Int64, _ name: String, extra: Bool) -> (inout TraceBuilder) -> Void {
            {
                $0.open("/a")
                $0.call("lseek", [3, 0, 2], size)
                if extra { $0.call("sched_yield") }
                $0.open(name)
                $0.exit()
            }
        }
        let native = [
            TraceBuilder.trace(program(10, "/b", extra: false)), TraceBuilder.trace(program(11, "/b", extra: true)),
        ]
        let allowed = TraceBuilder.trace(program(12, "/b", extra: true))
        let difference = try Comparison().compare(native: native, sandbox: [allowed])
        #expect(difference.verdict == .same)
        #expect(difference.statistics.maskedFields == 1)
        let refused = TraceBuilder.trace(program(12, "/c", extra: false))
        let other = try Comparison().compare(native: native, sandbox: [refused])
        #expect(other.divergences.map(\.field) == ["filename"])
        #expect(other.divergences.first?.explanation.contains("before") == true)
    }

    @Test("the first causal divergence precedes the others, over all threads")
    func causality() throws {
        func program(_ isNative: Bool) -> (inout TraceBuilder) -> Void {
            { trace in
                let child = trace.process + 1
                trace.call("getuid")
                trace.fork(child)
                trace.as(child) { child in
                    child.call("dup", [0], isNative ? 5 : -24)
                    child.exit(isNative ? 0 : 1)
                }
                let status = TracePayload(
                    parameter: 1, isOutput: true, bytes: isNative ? [0, 0, 0, 0] : [0, 1, 0, 0])
                trace.call("wait4", [UInt64(bitPattern: -1), trace.base, 0, 0], Int64(child), [status])
                trace.exit()
            }
        }
        let difference = try Self.compare(program(true), program(false))
        let first = try #require(difference.firstCausal)
        #expect(difference.divergences[first].thread == "1.1")
        #expect(difference.divergences[first].call == "dup")
        #expect(difference.divergences.count == 4)
    }

    @Test("a child is matched by the call that made it, even if the one before it is missing")
    func cloneTree() throws {
        func program(_ isWhole: Bool) -> (inout TraceBuilder) -> Void {
            { trace in
                let (one, two) = (trace.process + 1, trace.process + 2)
                trace.open("/first")
                if isWhole {
                    trace.fork(one)
                    trace.as(one) { $0.exit(1) }
                }
                trace.open("/second")
                trace.fork(two)
                trace.as(two) {
                    $0.open("/child")
                    $0.exit(2)
                }
                trace.exit()
            }
        }
        let difference = try Self.compare(program(true), program(false))
        // The first child is gone, with the calls that made it; the second one is the second one.
        #expect(!difference.divergences.contains { $0.call == "openat" })
        #expect(difference.divergences.contains { $0.field == "thread" && $0.kind == .missingCall })
    }

    @Test("a hang says where each thread stands")
    func hang() throws {
        let native = TraceBuilder.trace { trace in
            for index in 0..<20 { trace.call("lseek", [3, UInt64(index), 0], Int64(index)) }
            trace.exit()
        }
        var sandbox = TraceBuilder.trace { trace in
            for index in 0..<10 { trace.call("lseek", [3, UInt64(index), 0], Int64(index)) }
        }
        sandbox.ending = .timedOut(seconds: 5, threads: [])
        let difference = try Comparison().compare(native: [native, native], sandbox: [sandbox])
        #expect(difference.verdict == .hang)
        #expect(difference.divergences.map(\.kind) == [.hang, .hang])
        #expect(difference.divergences.first?.explanation.contains("lseek(3, 9") == true)
        #expect(difference.firstCausal == 0)
    }

    @Test("a divergence that not every sandboxed run shows says so")
    func seenIn() throws {
        let native = TraceBuilder.trace { $0.call("getuid") }
        let other = TraceBuilder.trace { $0.call("getuid", [], 5) }
        let difference = try Comparison().compare(native: [native], sandbox: [other, native, other])
        #expect(difference.divergences.map(\.seenIn) == [2])
    }

    @Test("a sandbox that writes no trace is a divergence of its own")
    func noTrace() throws {
        let native = TraceBuilder.trace { $0.call("getuid") }
        let difference = try Comparison().compare(
            native: [native], sandbox: [RunRecord(events: .events([]), ending: .ended(WaitStatus(exitCode: 0)))])
        #expect(difference.divergences.map(\.field) == ["trace"])
    }

    @Test("only so many divergences are kept, but all are counted, and the first causal one is among them")
    func limit() throws {
        var options = Comparison.Options()
        options.maximumDivergences = 3
        let native = TraceBuilder.trace { trace in
            for index in 0..<50 { trace.call("lseek", [UInt64(index)], Int64(index)) }
        }
        let other = TraceBuilder.trace { trace in
            for index in 0..<50 { trace.call("lseek", [UInt64(index)], Int64(index) + 1) }
        }
        let difference = try Comparison(options: options).compare(native: [native], sandbox: [other])
        #expect(difference.divergences.count == 3)
        #expect(difference.counts == ["value": 50])
        #expect(difference.firstCausal == 0)
    }

    @Test("what every process lacks is one divergence, with its number")
    func repeated() throws {
        func program(_ result: Int64) -> (inout TraceBuilder) -> Void {
            { trace in
                for child in 1...60 as ClosedRange<Int32> {
                    trace.fork(trace.process + child)
                    trace.as(trace.process + child) { child in
                        child.call("rseq", [child.base, 32, 0, 5], result)
                        child.exit()
                    }
                }
            }
        }
        let difference = try Self.compare(program(0), program(-38))
        #expect(difference.counts == ["unimplemented": 1])
        #expect(difference.divergences.first?.thread == "1.1")
        #expect(difference.divergences.first?.explanation.hasSuffix("(60 times in all)") == true)
    }

    @Test("any change of any single event is found", arguments: 0..<40)
    func mutations(seed: Int) throws {
        var generator = SeededGenerator(UInt64(seed))
        let program = { (trace: inout TraceBuilder) in
            CanonicalTests.program(&trace, child: trace.process + 1)
            for index in 0..<30 { trace.call("lseek", [3, UInt64(index), 0], Int64(index)) }
        }
        let native = TraceBuilder.trace(process: 100, program)
        var builder = TraceBuilder(process: 40, base: 0x1_0000_0000)
        program(&builder)
        let places = builder.events.indices.filter { if case .call = builder.events[$0].kind { true } else { false } }
        let place = try #require(places.randomElement(using: &generator))
        guard case .call(let call, let result) = builder.events[place].kind else { return }
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: builder.events.remove(at: place)
        case 1: builder.events.insert(builder.events[place], at: place)
        default: builder.events[place].kind = .call(call, result: CallResult(result.rawValue == -1 ? -2 : -1))
        }
        let difference = try Comparison().compare(native: [native, native], sandbox: [builder.run])
        #expect(!difference.divergences.isEmpty)
        #expect(difference.divergences.allSatisfy { $0.seenIn == 1 && !$0.explanation.isEmpty })
    }
}
