import Testing

extension SandboxTests {
    /// Without a trace, as in use: stubs then end threads and drop private memory by themselves, which a traced corpus never does.
    @Suite("Threads that end without asking", .enabled(if: Programs.canCompile, "no C compiler"))
    struct Ends {
        @Test(
            "cases of the corpus print what they print natively",
            arguments: [
                "thread/ends_and_joins", "thread/last_thread_ends_process", "thread/reused_threads",
                "thread/raw_clone_thread", "thread/end_after_a_failed_birth", "thread/robust_mutexes",
                "thread/killed_owners", "memory/advice_again_and_again",
            ], [["taskset", "-c", "0"], []])
        func corpus(name: String, wrapper: [String]) async throws {
            try await Programs.expectAgreement(on: name, wrapper: wrapper)
        }

        /// Where its stub keeps what the kernel has told it: `apus_ends`.
        static let head =
            Programs.headers + """
                #include <sys/syscall.h>
                static volatile uint32_t *const ends = (uint32_t *)(0x7ef000000000ul + 0x100000 + 0x3f60000);
                static volatile uint64_t *const ranges = (uint64_t *)(0x7ef000000000ul + 0x100000 + 0x3f60000 + 64);
                static volatile uint64_t *const words = (uint64_t *)(0x7ef000000000ul + 0x100000 + 0x3f60000 + 192);
                static void *nothing(void *argument) { return argument; }
                static int rounds(int count) {
                    int joined = 0;
                    for (int i = 0; i < count; i++) {
                        pthread_t thread;
                        if (pthread_create(&thread, 0, nothing, 0) == 0) joined += pthread_join(thread, 0) == 0;
                    }
                    return joined;
                }

                """

        @Test("the stub is told, and ends threads by itself", arguments: [["taskset", "-c", "0"], []])
        func areUsed(wrapper: [String]) async throws {
            let outcome = try await Programs.run(
                Self.head + """
                    int main(void) {
                        rounds(50);
                        // Not where the kernel traces.
                        int isTold = ranges[1] != 0, ended = ends[1];
                        printf("%d %d\\n", isTold, ended > 20);
                    }
                    """, wrapper: wrapper)
            #expect(outcome.output == "1 1\n", "\(outcome.errors)")
        }

        @Test("others see them go, while nobody calls anything", arguments: [["taskset", "-c", "0"], []])
        func seen(wrapper: [String]) async throws {
            let outcome = try await Programs.run(
                Self.head + """
                    #include <dirent.h>
                    static int threadsOf(pid_t process) {
                        char name[64];
                        snprintf(name, sizeof name, "/proc/%d/task", process);
                        DIR *folder = opendir(name);
                        int count = -2;
                        while (folder && readdir(folder)) count++;
                        if (folder) closedir(folder);
                        return count;
                    }
                    static int comesTo(pid_t process, int count) {
                        for (int i = 0; i < 2000; i++, usleep(1000)) if (threadsOf(process) == count) return 1;
                        return 0;
                    }
                    static void *spins(void *argument) {
                        while (!__atomic_load_n((int *)argument, __ATOMIC_SEQ_CST)) {}
                        return 0;
                    }
                    int main(void) {
                        static int isOver;
                        int ends[2], status = 1;
                        pthread_t spinner, threads[8];
                        int alone = rounds(100) == 100 && comesTo(getpid(), 1);
                        if (pipe(ends) || pthread_create(&spinner, 0, spins, &isOver)) return 1;
                        pid_t child = fork();
                        if (child == 0) {
                            char byte;
                            close(ends[1]);
                            if (read(ends[0], &byte, 1)) _exit(2);
                            _exit(comesTo(getppid(), 2) ? 0 : 1);
                        }
                        close(ends[0]);
                        for (int i = 0; i < 8; i++) pthread_create(&threads[i], 0, nothing, 0);
                        for (int i = 0; i < 8; i++) pthread_join(threads[i], 0);
                        close(ends[1]);
                        waitpid(child, &status, 0);
                        __atomic_store_n(&isOver, 1, __ATOMIC_SEQ_CST);
                        pthread_join(spinner, 0);
                        printf("%d %d\\n", alone, status);
                    }
                    """, wrapper: wrapper)
            #expect(outcome.output == "1 0\n", "\(outcome.errors)")
        }

        @Test("one of them is the last, and its process ends", arguments: [["taskset", "-c", "0"], []])
        func firstLeaves(wrapper: [String]) async throws {
            let outcome = try await Programs.run(
                Self.head + """
                    static void *endsLate(void *argument) {
                        usleep(1000 + (long)argument % 5 * 300);
                        return 0;
                    }
                    int main(void) {
                        int good = 0;
                        for (long i = 0; i < 20; i++) {
                            int status = 1;
                            pid_t child = fork();
                            if (child == 0) {
                                pthread_t thread;
                                for (long k = 0; k < 8; k++) if (pthread_create(&thread, 0, k ? endsLate : nothing, (void *)(i + k))) _exit(9);
                                usleep(500 + i * 70);
                                pthread_exit(0);
                            }
                            waitpid(child, &status, 0);
                            good += status == 0;
                        }
                        printf("%d\\n", good);
                    }
                    """, wrapper: wrapper)
            #expect(outcome.output == "20\n", "\(outcome.errors)")
        }

        @Test("what a guest forges there harms itself at most", arguments: [["taskset", "-c", "0"], []])
        func forged(wrapper: [String]) async throws {
            let outcome = try await Programs.run(
                Self.head + """
                    static void storm(unsigned seed) {
                        for (int i = 0; i < 4000; i++) {
                            seed = seed * 1103515245 + 12345;
                            int which = seed >> 8 & 63;
                            if (which < 3) ends[which] = seed >> 16;
                            else if (which < 19) ranges[which - 3] = (uint64_t)seed << (seed & 31);
                            else words[which - 19] = seed & 1 ? 0 : (uint64_t)&seed;
                            if (i % 50 == 0) { pthread_t t; if (!pthread_create(&t, 0, nothing, 0)) pthread_detach(t); }
                        }
                        _exit(0);
                    }
                    int main(void) {
                        for (unsigned i = 1; i <= 4; i++) {
                            pid_t child = fork();
                            if (child == 0) { rounds(3); storm(i); }
                            for (int k = 0; k < 3000 && waitpid(child, 0, WNOHANG) == 0; k++) usleep(1000);
                            kill(child, SIGKILL);
                            waitpid(child, 0, 0);
                        }
                        printf("%d\\n", rounds(200));
                    }
                    """, wrapper: wrapper)
            #expect(outcome.output == "200\n", "\(outcome.errors)")
        }

        @Test("threads that end while their process is signalled are joined", arguments: [["taskset", "-c", "0"], []])
        func signalled(wrapper: [String]) async throws {
            let outcome = try await Programs.run(
                Self.head + """
                    static int handled;
                    static void handler(int signal) { __atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST); }
                    int main(void) {
                        struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
                        sigaction(SIGUSR1, &action, 0);
                        pid_t child = fork();
                        if (child == 0) {
                            for (int i = 0; i < 300; i++) { kill(getppid(), SIGUSR1); usleep(300); }
                            _exit(0);
                        }
                        int joined = 0, made = 0, status = 1;
                        while (waitpid(child, &status, WNOHANG) == 0) {
                            joined += rounds(10);
                            made += 10;
                        }
                        printf("%d %d %d\\n", joined == made, status, handled > 0);
                    }
                    """, wrapper: wrapper)
            #expect(outcome.output == "1 0 1\n", "\(outcome.errors)")
        }
    }
}
