import Foundation
import HostSystem
import Testing

extension SandboxTests {
    /// The guests of `Guests`, with fixed seeds and few rounds; `scripts/soak` runs them for long with others.
    @Suite("Adversaries", .enabled(if: Programs.canCompile, "no C compiler"))
    struct Adversaries {
        private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Guests")

        /// `seal` expects that the stub's calls are the host's; of who is traced they are a guest's, who may map its own files.
        private static let guests = ["calls", "races", "forge", "storms", "families", "nests", "crowds", "seal"]

        private static func compile(_ name: String, in folder: URL) throws -> String {
            try Programs.compile(file: Self.folder.appendingPathComponent("\(name).c").path, in: folder)
        }

        @Test(
            "whatever a guest does, the kernel and the other guests live",
            arguments: guests.map { ($0, "trap") } + guests.filter { $0 != "seal" }.map { ($0, "ptrace") })
        func survived(name: String, platform: String) async throws {
            let folder = try Scratch.folder()
            defer { try? FileManager.default.removeItem(at: folder) }
            let program = try Self.compile(name, in: folder)
            let outcome = try await Guest.run([program, "1", "0"], options: ["--platform", platform])
            #expect(outcome.status == 0, "\(outcome.errors.suffix(3000))")
            #expect(outcome.output.contains("\(name): done"), "\(outcome.output.suffix(1000))")
        }

        /// What the kernel process holds.
        private struct Holding: Equatable, CustomStringConvertible {
            let descriptors: Int
            let mappings: Int
            let children: Int
            let kilobytes: Int

            init(of kernel: Family.Member, in family: [Family.Member]) throws {
                let folder = "/proc/\(kernel.process)"
                descriptors = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/fd").count
                mappings = try String(contentsOfFile: "\(folder)/maps", encoding: .utf8).split(separator: "\n").count
                children = family.count { $0.parent == kernel.process }
                let status = try String(contentsOfFile: "\(folder)/status", encoding: .utf8)
                let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
                kilobytes = line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
            }

            var description: String {
                "\(descriptors) descriptors, \(mappings) mappings, \(children) stubs, \(kilobytes) kB"
            }
        }

        @Test("no host process or thread is made behind the kernel's back, or it is found and ended")
        func strays() async throws {
            let folder = try Scratch.folder()
            defer { try? FileManager.default.removeItem(at: folder) }
            let program = try Self.compile("strays", in: folder)
            let guest = try await Guest([program, "1", "3", "/bind"], options: ["--bind", "\(folder.path):/bind"])
            try await guest.printed("made ")
            // Where the host lets the kernel decide, nothing comes into being at all.
            if Host.hasAskingFilters { #expect(guest.output.hasPrefix("made 0\n"), "\(guest.output)") }
            func stubs() -> Int {
                let family = Family.members(below: guest.process)
                guard let kernel = family.first(where: { $0.parent == guest.process }) else { return 0 }
                return family.count { $0.parent == kernel.process }
            }
            // The template, its heir and the guest's own.
            try await Watchdog.until("the strays are gone", dumping: { Family.members(below: guest.process) }) {
                stubs() == 3
            }
            try Data().write(to: folder.appendingPathComponent("made"))
            #expect(try await guest.wait().status == 0)
        }

        @Test("processes, threads, files and mappings that are gone leave nothing in the kernel")
        func leaks() async throws {
            let folder = try Scratch.folder()
            defer { try? FileManager.default.removeItem(at: folder) }
            let program = try Self.compile("leaks", in: folder)
            let guest = try await Guest([program, "1", "150", "/bind"], options: ["--bind", "\(folder.path):/bind"])
            func holding(_ word: String) async throws -> Holding {
                try await guest.printed(word)
                func look() throws -> Holding {
                    let family = Family.members(below: guest.process)
                    return try Holding(of: #require(family.first { $0.parent == guest.process }), in: family)
                }
                // The last child may still be on its way out: the template, its heir and the guest itself stay.
                try await Watchdog.until("the guest's children are gone") { (try? look().children == 3) ?? false }
                let found = try look()
                try Data().write(to: folder.appendingPathComponent(word))
                return found
            }
            let before = try await holding("settled")
            let after = try await holding("done")
            #expect(after.descriptors == before.descriptors, "\(before), then \(after)")
            // The allocator may have taken another piece from the host.
            #expect(after.mappings <= before.mappings + 2, "\(before), then \(after)")
            #expect(after.kilobytes <= before.kilobytes + 512, "\(before), then \(after)")
            #expect(try await guest.wait().status == 0)
        }
    }
}
