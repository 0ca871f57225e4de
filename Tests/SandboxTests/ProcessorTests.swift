import Foundation
import Testing

extension SandboxTests {
    @Suite("Processors and threads")
    struct Processors {
        /// Processes, pipes, signals and a substitution: everything that waits for something else.
        static let script = """
            for i in 1 2 3 4 5; do /bin/true; done
            seq 2000 | sort -rn | head -n 1
            trap 'echo trapped' USR1; kill -USR1 $$
            diff <(echo a) <(echo a) && echo same
            sleep 0.01 & wait $!; echo $?
            """
        static let printed = "2000\ntrapped\nsame\n0\n"

        @Test("a sandbox works on one processor", arguments: [["taskset", "-c", "0"], []])
        func oneProcessor(wrapper: [String]) async throws {
            let outcome = try await Guest.run(["bash", "-c", Self.script], wrapper: wrapper)
            #expect(outcome.output == Self.printed, "\(outcome.errors)")
            #expect(outcome.status == 0)
        }

        @Test(
            "64 threads call, lock and end", .enabled(if: Programs.canCompile, "no C compiler"),
            arguments: [["taskset", "-c", "0"], []])
        func threads(wrapper: [String]) async throws {
            let source = """
                #include <pthread.h>
                #include <stdio.h>
                #include <unistd.h>
                #include <sys/syscall.h>
                static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
                static long sum, wrong;
                static void *work(void *unused) {
                    long mine = syscall(SYS_gettid);
                    for (int i = 0; i < 200; i++) {
                        if (syscall(SYS_gettid) != mine) __atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
                        pthread_mutex_lock(&lock);
                        sum++;
                        pthread_mutex_unlock(&lock);
                    }
                    return unused;
                }
                int main(void) {
                    pthread_t threads[64];
                    for (int i = 0; i < 64; i++) if (pthread_create(&threads[i], 0, work, 0)) return 1;
                    for (int i = 0; i < 64; i++) pthread_join(threads[i], 0);
                    printf("%ld %ld\\n", sum, wrong);
                    return 0;
                }
                """
            let outcome = try await Programs.run(source, wrapper: wrapper)
            #expect(outcome.output == "12800 0\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }

        @Test("a user without privileges can run a sandbox")
        func unprivileged() async throws {
            try #require(geteuid() == 0, "only root can become another user")
            let outcome = try await Guest.run(
                ["bash", "-c", "id -u; \(Self.script)"], wrapper: ["setpriv", "--reuid=54321", "--clear-groups"])
            #expect(outcome.output == "54321\n" + Self.printed, "\(outcome.errors)")
            #expect(outcome.status == 0)
        }
    }
}
