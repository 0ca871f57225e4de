import Foundation
import Testing
import TraceModel

@testable import Trace

@Suite("The watch over a sealed process's calls", .enabled(if: TestPrograms.compiler != nil, "no C compiler"))
struct CallWatchTests {
    /// A program whose child seals itself by a filter that lets everything pass, from a second thread, too; what it calls
    /// afterwards the arguments say. A grandchild, which is not watched, calls what it likes.
    private static let source = """
        #include <linux/filter.h>
        #include <linux/seccomp.h>
        #include <pthread.h>
        #include <stdlib.h>
        #include <sys/prctl.h>
        #include <sys/syscall.h>
        #include <sys/wait.h>
        #include <unistd.h>
        static long planted, argument;
        static void *other(void *unused) { syscall(planted, argument, 7); return unused; }
        int main(int count, char **words) {
            planted = atol(words[1]), argument = atol(words[2]);
            syscall(SYS_getpgid, 0);
            if (fork() == 0) {
                syscall(SYS_getsid, 0);
                struct sock_filter all[] = {{6, 0, 0, SECCOMP_RET_ALLOW}};
                struct sock_fprog program = {1, all};
                prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
                if (words[3][0] == 's') syscall(SYS_seccomp, 1, 5, &program);
                if (fork() == 0) { syscall(SYS_getpgid, 0); _exit(0); }
                pthread_t thread;
                pthread_create(&thread, 0, other, 0);
                pthread_join(thread, 0);
                wait(0);
                _exit(0);
            }
            int status;
            wait(&status);
            return WEXITSTATUS(status) + 3;
        }
        """

    private static func watch(_ words: String...) throws -> CallWatch.Outcome {
        let program = try TestPrograms.compile(source)
        defer { try? FileManager.default.removeItem(at: program.deletingLastPathComponent()) }
        let watch = CallWatch(
            isSeal: { $0.number == 317 && $0.arguments[0] == 1 },
            // getpgid never, lseek of the third descriptor alone.
            admits: { $0.number != 121 && $0.number != 124 && ($0.number != 8 || $0.arguments[0] == 3) })
        return try watch.run(NativeTracer.Command(program.path, words)) { _ in true }
    }

    @Test("reports a planted call of any thread, with its arguments, and nothing that came before the seal")
    func planted() throws {
        let outcome = try Self.watch("121", "42", "seal")
        #expect(outcome.wasSealed)
        #expect(outcome.refusals == 1)
        #expect(outcome.refused.first?.number == 121)
        #expect(outcome.refused.first?.arguments.prefix(2) == [42, 7])
        #expect(outcome.status.exitCode == 3)
    }

    @Test("looks at arguments", arguments: [("3", 0), ("4", 1)])
    func arguments(descriptor: String, refusals: Int) throws {
        #expect(try Self.watch("8", descriptor, "seal").refusals == refusals)
    }

    @Test("finds nothing where nothing is wrong, and says when there was no seal")
    func clean() throws {
        let outcome = try Self.watch("39", "0", "seal")
        #expect(outcome.refusals == 0)
        #expect(outcome.counts[39] == 1)
        #expect(try !Self.watch("121", "0", "no").wasSealed)
    }
}
