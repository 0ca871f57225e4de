import Foundation
import HostSystem
import Testing

extension SandboxTests {
    /// Hosts that lack what the sandbox would use, made of this one by a filter before the sandbox starts: the calls fail as
    /// they do where nobody has heard of them.
    @Suite("On a host", .enabled(if: Programs.canCompile, "no C compiler"))
    struct PoorHosts {
        private static let source = """
            #include <errno.h>
            #include <linux/filter.h>
            #include <linux/seccomp.h>
            #include <stddef.h>
            #include <string.h>
            #include <sys/prctl.h>
            #include <sys/syscall.h>
            #include <unistd.h>
            #define NUMBER offsetof(struct seccomp_data, nr)
            #define ARGUMENT(index) (offsetof(struct seccomp_data, args) + 8 * (index))
            #define LOAD(offset) {0x20, 0, 0, (offset)}
            #define EQUAL(value, yes, no) {0x15, (yes), (no), (value)}
            #define BITS(value, yes, no) {0x45, (yes), (no), (value)}
            #define ANSWER(action) {0x06, 0, 0, (action)}
            int main(int count, char **words) {
                struct sock_filter seal[] = {LOAD(NUMBER), EQUAL(462, 0, 1), ANSWER(SECCOMP_RET_ERRNO | ENOSYS), ANSWER(SECCOMP_RET_ALLOW)};
                struct sock_filter dispatch[] = {LOAD(NUMBER), EQUAL(157, 0, 3), LOAD(ARGUMENT(0)), EQUAL(59, 0, 1),
                                                 ANSWER(SECCOMP_RET_ERRNO | EINVAL), ANSWER(SECCOMP_RET_ALLOW)};
                struct sock_filter listener[] = {LOAD(NUMBER), EQUAL(317, 0, 3), LOAD(ARGUMENT(1)), BITS(8, 0, 1),
                                                 ANSWER(SECCOMP_RET_ERRNO | EINVAL), ANSWER(SECCOMP_RET_ALLOW)};
                struct sock_fprog program = {0, 0};
                if (!strcmp(words[1], "mseal")) program = (struct sock_fprog){sizeof seal / sizeof *seal, seal};
                if (!strcmp(words[1], "dispatch")) program = (struct sock_fprog){sizeof dispatch / sizeof *dispatch, dispatch};
                if (!strcmp(words[1], "listener")) program = (struct sock_fprog){sizeof listener / sizeof *listener, listener};
                if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_seccomp, 1, 0, &program) < 0) return 99;
                execv(words[2], words + 2);
                return 98;
            }
            """

        @Test(
            "without it, guests run all the same", arguments: ["mseal", "dispatch", "listener"], [false, true])
        func lacking(what: String, isNobody: Bool) async throws {
            guard !isNobody || geteuid() == 0 else { return }
            let folder = try Scratch.folder()
            defer { try? FileManager.default.removeItem(at: folder) }
            let program = try Programs.compile(Self.source, in: folder)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
            let user = isNobody ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
            let outcome = try await Guest.run(
                ["bash", "-c", Processors.script], wrapper: user + [program, what])
            #expect(outcome.output == Processors.printed, "\(outcome.errors)")
            #expect(outcome.status == 0)
        }
    }
}
