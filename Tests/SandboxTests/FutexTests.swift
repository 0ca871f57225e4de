import Testing

extension SandboxTests {
    /// Without a trace, as in use: threads then settle most of it among themselves, which a traced corpus never does.
    @Suite("Futexes without the kernel", .enabled(if: Programs.canCompile, "no C compiler"))
    struct Futexes {
        @Test(
            "cases of the corpus print what they print natively",
            arguments: [
                "futexes_without_kernel", "futex_requeue", "mutexes_and_conditions", "robust_mutexes",
                "signals_to_threads",
            ], [["taskset", "-c", "0"], []])
        func corpus(name: String, wrapper: [String]) async throws {
            try await Programs.expectAgreement(on: "thread/\(name)", wrapper: wrapper)
        }

        /// Waiters of the stub's and of the kernel's on one word, woken by counts, under a storm of signals. A lost wake-up is a
        /// thread that never ends.
        static let storm = """
            #include <pthread.h>
            #include <signal.h>
            #include <stdint.h>
            #include <stdio.h>
            #include <errno.h>
            #include <time.h>
            #include <unistd.h>
            #include <sys/syscall.h>
            enum { THREADS = 6, ROUNDS = 3000 };
            static uint32_t word, tokens;
            static long taken, handled;
            static void handler(int signal) { __atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED); }
            static int take(void) {
                uint32_t now = __atomic_load_n(&tokens, __ATOMIC_SEQ_CST);
                while (now) if (__atomic_compare_exchange_n(&tokens, &now, now - 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return 1;
                return 0;
            }
            static void *eats(void *argument) {
                struct timespec late = {1 << 30, 0};
                for (int i = 0; i < ROUNDS; i++) {
                    for (;;) {
                        uint32_t seen = __atomic_load_n(&word, __ATOMIC_SEQ_CST);
                        if (take()) break;
                        // Odd threads wait in the kernel, since they have a deadline.
                        if ((long)argument % 2) syscall(SYS_futex, &word, 9 | 128, seen, &late, 0, ~0u);
                        else syscall(SYS_futex, &word, 0 | 128, seen, 0, 0, 0);
                    }
                    __atomic_add_fetch(&taken, 1, __ATOMIC_SEQ_CST);
                }
                return 0;
            }
            int main(int count, char **arguments) {
                pthread_t threads[THREADS];
                struct sigaction action = {.sa_handler = handler, .sa_flags = count > 1 ? SA_RESTART : 0};
                sigaction(SIGUSR1, &action, 0);
                for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], 0, eats, (void *)i);
                for (int i = 0; i < THREADS * ROUNDS; i++) {
                    __atomic_add_fetch(&tokens, 1, __ATOMIC_SEQ_CST);
                    __atomic_add_fetch(&word, 1, __ATOMIC_SEQ_CST);
                    syscall(SYS_futex, &word, 1 | 128, 1, 0, 0, 0);
                    if (i % 8 == 0) pthread_kill(threads[i / 8 % THREADS], SIGUSR1);
                    if (i % 64 == 0) usleep(100);
                }
                for (int i = 0; i < THREADS; i++) pthread_join(threads[i], 0);
                printf("%ld %d\\n", taken, handled > 0);
                return 0;
            }
            """

        @Test(
            "no wake-up is lost between waiters of both kinds and signals",
            arguments: [[], ["restart"]], [["taskset", "-c", "0"], []])
        func storm(arguments: [String], wrapper: [String]) async throws {
            let outcome = try await Programs.run(Self.storm, arguments: arguments, wrapper: wrapper)
            #expect(outcome.output == "18000 1\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }
    }
}
