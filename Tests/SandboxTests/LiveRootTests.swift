import Foundation
import Testing

extension SandboxTests {
    /// Somebody works on the host's files while a guest that has looked at them runs.
    @Suite("A live root")
    struct LiveRoot {
        /// Looks at everything, says so, waits for word from the host, and looks again.
        private static let script = """
            look() {
              cat f; stat -c '%n %a %s %F' f d none 2>&1; readlink l; cat l; ls d; [ -x tool ] && echo may run
              echo "end $1"
              until [ -e "/mnt/go$1" ]; do sleep 0.01; done
            }
            for n in 1 2 3 4 5; do look $n; done
            """

        @Test("what the host changes is what the guest sees at its next look")
        func changes() async throws {
            let folder = try Scratch.folder()
            let words = try Scratch.folder()
            defer {
                try? FileManager.default.removeItem(at: folder)
                try? FileManager.default.removeItem(at: words)
            }
            let manager = FileManager.default
            func at(_ name: String) -> URL { folder.appendingPathComponent(name) }
            func write(_ name: String, _ text: String) throws { try Data((text + "\n").utf8).write(to: at(name)) }
            try write("f", "one")
            try manager.createDirectory(at: at("d"), withIntermediateDirectories: false)
            try write("d/in", "in")
            try manager.createSymbolicLink(atPath: at("l").path, withDestinationPath: "f")
            try write("tool", "#!/bin/sh")
            try manager.setAttributes([.posixPermissions: 0o644], ofItemAtPath: at("tool").path)

            let guest = try await Guest(
                ["bash", "-c", LiveRoot.script],
                options: ["--cwd", folder.path, "--bind", "\(words.path):/mnt"])
            var seen = 0
            func look(_ number: Int, _ change: () throws -> Void) async throws -> String {
                try await guest.printed("end \(number)\n")
                let output = guest.output
                let text = String(output.dropFirst(seen))
                seen = output.count
                try change()
                try Data().write(to: words.appendingPathComponent("go\(number)"))
                return text
            }

            let first = try await look(1) {
                // Written anew in place, made executable; something comes where nothing was.
                try Data("longer\n".utf8).write(to: at("f"), options: [])
                try manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: at("tool").path)
                try write("none", "some")
            }
            #expect(first.contains("f 644 4 regular file") && first.contains("No such file"), "\(first)")
            #expect(!first.contains("may run"))
            let second = try await look(2) {
                // Another file in its place, as editors save; the link elsewhere.
                try Data("replaced\n".utf8).write(to: at("f"), options: .atomic)
                try manager.removeItem(at: at("l"))
                try manager.createSymbolicLink(atPath: at("l").path, withDestinationPath: "d/in")
                try manager.removeItem(at: at("none"))
            }
            #expect(second.hasPrefix("longer\nf 644 7 regular file"), "\(second)")
            #expect(second.contains("none 644 5 regular file") && second.contains("may run"), "\(second)")
            let third = try await look(3) {
                // The directory moves away, and another comes.
                try manager.moveItem(at: at("d"), to: at("away"))
                try manager.createDirectory(at: at("d"), withIntermediateDirectories: false)
                try write("d/other", "other")
                try manager.setAttributes([.posixPermissions: 0o700], ofItemAtPath: at("d").path)
            }
            #expect(third.hasPrefix("replaced\n") && third.contains("d/in\nin\n"), "\(third)")
            #expect(third.contains("'none': No such file"), "\(third)")
            let fourth = try await look(4) {
                try manager.removeItem(at: at("f"))
                try manager.createDirectory(at: at("f"), withIntermediateDirectories: false)
            }
            #expect(fourth.contains("d 700 ") && fourth.contains("other\n"), "\(fourth)")
            let fifth = try await look(5) {}
            #expect(fifth.contains("f 755 4096 directory"), "\(fifth)")
            #expect(try await guest.wait().status == 0)
        }
    }
}
