internal import HostSystem
internal import Stub

/// The seccomp filter behind every stub: whatever comes from outside the stub's code is trapped; the stub's own few calls
/// pass by number and argument. A guest that jumps into the stub gains just these: see `docs/decisions/0016-what-a-stub-may-call.md`
/// for what each could do in a guest's hands.
enum StubFilter {
    private typealias I = FilterInstruction

    /// What must hold of a call's arguments.
    private enum Condition {
        /// The low word of this argument is one of the values: for what the host takes as an `int`.
        case word(Int, among: [UInt32])
        /// This argument is the value.
        case exactly(Int, UInt64)
        /// None of the other bits, and all of these, are set in an argument.
        case bits(Int, among: UInt32, with: UInt32)
        /// Address and length, in these arguments, end where guests' addresses do: the stub's area is out of reach.
        case belowStub(address: Int, length: Int)
        /// An address above the stub's area, from where mappings reach upwards, to where there is nothing of ours.
        case aboveStub(address: Int)

        /// Falls through where it holds, else jumps `failure` instructions beyond its own end.
        func instructions(failure: Int) -> [UInt64] {
            switch self {
            case .word(let argument, let values):
                var body = [I.load(I.argumentLow(argument))]
                for (index, value) in values.enumerated() {
                    let left = values.count - 1 - index
                    body.append(I.ifEqual(value, left, else: left == 0 ? failure : 0))
                }
                return body
            case .exactly(let argument, let value):
                return [
                    I.load(I.argumentLow(argument)),
                    I.ifEqual(UInt32(truncatingIfNeeded: value), 0, else: 2 + failure),
                    I.load(I.argumentHigh(argument)),
                    I.ifEqual(UInt32(truncatingIfNeeded: value >> 32), 0, else: failure),
                ]
            case .bits(let argument, let allowed, let required):
                var body = [
                    I.load(I.argumentHigh(argument)),
                    I.ifEqual(0, 0, else: 2 + failure + (required == 0 ? 0 : 2)),
                    I.load(I.argumentLow(argument)),
                    I.ifAnyBit(of: ~allowed, failure + (required == 0 ? 0 : 2), else: 0),
                ]
                if required != 0 { body += [I.and(required), I.ifEqual(required, 0, else: failure)] }
                return body
            case .belowStub(let address, let length):
                return StubFilter.belowStub(address, length, failure: failure)
            case .aboveStub(let address):
                return [
                    I.load(I.argumentHigh(address)),
                    I.ifAtLeast(UInt32(APUS_STUB_PAGES >> 32), 0, else: failure),
                ]
            }
        }
    }

    /// The sum of an address and a length, word by word with the carry, compared with the stub's base, whose low word is 0.
    private static func belowStub(_ address: Int, _ length: Int, failure: Int) -> [UInt64] {
        let base = UInt32(APUS_STUB_BASE >> 32)
        return [
            // Both high words first, so that their sum cannot overflow.
            I.load(I.argumentHigh(length)), I.ifAbove(base, 21 + failure, else: 0),
            I.load(I.argumentHigh(address)), I.ifAtLeast(base, 19 + failure, else: 0),
            I.load(I.argumentLow(address)), I.toIndex,
            I.load(I.argumentLow(length)), I.addIndex, I.store(0),
            I.ifAtLeastIndex(2, else: 0), I.set(1), I.skip(1), I.set(0), I.toIndex,
            I.load(I.argumentHigh(length)), I.addIndex, I.toIndex,
            I.load(I.argumentHigh(address)), I.addIndex,
            I.ifAtLeast(base, 0, else: 3),
            // The sum may be the base itself.
            I.ifEqual(base, 0, else: 2 + failure), I.recall(0), I.ifEqual(0, 0, else: failure),
        ]
    }

    /// A call of the stub's own, and in which ways: one of them must hold.
    private struct Rule {
        let number: UInt32
        let ways: [[Condition]]
        /// Where a way holds the kernel is asked, if it listens.
        var isAsked = false

        init(_ number: UInt32, _ ways: [Condition]...) {
            self.number = number
            self.ways = ways.isEmpty ? [[]] : ways
        }

        init(asked number: UInt32, _ way: [Condition]) {
            self.number = number
            ways = [way]
            isAsked = true
        }

        /// The program's part for it, which never falls through once the number is this.
        func instructions(asking: Bool) -> [UInt64] {
            let granted = isAsked && asking ? I.ask : I.allow
            var body: [UInt64] = []
            for way in ways {
                // From the last condition to the first: each jumps over all that comes behind it in its way.
                var part = [I.answer(granted)]
                for condition in way.reversed() { part = condition.instructions(failure: part.count) + part }
                body += part
            }
            if ways.allSatisfy({ !$0.isEmpty }) { body.append(I.answer(I.trap)) }
            return [I.ifEqual(number, 0, else: body.count)] + body
        }
    }

    /// The process's own area, which each process maps for itself, once.
    private static let contexts: [Condition] = [
        .exactly(0, UInt64(APUS_STUB_CONTEXTS)), .exactly(1, UInt64(APUS_CONTEXTS_SIZE)),
    ]

    /// What the stub itself calls, and why that is harmless: each can only hurt the caller's own address space.
    private static let rules: [Rule] = [
        // futex: WAIT, WAKE, also private: by the stub for its guest, on words of the caller's own address space.
        Rule(202, [.word(1, among: [0, 1, 128, 129])]),
        // rt_sigreturn, sigaltstack: the caller's own registers and stack.
        Rule(15),
        Rule(131),
        // sched_yield.
        Rule(24),
        // rt_sigprocmask: nothing that rt_sigreturn could not do.
        Rule(14, [.word(0, among: [0, 1])]),
        // mmap, at a place that the caller names: SHARED, PRIVATE, FIXED, ANONYMOUS, NORESERVE, POPULATE, STACK; no huge pages of
        // the host. What descriptors a stub ever has allows no more than its guest may do with the file. And the contexts.
        Rule(
            9,
            [
                .bits(3, among: 0x01 | 0x02 | 0x10 | 0x20 | 0x4000 | 0x8000 | 0x2_0000, with: 0x10),
                .belowStub(address: 0, length: 1),
            ],
            // Pages of files that the stub reads, above it: only to be read.
            [.word(2, among: [1]), .exactly(3, 0x4011), .aboveStub(address: 0)],
            // What it shares with one other process, for the pipes between them.
            [
                .exactly(0, UInt64(APUS_STUB_PIPE_LINK)), .exactly(1, UInt64(APUS_PIPE_LINK_SIZE)),
                .word(2, among: [3]), .exactly(3, 0x4011), .exactly(5, 0),
            ],
            contexts + [.word(2, among: [3]), .exactly(3, 0x11), .exactly(5, 0)]),
        // munmap: of the guest's part, of those pages, and of what the template's program has left behind the stub.
        Rule(
            11, [.belowStub(address: 0, length: 1)], [.aboveStub(address: 0)],
            [.exactly(0, UInt64(APUS_STUB_END))]),
        // mprotect.
        Rule(10, [.belowStub(address: 0, length: 1)]),
        // mremap: in place, or MAYMOVE | FIXED, with or without DONTUNMAP.
        Rule(
            25, [.exactly(3, 0), .belowStub(address: 0, length: 1)],
            [.bits(3, among: 7, with: 3), .belowStub(address: 0, length: 1), .belowStub(address: 4, length: 2)]),
        // madvise: never REMOVE, which would take pages out of a file. And DONTFORK for the contexts and for files' pages.
        Rule(
            28, [.word(2, among: [3, 4, 8, 14, 15, 18, 19, 22, 23]), .belowStub(address: 0, length: 1)],
            contexts + [.word(2, among: [10])], [.word(2, among: [10]), .aboveStub(address: 0)]),
        // mseal: the contexts.
        Rule(462, contexts + [.exactly(2, 0)]),
        // clone: a thread, or a process like this one; see `CloneGuard`.
        Rule(asked: 56, [.word(0, among: [UInt32(APUS_CLONE_THREAD), UInt32(APUS_CLONE_PROCESS)])]),
        // exit.
        Rule(60),
        // getppid: whether the kernel is still there.
        Rule(110),
        // recvmsg on the stub's socket.
        Rule(47, [.word(0, among: [UInt32(APUS_SOCKET)])]),
        // close.
        Rule(3),
        // dup2: a new process's socket to the place of its parent's.
        Rule(33, [.word(1, among: [UInt32(APUS_SOCKET)])]),
        // close_range: everything else that a new process has of its parent's.
        Rule(436, [.word(0, among: [UInt32(APUS_SOCKET) + 1]), .word(1, among: [.max]), .word(2, among: [0])]),
        // msync: of the caller's own mappings.
        Rule(26),
        // prctl: user dispatch, and the parent-death signal, which must be SIGKILL: the kernel's end is everybody's.
        Rule(157, [.word(0, among: [59]), .word(1, among: [1])], [.word(0, among: [1]), .word(1, among: [9])]),
    ]

    /// The program; at most 4096 instructions. `asking`: the kernel has the listener and decides on clones.
    static func program(asking: Bool) -> [UInt64] {
        let codeEnd = UInt64(APUS_STUB_BASE) + UInt64(APUS_STUB_CODE_SIZE)
        let trapped = I.answer(I.trap)
        return [
            I.load(I.architecture), I.ifEqual(I.x86_64, 1, else: 0), trapped,
            I.load(I.addressHigh), I.ifEqual(UInt32(APUS_STUB_BASE >> 32), 1, else: 0), trapped,
            I.load(I.addressLow), I.ifAtLeast(UInt32(truncatingIfNeeded: codeEnd), 0, else: 1), trapped,
            I.load(I.number),
        ] + rules.flatMap { $0.instructions(asking: asking) } + [trapped]
    }
}
