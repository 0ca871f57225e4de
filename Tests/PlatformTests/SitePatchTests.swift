import HostSystem
import LinuxABI
import Platform
import Testing

extension PlatformTests {
    @Suite("Patched sites")
    struct SitePatchTests {
        /// `syscall; ret` and padding, over and over; before them a loop that does nothing.
        private static let sites = 300
        private static func site(_ index: Int) -> UInt { TinyGuest.codeBase + 16 + UInt(index) * 12 }
        private static var code: [UInt8] {
            [0xeb, 0xfe] + [UInt8](repeating: 0xcc, count: 14)
                + (0..<sites).flatMap { _ in [0x0f, 0x05, 0xc3] + [UInt8](repeating: 0x90, count: 9) }
        }

        private static func zone(of guest: TinyGuest, at address: UInt, unmapping: Bool = false) throws {
            guest.thread.interrupt()
            guard case .interrupted = try guest.nextEvent() else { throw TinyGuest.Unexpected("not interrupted") }
            var answer = StubAnswer()
            answer.registers = guest.thread.readRegisters()
            answer.commands = [
                unmapping
                    ? .unmap(address: address, length: SitePatches.zoneSize)
                    : .mapAnonymous(address: address, length: SitePatches.zoneSize, protection: 5, flags: 0x32)
            ]
            try guest.thread.answer(answer)
            guest.thread.interrupt()
            guard case .interrupted = try guest.nextEvent() else { throw TinyGuest.Unexpected("not interrupted") }
        }

        @Test("whose trampolines cannot be written take no room from others")
        func failedWrites() throws {
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            let guest = try TinyGuest(platform: platform, code: Self.code)
            defer { guest.end() }
            var patches = SitePatches()
            let zone: UInt = 0x30_0000
            patches.addZone(at: zone)
            // Nothing is mapped there yet: as many failures as there is room, each at a place of its own.
            let room = Int(SitePatches.zoneSize / 128)
            for index in 0..<room {
                #expect(
                    !patches.patch(
                        resumingAt: Self.site(index) + 2, number: 39, answer: nil, in: guest.thread.process
                    ) { _ in true })
            }
            try Self.zone(of: guest, at: zone)
            for index in room..<Self.sites {
                #expect(
                    patches.patch(
                        resumingAt: Self.site(index) + 2, number: 39, answer: nil, in: guest.thread.process
                    ) { _ in true })
            }
            #expect(patches.count == Self.sites - room)
            // What failed has left no trace, and what is restored is what it was.
            patches.restoreAll(in: guest.thread.process)
            let text = try [UInt8](capacity: Self.code.count) { output throws(Errno) in
                try guest.thread.process.memory.read(Self.code.count, at: TinyGuest.codeBase, into: &output)
            }
            #expect(text == Self.code)
            #expect(patches.isEmpty)
        }

        @Test("whose text is gone are forgotten, and their process lives")
        func textIsGone() throws {
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            let guest = try TinyGuest(platform: platform, code: Self.code)
            var patches = SitePatches()
            let zone: UInt = 0x30_0000
            patches.addZone(at: zone)
            try Self.zone(of: guest, at: zone)
            #expect(
                patches.patch(resumingAt: Self.site(0) + 2, number: 39, answer: nil, in: guest.thread.process) { _ in
                    true
                })
            // Text that is gone can be read no more than written: nobody is to be ended for that.
            try Self.zone(of: guest, at: TinyGuest.codeBase & ~0x7fff, unmapping: true)
            patches.restoreAll(in: guest.thread.process)
            #expect(patches.isEmpty)
            #expect(!guest.thread.process.isDead)
            guest.end()
        }
    }
}
