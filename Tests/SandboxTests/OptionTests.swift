import Foundation
import HostSystem
import LinuxABI
import Testing

extension SandboxTests {
    @Suite("Options")
    struct Options {
        @Test("--cwd is the guest's working directory")
        func workingDirectory() async throws {
            let outcome = try await Guest.run(["pwd"], options: ["--cwd", "/usr/share"])
            #expect(outcome.output == "/usr/share\n")
        }

        @Test("a working directory that has been removed is one without a path, and programs run in it")
        func removedDirectory() async throws {
            let command = [
                "sh", "-c",
                "/bin/true && cd . 2>/dev/null; touch new 2>/dev/null || echo none; ls -a; cd /; ls -d proc",
            ]
            let outcome = try await Guest.run(command, options: ["--cwd", ""])
            #expect(outcome.output == "none\nproc\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }

        @Test("a sandbox inside a sandbox says that it must be started outside")
        func nested() async throws {
            let outcome = try await Guest.run([Guest.kernel, "--", "/bin/true"])
            #expect(outcome.status == 125)
            #expect(outcome.errors.contains("inside a sandbox of apus"), "\(outcome.errors)")
        }

        @Test("a program has the descriptors that its caller left open, and none where the caller closed one")
        func descriptors() async throws {
            let wrapper = ["bash", "-c", "exec 5</etc/passwd 6>&1 7</ <&-; exec \"$@\"", "-"]
            let command = [
                "bash", "-c",
                "read -r line <&5; echo \"$line\" >&6; (exec 8<&0) 2>/dev/null || echo closed",
            ]
            let native = try Programs.output(of: wrapper + command)
            let outcome = try await Guest.run(command, wrapper: wrapper)
            #expect(outcome.output == native, "\(outcome.errors)")
            #expect(native.hasSuffix("closed\n"))
            // A directory would lead to files that the guest was not given.
            let looking = ["bash", "-c", "(exec 8<&7) 2>/dev/null || echo absent"]
            let directory = try await Guest.run(looking, wrapper: wrapper)
            #expect(directory.output == "absent\n")
        }

        @Test("a program has of its caller what it would have without a sandbox")
        func caller() async throws {
            let wrapper = [
                "choom", "-n", "200", "--", "nice", "-n", "5", "ionice", "-c", "3", "chrt", "-b", "0", "bash", "-c",
                "trap '' HUP USR1; umask 027; ulimit -n 100; exec \"$@\"", "-",
            ]
            let command = [
                "bash", "-c",
                "nice; ionice; chrt -p $$ | cut -d: -f2; cat /proc/self/oom_score_adj; grep SigIgn /proc/self/status; umask; "
                    + "ulimit -n",
            ]
            let native = try Programs.output(of: wrapper + command)
            let outcome = try await Guest.run(command, wrapper: wrapper)
            #expect(outcome.output == native, "\(outcome.errors)")
            #expect(native.split(separator: "\n").count == 8)
        }

        @Test("--env makes the whole environment")
        func environment() async throws {
            let outcome = try await Guest.run(["env"], options: ["--env", "A=1", "--env", "EMPTY=", "--env", "B=x=y"])
            #expect(
                Set(outcome.output.split(separator: "\n"))
                    == ["A=1", "EMPTY=", "B=x=y", "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"])
        }

        @Test("what a guest changes in its root lasts for the guest alone")
        func overlay() async throws {
            let folder = try Scratch.folder()
            defer { try? FileManager.default.removeItem(at: folder) }
            let file = folder.appendingPathComponent("file")
            try Data("host\n".utf8).write(to: file)
            let outcome = try await Guest.run([
                "bash", "-c",
                "echo guest > \(file.path); cat \(file.path); echo new > \(file.path).new; rm /etc/passwd",
            ])
            #expect(outcome.output == "guest\n")
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(try String(contentsOf: file, encoding: .utf8) == "host\n")
            #expect(!FileManager.default.fileExists(atPath: file.path + ".new"))
            #expect(FileManager.default.fileExists(atPath: "/etc/passwd"))
        }

        @Test("--readonly refuses changes of the root")
        func readOnly() async throws {
            let outcome = try await Guest.run(
                ["bash", "-c", "touch /usr/new; rm /etc/passwd; mkdir /x; echo a > /dev/null"], options: ["--readonly"])
            #expect(outcome.errors.components(separatedBy: "Read-only file system").count == 4, "\(outcome.errors)")
            #expect(outcome.status == 0)
        }

        @Test("--bind shows a folder of the host, and changes last", arguments: [false, true])
        func bind(isReadOnly: Bool) async throws {
            let folder = try Scratch.folder()
            defer { try? FileManager.default.removeItem(at: folder) }
            try Data("from the host\n".utf8).write(to: folder.appendingPathComponent("there"))
            let outcome = try await Guest.run(
                ["bash", "-c", "cat /mnt/there; echo from the guest > /mnt/here"],
                options: ["--bind", "\(folder.path):/mnt" + (isReadOnly ? ":ro" : "")])
            #expect(outcome.output == "from the host\n", "\(outcome.errors)")
            let written = try? String(contentsOf: folder.appendingPathComponent("here"), encoding: .utf8)
            #expect(written == (isReadOnly ? nil : "from the guest\n"))
            #expect(outcome.errors.contains("Read-only file system") == isReadOnly)
        }

        @Test("--root is all that the guest sees", .enabled(if: Programs.canCompile, "no C compiler"))
        func root() async throws {
            let folder = try Scratch.folder()
            defer { try? FileManager.default.removeItem(at: folder) }
            let root = folder.appendingPathComponent("root")
            try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
            let source = """
                #include <dirent.h>
                #include <stdio.h>
                int main(int count, char **words) {
                    DIR *folder = opendir("/");
                    struct dirent *entry;
                    while ((entry = readdir(folder))) if (entry->d_name[0] != '.') puts(entry->d_name);
                    DIR *above = opendir("/../..");
                    printf("%d\\n", above != NULL);
                    FILE *secret = fopen(words[1], "r");
                    puts(secret ? "leak" : "none");
                }
                """
            let program = try Programs.compile(source, flags: ["-static"], in: folder)
            try FileManager.default.moveItem(atPath: program, toPath: root.appendingPathComponent("program").path)
            // A link that leads out on the host leads nowhere in the guest.
            try FileManager.default.createSymbolicLink(
                atPath: root.appendingPathComponent("link").path, withDestinationPath: "/etc/passwd")
            let outcome = try await Guest.run(["/program", "/link"], options: ["--root", root.path, "--cwd", "/"])
            #expect(outcome.status == 0, "\(outcome.errors)")
            let lines = Set(outcome.output.split(separator: "\n"))
            #expect(lines.isSuperset(of: ["program", "link", "1", "none"]))
            #expect(lines.isSubset(of: ["program", "link", "1", "none", "dev", "proc", "sys", "tmp"]), "\(lines)")
        }

        @Test(
            "the sandbox knows its guests' memory inside a chroot, too, and leaves no mount",
            .enabled(if: Programs.canCompile && getuid() == 0, "no C compiler, or not root"))
        func changedRoot() async throws {
            let folder = try Scratch.folder()
            defer { try? FileManager.default.removeItem(at: folder) }
            let source = """
                #include <stdio.h>
                #include <sys/resource.h>
                int main(void) {
                    struct rusage usage;
                    getrusage(RUSAGE_SELF, &usage);
                    puts(usage.ru_maxrss > 100 ? "known" : "unknown");
                }
                """
            _ = try Programs.compile(source, flags: ["-static"], in: folder)
            try FileManager.default.copyItem(
                atPath: Guest.kernel, toPath: folder.appendingPathComponent("kernel").path)
            // A folder that is no mount, with a /proc that is one.
            let setup = """
                cd \(folder.path) && mkdir proc && mount --make-rprivate / && mount -t proc proc proc || exit 77
                before=$(cat /proc/self/mountinfo)
                shift; chroot . ./kernel "$@"; status=$?
                [ "$before" = "$(cat /proc/self/mountinfo)" ] && exit $status
                """
            let outcome = try await Guest.run(
                ["/program"], options: ["--cwd", "/"], wrapper: ["unshare", "-m", "bash", "-c", setup, "-"])
            #expect(outcome.output == "known\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }

        @Test(
            "--memory is a limit for guests, and the kernel outlives it",
            .enabled(if: Programs.canCompile, "no C compiler"))
        func memory() async throws {
            let source = """
                #include <stdio.h>
                #include <stdlib.h>
                #include <string.h>
                #include <sys/wait.h>
                #include <unistd.h>
                int main(void) {
                    pid_t child = fork();
                    if (child == 0) {
                        for (size_t got = 0;; got += 1 << 20) {
                            char *piece = malloc(1 << 20);
                            if (!piece) _exit(got > 16 << 20 ? 9 : 1);
                            memset(piece, 1, 1 << 20);
                        }
                    }
                    int status;
                    waitpid(child, &status, 0);
                    puts(WIFSIGNALED(status) || WEXITSTATUS(status) == 9 ? "ended by the limit" : "wrong");
                    fflush(stdout);
                    return system("echo alive") != 0;
                }
                """
            let outcome = try await Programs.run(source, options: ["--memory", "\(128 << 20)"])
            #expect(outcome.output == "ended by the limit\nalive\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }

        @Test("--verbose names calls that are not implemented, and nothing else does")
        func verbose() async throws {
            for isVerbose in [true, false] {
                let outcome = try await Guest.run(
                    ["perl", "-e", "syscall(9999); print $! + 0"], options: isVerbose ? ["--verbose"] : [])
                #expect(outcome.output == "38", "\(outcome.errors)")
                #expect(outcome.errors.contains("9999") == isVerbose)
            }
        }

        @Test("--trace writes a file that begins as traces do")
        func trace() async throws {
            let folder = try Scratch.folder()
            defer { try? FileManager.default.removeItem(at: folder) }
            let file = folder.appendingPathComponent("trace")
            let outcome = try await Guest.run(["true"], options: ["--trace", file.path])
            #expect(outcome.status == 0)
            #expect(try Data(contentsOf: file).count > 500)
        }

        @Test("--trace to a pipe tells of calls while the guest runs")
        func liveTrace() async throws {
            let folder = try Scratch.folder()
            defer { try? FileManager.default.removeItem(at: folder) }
            let fifo = folder.appendingPathComponent("trace").path
            // The host reads the path.
            try #require(unsafe mkfifo(fifo, 0o600) == 0)
            // Open for both, so that the sandbox need not wait for a reader.
            let pipe = try Host.openFile(fifo, writing: true)
            defer { Host.close(pipe) }
            let guest = try await Guest(["sh", "-c", "echo ready; exec sleep 1000"], options: ["--trace", fifo])
            try await guest.printed("ready")
            var bytes: [UInt8] = []
            // From its first call to the last but one: nothing more is to come that could push them out.
            try await Watchdog.until(
                "the trace tells what the guest has done", dumping: { Family.members(below: guest.process) }
            ) {
                while Host.readiness(pipe, .in).contains(.in) {
                    bytes += (try? Self.read(pipe)) ?? []
                }
                return String(decoding: bytes, as: UTF8.self).contains("/sleep")
            }
            #expect(bytes.starts(with: Array("ApTr".utf8)))
        }

        private static func read(_ descriptor: Int32) throws(Errno) -> [UInt8] {
            try [UInt8](capacity: 65536) { output throws(Errno) in
                _ = try Host.read(descriptor, at: nil, into: &output, limit: 65536)
            }
        }

        @Test("--syscalls lists the calls with their support")
        func syscalls() async throws {
            let list = try await HostShell.run("\"$0\" --syscalls", arguments: [Guest.kernel])
            let rows = list.split(separator: "\n").map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
            #expect(rows.count > 100)
            #expect(rows.contains { $0.count == 4 && $0[0] == "0" && $0[1] == "read" && $0[2] == "full" })
            #expect(rows.allSatisfy { $0.count == 4 && Int($0[0]) != nil })
        }
    }
}
