import Testing

extension SandboxTests {
    /// Without a trace, as in use: threads then change their masks themselves, which a traced corpus never does.
    @Suite("Masks without the kernel", .enabled(if: Programs.canCompile, "no C compiler"))
    struct Masks {
        @Test(
            "cases of the corpus print what they print natively",
            arguments: [
                "signal/masks", "signal/sigsuspend_masks", "signal/sigtimedwait_results", "signal/realtime_queue",
                "signal/kill_targets", "signal/context_is_restored", "signal/frame_state", "signal/ignoring_discards",
                "signal/own_again_and_again", "signal/returns_again_and_again", "signal/alternate_stack",
                "signal/handler_flags", "signal/longjmp_out", "signal/queue_limit", "signal/restorer_bytes",
                "signal/calls_from_written_memory",
                "thread/own_signals_among_others", "thread/reused_threads", "thread/signals_to_threads",
                "thread/fork_among_threads",
                "process/state_inherited",
            ], [["taskset", "-c", "0"], []])
        func corpus(name: String, wrapper: [String]) async throws {
            try await Programs.expectAgreement(on: name, wrapper: wrapper)
        }

        /// Threads that block and let in signals as fast as they can, under signals to each of them and to the process, which
        /// are counted: none may come where it is blocked, none be lost.
        static let storm = """
            #include <errno.h>
            #include <pthread.h>
            #include <signal.h>
            #include <stdio.h>
            #include <sys/wait.h>
            #include <unistd.h>
            enum { THREADS = 3, SENT = 3000 };
            static __thread volatile int closed;
            static long own, shared, wrong, over;
            static void handler(int signal) {
                if (closed) __atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
                __atomic_add_fetch(signal == SIGRTMIN ? &own : &shared, 1, __ATOMIC_SEQ_CST);
            }
            static void *flips(void *argument) {
                sigset_t set, old;
                sigemptyset(&set);
                sigaddset(&set, SIGRTMIN);
                sigaddset(&set, SIGRTMIN + 1);
                while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST)) {
                    pthread_sigmask(SIG_BLOCK, &set, &old);
                    closed = 1;
                    if (sigismember(&old, SIGRTMIN)) __atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
                    for (volatile int i = 0; i < 50; i++);
                    closed = 0;
                    pthread_sigmask(SIG_SETMASK, &old, 0);
                }
                return 0;
            }
            int main(void) {
                struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
                sigfillset(&action.sa_mask);
                sigaction(SIGRTMIN, &action, 0);
                sigaction(SIGRTMIN + 1, &action, 0);
                pthread_t threads[THREADS];
                for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], 0, flips, 0);
                sigset_t all;
                sigfillset(&all);
                pthread_sigmask(SIG_BLOCK, &all, 0);
                pid_t parent = getpid(), child = fork();
                if (child == 0) {
                    for (int i = 0; i < SENT; i++)
                        while (sigqueue(parent, SIGRTMIN + 1, (union sigval){0})) usleep(100);
                    _exit(0);
                }
                for (int i = 0; i < SENT; i++) while (pthread_kill(threads[i % THREADS], SIGRTMIN) == EAGAIN) usleep(100);
                waitpid(child, 0, 0);
                for (int i = 0; i < 10000; i++) {
                    if (__atomic_load_n(&own, __ATOMIC_SEQ_CST) + __atomic_load_n(&shared, __ATOMIC_SEQ_CST) == 2 * SENT) break;
                    usleep(1000);
                }
                __atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
                for (int i = 0; i < THREADS; i++) pthread_join(threads[i], 0);
                printf("%ld %ld %ld\\n", own, shared, wrong);
                return 0;
            }
            """

        @Test("no signal is lost, and none comes where it is blocked", arguments: [["taskset", "-c", "0"], []])
        func storm(wrapper: [String]) async throws {
            let outcome = try await Programs.run(Self.storm, wrapper: wrapper)
            #expect(outcome.output == "3000 3000 0\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }

        /// Threads that write nonsense into what their stubs know of handlers and masks, while others enter and leave them.
        @Test("handlers that are forged harm nobody but who has forged them")
        func forgedHandlers() async throws {
            try await Programs.expectNothingWrong(
                """
                #include <pthread.h>
                #include <signal.h>
                #include <stdint.h>
                #include <stdio.h>
                #include <stdlib.h>
                #include <string.h>
                #include <sys/syscall.h>
                #include <sys/wait.h>
                #include <unistd.h>
                static void handler(int signal) { (void)signal; }
                // Behind the restorer, which only what is known of a handler holds, and around it.
                static uint64_t restorer;
                static volatile uint64_t *found;
                static void *forge(void *argument) {
                    unsigned seed = (unsigned)(uintptr_t)argument;
                    const uint64_t values[] = {0, 1, ~0ul, 0x7ef000000000ul, 0x7ef000001000ul, 0x7ef000120000ul, 1ul << 63, 8};
                    for (;;) {
                        volatile uint64_t *word = found + (int)(rand_r(&seed) % 28) - 14;
                        *word = values[rand_r(&seed) % 8];
                        if (rand_r(&seed) % 4 == 0) found[-1] = 0x4000000;
                    }
                }
                static void misbehave(unsigned seed) {
                    struct sigaction action = {.sa_handler = handler};
                    sigaction(SIGUSR1, &action, 0);
                    pid_t self = getpid(), thread = gettid();
                    for (int i = 0; i < 50; i++) syscall(SYS_tgkill, self, thread, SIGUSR1);
                    struct { void *handler; unsigned long flags; void *restorer; unsigned long mask; } raw;
                    syscall(SYS_rt_sigaction, SIGUSR1, 0, &raw, 8);
                    restorer = (uint64_t)raw.restorer;
                    syscall(SYS_tgkill, self, thread, SIGUSR1);
                    volatile uint64_t *block = (uint64_t *)(0x7ef000100000ul + 0x10000);
                    for (int i = 30; i < 512; i++) if (block[i] == restorer) found = &block[i];
                    if (!found) _exit(7);
                    pthread_t forger;
                    pthread_create(&forger, 0, forge, (void *)(uintptr_t)seed);
                    alarm(2);
                    for (int i = 0; i < 20000; i++) {
                        syscall(SYS_tgkill, self, thread, SIGUSR1);
                        sigset_t set;
                        sigfillset(&set);
                        sigprocmask(SIG_BLOCK, &set, 0);
                        sigemptyset(&set);
                        sigprocmask(SIG_SETMASK, &set, 0);
                    }
                    _exit(0);
                }
                int main(void) {
                    int unknown = 0;
                    for (unsigned seed = 1; seed <= 12; seed++) {
                        pid_t child = fork();
                        if (child == 0) misbehave(seed);
                        usleep(60000);
                        kill(child, SIGKILL);
                        int status;
                        if (waitpid(child, &status, 0) != child) return 1;
                        if (WIFEXITED(status) && WEXITSTATUS(status) == 7) unknown++;
                    }
                    // Who has forged nothing is as before.
                    struct sigaction action = {.sa_handler = handler};
                    sigaction(SIGUSR1, &action, 0);
                    for (int i = 0; i < 100; i++) kill(getpid(), SIGUSR1);
                    printf("%d\\n", unknown);
                    return 0;
                }
                """)
        }

        /// What a thread has left in its block is its sibling's to write: signals that nobody may block still end it.
        @Test("a mask that is forged blocks neither SIGKILL nor SIGSTOP")
        func forged() async throws {
            let outcome = try await Programs.run(
                """
                #include <signal.h>
                #include <stdint.h>
                #include <stdio.h>
                #include <sys/wait.h>
                #include <unistd.h>
                int main(void) {
                    pid_t child = fork();
                    if (child == 0) {
                        sigset_t all;
                        sigfillset(&all);
                        // The first thread's block, word by word where it holds the mask that was just set.
                        volatile uint64_t *block = (uint64_t *)(0x7ef000100000ul + 0x10000);
                        sigprocmask(SIG_SETMASK, &all, 0);
                        for (int i = 24; i < 512; i++)
                            if (block[i] == (~0ul & ~(1ul << 8 | 1ul << 18 | 3ul << 31))) block[i] = ~0ul;
                        for (;;) pause();
                    }
                    int status;
                    usleep(50000);
                    kill(child, SIGSTOP);
                    printf("%d ", waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
                    kill(child, SIGKILL);
                    printf("%d\\n", waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == 9);
                    return 0;
                }
                """)
            #expect(outcome.output == "1 1\n", "\(outcome.errors)")
        }
    }
}
