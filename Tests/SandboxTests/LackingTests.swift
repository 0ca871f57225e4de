import Foundation
import Testing

extension SandboxTests {
    /// Hosts without seccomp or without user dispatch: a launcher has the host's kernel say so, and executes the sandbox.
    @Suite("Hosts that lack something", .enabled(if: Programs.canCompile, "no C compiler"))
    struct Lacking {
        static let launcher = """
            #include <errno.h>
            #include <linux/audit.h>
            #include <linux/filter.h>
            #include <linux/seccomp.h>
            #include <stddef.h>
            #include <stdio.h>
            #include <string.h>
            #include <sys/prctl.h>
            #include <sys/syscall.h>
            #include <unistd.h>

            #define NUMBER BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
            #define OPTION BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args))
            #define OTHER(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
            #define FAIL(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error)
            #define PASS BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

            static struct sock_filter seccomp_filter[] = {
                NUMBER, OTHER(SYS_seccomp, 1), FAIL(ENOSYS), OTHER(SYS_prctl, 3), OPTION, OTHER(PR_SET_SECCOMP, 1), FAIL(EINVAL), PASS,
            };
            static struct sock_filter dispatch_filter[] = {
                NUMBER, OTHER(SYS_prctl, 3), OPTION, OTHER(59, 1), FAIL(EINVAL), PASS,
            };

            int main(int count, char **words) {
                if (count < 3) return 70;
                struct sock_fprog program = {sizeof dispatch_filter / sizeof *dispatch_filter, dispatch_filter};
                if (strcmp(words[1], "seccomp") == 0) {
                    program.len = sizeof seccomp_filter / sizeof *seccomp_filter;
                    program.filter = seccomp_filter;
                }
                if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return 71;
                execvp(words[2], words + 2);
                perror(words[2]);
                return 72;
            }
            """

        /// What is lacking by its name in the launcher, and by its name in messages.
        static let lacks = [("seccomp", "seccomp"), ("dispatch", "user dispatch")]

        /// Gives the body the command with which a program has what the host lacks.
        private static func with<Result>(_ lack: String, _ body: ([String]) async throws -> Result) async throws
            -> Result
        {
            let folder = try Scratch.folder()
            defer { try? FileManager.default.removeItem(at: folder) }
            return try await body([Programs.compile(launcher, in: folder), lack])
        }

        @Test("guests are traced instead, and one line says why", arguments: lacks, [[], ["--platform", "auto"]])
        func traced(lack: (String, String), options: [String]) async throws {
            let outcome = try await Self.with(lack.0) { launcher in
                try await Guest.run(["/bin/echo", "hello"], options: options, wrapper: launcher)
            }
            #expect(outcome.output == "hello\n")
            #expect(outcome.status == 0)
            #expect(outcome.errors.hasPrefix("apus-kernel: this host has no \(lack.1): "), "\(outcome.errors)")
            #expect(outcome.errors.contains("ptrace"))
            #expect(
                outcome.errors.filter { $0 == "\n" }.count == 1 && outcome.errors.hasSuffix("\n"), "\(outcome.errors)")
        }

        @Test("who has asked for ptrace is told nothing", arguments: lacks)
        func asked(lack: (String, String)) async throws {
            let outcome = try await Self.with(lack.0) { launcher in
                try await Guest.run(
                    ["sh", "-c", "echo hello | cat; exit 3"], options: ["--platform", "ptrace"], wrapper: launcher)
            }
            #expect(outcome.output == "hello\n")
            #expect(outcome.status == 3)
            #expect(outcome.errors.isEmpty, "\(outcome.errors)")
        }

        @Test("without seccomp nobody can be trapped: --platform trap says so, and what to do")
        func refused() async throws {
            let outcome = try await Self.with("seccomp") { launcher in
                try await Guest.run(["/bin/echo", "hello"], options: ["--platform", "trap"], wrapper: launcher)
            }
            #expect(outcome.status == 125)
            #expect(outcome.output.isEmpty)
            #expect(
                outcome.errors
                    == "apus-kernel: --platform trap needs seccomp, which this host lacks; --platform ptrace does without\n"
            )
        }

        @Test("without user dispatch --platform trap traps by filters alone")
        func filtersAlone() async throws {
            let outcome = try await Self.with("dispatch") { launcher in
                try await Guest.run(
                    ["sh", "-c", "echo hello | cat; exit 3"], options: ["--platform", "trap"], wrapper: launcher)
            }
            #expect(outcome.output == "hello\n")
            #expect(outcome.status == 3)
            #expect(outcome.errors.isEmpty, "\(outcome.errors)")
        }

        private static let apus = URL(fileURLWithPath: Guest.kernel).deletingLastPathComponent()
            .appendingPathComponent("apus").path

        @Test(
            "apus doctor says that guests will be traced",
            .enabled(if: FileManager.default.isExecutableFile(atPath: apus), "apus is not built"), arguments: lacks)
        func doctor(lack: (String, String)) async throws {
            let outcome = try await Self.with(lack.0) { launcher in
                try await Guest(starting: launcher + [Self.apus, "doctor"]).wait()
            }
            #expect(outcome.status == 0, "\(outcome.errors)")
            let lines = outcome.output.split(separator: "\n")
            let platform = try #require(lines.first { $0.hasPrefix("platform ") })
            #expect(platform.contains("ptrace: without \(lack.1)"))
            #expect(lines.contains { $0.hasPrefix("sandbox ") && $0.contains(" yes ") }, "\(outcome.output)")
            let found = try #require(lines.first { $0.hasPrefix("\(lack.1) ") })
            #expect(found.contains(" no "))
        }
    }
}
