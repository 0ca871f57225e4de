import Foundation
import HostSystem
import Testing

extension SandboxTests {
    /// What the host says of the kernel process while a guest runs.
    @Suite("The sealed kernel process")
    struct Sealed {
        /// The lines of `/proc/pid/task/*/status`, for each thread of a process.
        private static func status(of process: Int32) throws -> [[String: String]] {
            let folder = "/proc/\(process)/task"
            return try FileManager.default.contentsOfDirectory(atPath: folder).map { thread in
                let text = try String(contentsOfFile: "\(folder)/\(thread)/status", encoding: .utf8)
                var fields: [String: String] = [:]
                for line in text.split(separator: "\n") {
                    let parts = line.split(separator: ":", maxSplits: 1)
                    if parts.count == 2 { fields[String(parts[0])] = parts[1].trimmingCharacters(in: .whitespaces) }
                }
                return fields
            }
        }

        /// A guest that waits, as a family of host processes: the supervisor, the kernel process, the stubs.
        private static func family(
            _ options: [String] = [], wrapper: [String] = []
        ) async throws -> (guest: Guest, kernel: Int32, stubs: [Int32]) {
            let guest = try await Guest(
                ["bash", "-c", "echo ready; sleep 1000"], options: options, wrapper: wrapper)
            try await guest.printed("ready")
            let members = Family.members(below: guest.process)
            let kernel = try #require(members.first { $0.parent == guest.process }).process
            return (guest, kernel, members.filter { $0.parent == kernel }.map(\.process))
        }

        private static let isRoot = geteuid() == 0

        @Test("has a filter and no new privileges, with each of its threads, and so have its stubs")
        func filter() async throws {
            let (guest, kernel, stubs) = try await Self.family()
            defer { withExtendedLifetime(guest) {} }
            #expect(try Self.status(of: kernel).count == 2)
            #expect(stubs.count >= 2)
            for thread in try ([kernel] + stubs).flatMap(Self.status) {
                #expect(thread["Seccomp"] == "2", "\(thread)")
                #expect(thread["NoNewPrivs"] == "1", "\(thread)")
            }
            for stub in stubs { #expect(try Self.status(of: stub).first?["Seccomp_filters"] == "1") }
        }

        @Test(
            "sees nothing of the host's file system, and neither do its stubs",
            .enabled(if: isRoot, "not the superuser"))
        func emptyRoot() async throws {
            let (guest, kernel, stubs) = try await Self.family(["--bind", "/tmp:/b"])
            defer { withExtendedLifetime(guest) {} }
            for process in [kernel] + stubs {
                #expect(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/root/") == [])
                // Only processes of its own.
                let names = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/cwd/")
                #expect(names.allSatisfy { Int($0) != nil || ["self", "thread-self"].contains($0) }, "\(names)")
                #expect(!names.contains(String(guest.process)))
            }
        }

        @Test(
            "each stub's own pages are sealed, after a fork and after an exec, too",
            .enabled(if: Host.hasSeals, "mseal(2) is not in this kernel"))
        func sealedPages() async throws {
            let guest = try await Guest(["bash", "-c", "sleep 1000 & sleep 1000 & echo ready; wait"])
            defer { withExtendedLifetime(guest) {} }
            try await guest.printed("ready")
            let members = Family.members(below: guest.process)
            let kernel = try #require(members.first { $0.parent == guest.process }).process
            let stubs = members.filter { $0.parent == kernel }.map(\.process)
            // The template and its heir, bash, and two that have forked and perhaps executed already.
            #expect(stubs.count == 5)
            for stub in stubs {
                // Not `String(contentsOfFile:)`, which takes the host's first piece for the whole.
                let file = try #require(FileHandle(forReadingAtPath: "/proc/\(stub)/smaps"))
                let text = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
                var area: Substring?
                var sealed: [String: Bool] = [:]
                for line in text.split(separator: "\n") {
                    if line.hasPrefix("7ef0") { area = line.prefix { $0 != "-" } }
                    if line.hasPrefix("VmFlags:"), let begin = area {
                        sealed[String(begin)] = line.split(separator: " ").contains("sl")
                        area = nil
                    }
                }
                #expect(sealed.count >= 4, "\(stub) of \(stubs): \(text)")
                for place in ["7ef000000000", "7ef000010000", "7ef000020000", "7ef000100000"] {
                    #expect(sealed[place] == true, "\(place): \(sealed)")
                }
            }
        }

        @Test(
            "keeps the right to read what its caller may read, and to change only what was bound; stubs keep nothing",
            .enabled(if: isRoot, "not the superuser"),
            arguments: [
                ([], 0x4), (["--bind", "/tmp:/b:ro"], 0xc), (["--bind", "/tmp:/b"], 0x8000_001f),
            ] as [([String], UInt64)])
        func capabilities(options: [String], kept: UInt64) async throws {
            let (guest, kernel, stubs) = try await Self.family(options)
            defer { withExtendedLifetime(guest) {} }
            let allowed = kept | (Host.tracingScope >= 2 ? 1 << 19 : 0)
            for thread in try Self.status(of: kernel) {
                let sets: [(String, UInt64)] = [
                    ("CapEff", allowed), ("CapPrm", allowed), ("CapBnd", allowed), ("CapInh", 0), ("CapAmb", 0),
                ]
                for (set, most) in sets {
                    let bits = try #require(UInt64(thread[set] ?? "", radix: 16))
                    #expect(bits == most & Host.capabilities.effective, "\(set)")
                }
            }
            for thread in try stubs.flatMap(Self.status) {
                for set in ["CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"] {
                    #expect(UInt64(thread[set] ?? "", radix: 16) == 0, "\(set)")
                }
            }
        }

        @Test("leaves no core, and only the superuser may look into its memory")
        func memory() async throws {
            let (guest, kernel, _) = try await Self.family()
            defer { withExtendedLifetime(guest) {} }
            let limits = try String(contentsOfFile: "/proc/\(kernel)/limits", encoding: .utf8)
            let core = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
            #expect(core.split(separator: " ").filter { $0 == "0" }.count == 2, "\(core)")
        }

        @Test(
            "works for a user without privileges, and says under --verbose what that costs",
            .enabled(if: isRoot, "cannot become another user"))
        func unprivileged() async throws {
            let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            let (guest, kernel, stubs) = try await Self.family(wrapper: nobody)
            defer { withExtendedLifetime(guest) {} }
            for thread in try ([kernel] + stubs).flatMap(Self.status) {
                #expect(thread["Seccomp"] == "2" && thread["NoNewPrivs"] == "1", "\(thread)")
                #expect(thread["CapEff"] == "0000000000000000" && thread["CapPrm"] == "0000000000000000", "\(thread)")
            }
            let outcome = try await Guest.run(
                ["bash", "-c", "id -u; ls /proc/self/fd | wc -l; cat /proc/self/statm >&2; (exit 3)"],
                options: ["--verbose"], wrapper: nobody)
            #expect(outcome.status == 3)
            #expect(outcome.output.hasPrefix("65534\n"), "\(outcome.output)")
            #expect(outcome.errors.contains("no namespaces of its own"), "\(outcome.errors)")
            #expect(outcome.errors.contains("bounding set"), "\(outcome.errors)")
            #expect(outcome.errors.contains("by Landlock") == (Host.landlockVersion >= 2), "\(outcome.errors)")
            #expect(!(try await Guest.run(["true"], wrapper: nobody)).errors.contains("apus-kernel"))
        }

        @Test(
            "makes no call outside its list, seen from outside, whatever guests do",
            .enabled(if: Tracer.isThere, "no strace"))
        func calls() async throws {
            let folder = try Scratch.folder()
            defer { try? FileManager.default.removeItem(at: folder) }
            let log = folder.appendingPathComponent("log").path
            let bound = folder.appendingPathComponent("bound").path
            try FileManager.default.createDirectory(atPath: bound, withIntermediateDirectories: true)
            let script = """
                echo one > \(folder.path)/f; echo two > /b/new; mv /b/new /b/old; chmod 600 /b/old
                ln /b/old /b/hard; ln -s old /b/soft; mkdir /b/d; mkfifo /b/p; touch -d @1 /b/old; truncate -s 9 /b/old
                rm -r /b/d /b/p /b/hard; ls -R /etc/apt > /dev/null; df / > /dev/null; (exec 9< /etc/passwd; cat <&9) | wc -l
                stty size; tty; read -t 0.1 word; ulimit -n; nproc; free > /dev/null; kill -9 $BASHPID & wait
                for i in 1 2 3; do (sleep 0.01 &) ; done; ls -l /proc/self/fd > /dev/null; cat /proc/self/smaps > /dev/null
                exit 5
                """
            let outcome = try await Guest.run(
                ["bash", "-c", script], options: ["--bind", "\(bound):/b", "--trace", folder.path + "/trace"],
                input: "line\n", wrapper: ["strace", "-f", "-qq", "-o", log])
            #expect(outcome.status == 5, "\(outcome.errors)")
            #expect(!outcome.errors.contains("docs/host-calls.md"), "\(outcome.errors)")
            let made = try Tracer.callsAfterTheSeal(String(contentsOfFile: log, encoding: .utf8))
            #expect(made.count > 20, "\(made)")
            // A tracer that is older than the host's kernel tells the number.
            let known = AllowedCall.all.flatMap { [$0.name, "syscall_0x" + String($0.number, radix: 16)] }
            #expect(made.subtracting(known).sorted() == [])
        }
    }

    /// Reads what `strace -f` has written.
    enum Tracer {
        static let isThere = ["/usr/bin/strace", "/bin/strace"].contains {
            FileManager.default.isExecutableFile(atPath: $0)
        }

        struct NoSeal: Error {}

        /// The names of the calls that the process which installed a filter for all of its threads has made since then.
        static func callsAfterTheSeal(_ log: String) throws -> Set<String> {
            var kernel: Substring?
            var names: Set<String> = []
            for line in log.split(separator: "\n") {
                let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
                guard parts.count == 2 else { continue }
                let call = parts[1].drop { $0 == " " }
                if call.hasPrefix("seccomp("), call.contains("TSYNC") {
                    kernel = parts[0]
                    continue
                }
                guard parts[0] == kernel, let end = call.firstIndex(of: "("), end != call.startIndex else { continue }
                let name = call[..<end]
                if name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) { names.insert(String(name)) }
            }
            guard kernel != nil else { throw NoSeal() }
            return names
        }
    }
}
