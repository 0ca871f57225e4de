import LinuxABI
import Testing
import TraceModel

@testable import Diff

@Suite("signals that others send")
struct SignalTests {
    /// A parent that waits for a child and does four things of its own. `place` of them come before the SIGCHLD.
    static func parent(
        _ place: Int, times: Int = 1, code: Int32 = 1, interrupts: Int64? = nil
    ) -> (inout TraceBuilder) -> Void {
        { trace in
            let action = TracePayload(
                parameter: 1, isOutput: false,
                bytes: [UInt8](repeating: 0x11, count: 8) + [UInt8](repeating: 0, count: 24))
            trace.call("rt_sigaction", [17, trace.base, 0, 8], 0, [action])
            let child = trace.process + 1
            trace.fork(child)
            trace.as(child) { $0.exit() }
            for step in 0..<4 {
                if step == place {
                    if let interrupts { trace.call("pause", [], interrupts) }
                    for _ in 0..<times {
                        trace.add(.signal(TracedSignal(number: 17, code: code, sender: child)))
                        trace.write("in the handler")
                        trace.call("rt_sigreturn", [], interrupts.map { _ in -4 } ?? Int64(step))
                    }
                }
                trace.write("step \(step)")
            }
        }
    }

    @Test("at another place of the same thread are a race, with their handlers' calls", arguments: [0, 1, 3])
    func displaced(place: Int) throws {
        let difference = try DivergenceTests.compare(Self.parent(2), Self.parent(place))
        #expect(difference.verdict == .explained)
        #expect(difference.divergences.map(\.kind) == [.signal])
        #expect(difference.divergences.map(\.cause) == [.amplifiedRace])
        #expect(difference.divergences.first?.explanation.contains("the same but for that") == true)
    }

    @Test("at the same place are the same")
    func same() throws {
        #expect(try DivergenceTests.compare(Self.parent(2), Self.parent(2)).verdict == .same)
    }

    @Test("that are missing altogether are no race")
    func missing() throws {
        let difference = try DivergenceTests.compare(Self.parent(2), Self.parent(9))
        #expect(difference.verdict == .different)
        #expect(difference.divergences.contains { $0.kind == .signal && $0.cause == .bug })
    }

    @Test("that come twice are no race, for a child ends once")
    func doubled() throws {
        let difference = try DivergenceTests.compare(Self.parent(2), Self.parent(2, times: 2))
        #expect(difference.verdict == .different)
        #expect(difference.divergences.contains { $0.kind == .signal && $0.cause == .bug })
    }

    @Test("that tell something else of the same sender are no race, wherever they come", arguments: [1, 2])
    func other(place: Int) throws {
        let difference = try DivergenceTests.compare(Self.parent(2), Self.parent(place, code: 2))
        #expect(difference.verdict == .different)
        #expect(difference.divergences.contains { $0.kind == .signal && $0.field == "what" && $0.cause == .bug })
    }

    @Test("that interrupt a call must give it the same result")
    func interrupted() throws {
        // ERESTARTNOHAND and ERESTARTSYS
        let difference = try DivergenceTests.compare(
            Self.parent(2, interrupts: -514), Self.parent(2, interrupts: -512))
        #expect(difference.verdict == .different)
        #expect(difference.divergences.map(\.call) == ["pause"])
    }

    /// A thread that makes many calls, and is told of the processor's time that it has used after some of them.
    static func busy(_ place: Int?, number: Int32 = 27) -> (inout TraceBuilder) -> Void {
        { trace in
            for step in 0..<600 {
                if step == place { trace.add(.signal(TracedSignal(number: number, code: 0x80))) }
                trace.call("getuid")
            }
            trace.write("end")
        }
    }

    @Test("by a processor's time come any number of calls later, but come; by a clock's not so late")
    func processorTime() throws {
        for number: Int32 in [26, 27] {
            let far = try DivergenceTests.compare(Self.busy(10, number: number), Self.busy(590, number: number))
            #expect(far.verdict == .explained)
            #expect(try DivergenceTests.compare(Self.busy(10, number: number), Self.busy(nil)).verdict == .different)
        }
        #expect(
            try DivergenceTests.compare(Self.busy(10, number: 14), Self.busy(590, number: 14)).verdict == .different)
    }

    /// A parent that ends its child by a signal, when the child has made so many calls, or ended by itself.
    static func killer(_ calls: Int, number: Int32 = 15, sender: Bool = true, exits: Bool = false)
        -> (inout TraceBuilder) -> Void
    {
        { trace in
            let (parent, child) = (trace.process, trace.process + 1)
            trace.fork(child)
            trace.as(child) { trace in
                for _ in 0..<calls { trace.call("getuid") }
                if exits { return trace.exit() }
                trace.add(.signal(TracedSignal(number: number, code: 0, sender: sender ? parent : child)))
                trace.add(.exit(WaitStatus(signal: number)))
            }
            trace.write("end")
        }
    }

    @Test("that end another process end it anywhere, even after its own end, which it does not bring upon itself")
    func endedByOthers() throws {
        #expect(try DivergenceTests.compare(Self.killer(30), Self.killer(3)).verdict == .explained)
        #expect(try DivergenceTests.compare(Self.killer(3), Self.killer(30)).verdict == .explained)
        #expect(
            try DivergenceTests.compare(Self.killer(30, sender: false), Self.killer(3, sender: false)).verdict
                == .different)
        let early = try DivergenceTests.compare(Self.killer(3, exits: true), Self.killer(3)).divergences
        #expect(early.filter { $0.kind == .crash }.map(\.cause) == [.amplifiedRace])
        let own = try DivergenceTests.compare(Self.killer(3, exits: true), Self.killer(3, sender: false)).divergences
        #expect(own.filter { $0.kind == .crash }.map(\.cause) == [.bug])
    }

    @Test("that interrupt a call on one side only give another result of their handler's return, which is a race")
    func returns() throws {
        let interrupting = Self.parent(2, interrupts: -514)
        let difference = try DivergenceTests.compare(interrupting, Self.parent(2))
        let returned = difference.divergences.filter { $0.call == "rt_sigreturn" }
        #expect(returned.map(\.cause) == [.amplifiedRace])
    }

    @Test("of two children may be one, but another's stands for it")
    func merged() throws {
        func two(_ told: [Int32]) -> (inout TraceBuilder) -> Void {
            { trace in
                Self.parent(9)(&trace)
                trace.fork(trace.process + 2)
                trace.as(trace.process + 2) { $0.exit() }
                for child in told {
                    trace.add(.signal(TracedSignal(number: 17, code: 1, sender: trace.process + child)))
                    trace.call("rt_sigreturn")
                }
                trace.write("end")
            }
        }
        #expect(try DivergenceTests.compare(two([1, 2]), two([1])).verdict == .explained)
        #expect(try DivergenceTests.compare(two([1]), two([2])).verdict == .explained)
        #expect(try DivergenceTests.compare(two([1, 2]), two([])).verdict == .different)
    }
}

@Suite("several native runs")
struct ReferenceTests {
    @Test("the sandbox is right where it does as one of them, and wrong where it does as none")
    func oneOfThem() throws {
        let runs = ["a", "b", "c"].map { text in
            TraceBuilder.trace { trace in
                for _ in 0..<(text == "a" ? 1 : 2) { trace.write(text) }
                trace.call("getuid")
            }
        }
        let same = try Comparison().compare(native: [runs[0], runs[1]], sandbox: [runs[1]])
        #expect(same.divergences.isEmpty)
        let failed = TraceBuilder.trace { trace in
            trace.write("a")
            trace.call("getuid", [], -1)
        }
        #expect(try Comparison().compare(native: runs, sandbox: [failed]).verdict == .different)
    }

    @Test("a divergence knows the file that it is about, and the one that is read meanwhile")
    func files() throws {
        func program(_ count: Int) -> (inout TraceBuilder) -> Void {
            { trace in
                trace.open("/proc/self/maps")
                trace.read(String(repeating: "x", count: count))
                trace.call("munmap", [trace.base, UInt64(4096 * count)])
                trace.call("close", [3])
                trace.write(String(repeating: "x", count: count))
            }
        }
        let found = try DivergenceTests.compare(program(2), program(1)).divergences
        #expect(found.filter { $0.call == "read" }.map(\.path) == ["/proc/self/maps"])
        #expect(found.filter { $0.call == "munmap" }.map(\.reading) == ["/proc/self/maps"])
        #expect(found.filter { $0.call == "munmap" }.map(\.path) == [nil])
        #expect(found.filter { $0.call == "write" }.map(\.reading) == [nil])
    }
}
