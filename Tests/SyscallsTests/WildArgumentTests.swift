import LinuxABI
import Testing

@testable import Kernel
@testable import Syscalls

/// Numbers that follow from a seed.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

@Suite("wild arguments")
struct WildArgumentTests {
    /// Registers that calls stumble over: descriptors, small numbers, bounds of types, addresses, and noise.
    private static func register(_ guest: TestGuest, _ random: inout Seeded) -> UInt {
        switch UInt64.random(in: 0..<12, using: &random) {
        case 0: return 0
        case 1, 2: return UInt.random(in: 0..<12, using: &random)
        case 3: return UInt.max - UInt.random(in: 0..<4, using: &random)
        case 4:
            return [0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 62, 1 << 63, UInt(bitPattern: Int.max)]
                .randomElement(using: &random) ?? 0
        case 5: return 1 << UInt.random(in: 0..<64, using: &random)
        case 6: return UInt(bitPattern: -100)
        case 7, 8, 9:
            // In the guest's memory, near its end, or just past it.
            return [0x10000, 0x10040, 0x10ff0, 0x10_fff0, 0x10_fffd, 0x11_0000].randomElement(using: &random) ?? 0
        case 10: return UInt.random(in: 0..<70000, using: &random)
        default: return UInt(random.next())
        }
    }

    /// Opens a file of each kind, and fills memory with what looks like structures.
    private static func prepare(_ guest: TestGuest, _ random: inout Seeded) {
        let room = guest.room(64)
        guest.poke(Array("/f\0".utf8), at: room)
        _ = guest.call(Linux.open, room, 0o102, 0o644)
        _ = guest.call(Linux.pipe2, room, 0o4000)
        _ = guest.call(Linux.socketpair, 1, 1, 0, room)
        _ = guest.call(Linux.socketpair, 1, 2, 0, room)
        _ = guest.call(Linux.epoll_create1, 0)
        _ = guest.call(Linux.eventfd2, 1, 0)
        _ = guest.call(Linux.timerfd_create, 1, 0)
        _ = guest.call(Linux.inotify_init1, 0)
        guest.poke(Array("/ptmx\0".utf8), at: room)
        _ = guest.call(Linux.open, room, 0o2, 0)
        var words: [UInt] = []
        for _ in 0..<64 { words.append(register(guest, &random)) }
        _ = guest.put(words)
        guest.poke(Array("/f\0".utf8), at: 0x10ff0)
    }

    @Test("whatever the registers hold, the kernel lives and says a result or an errno", arguments: 0..<2)
    func everything(_ seed: Int) {
        for row in HandlerTable.x86_64.rows {
            guard let row else { continue }
            var random = Seeded(state: UInt64(seed) << 32 | UInt64(row.number))
            for _ in 0..<3 {
                let guest = TestGuest(user: seed % 2 == 0 ? 0 : 1000)
                WildArgumentTests.prepare(guest, &random)
                _ = guest.fork(200)
                for _ in 0..<16 where guest.thread.state == .running {
                    let arguments = (0..<6).map { _ in WildArgumentTests.register(guest, &random) }
                    if let result = guest.call(row.number, arguments) {
                        // Errnos end at 4095; past them only "no return" and the kinds of restart.
                        #expect(result > -4096 || result == -Int(Errno.noReturn.rawValue), "\(row.name) \(arguments)")
                    } else {
                        // It waits: nobody will come.
                        guest.thread.unpark()
                        guest.thread.state = .running
                    }
                }
            }
        }
    }
}
