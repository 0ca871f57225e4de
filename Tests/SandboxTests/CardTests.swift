import Foundation
import Testing

extension SandboxTests {
    /// Without a trace, as in use: stubs then close and copy descriptors by themselves, which a traced corpus never does.
    @Suite("Descriptors on cards", .enabled(if: Programs.canCompile, "no C compiler"))
    struct Cards {
        @Test(
            "cases of the corpus print what they print natively",
            arguments: [
                "file/descriptors_again_and_again", "file/descriptors_and_others", "file/names_of_what_was_opened",
                "file/hot_numbers", "file/close_range_and_flags", "file/description_locks", "file/record_locks",
                "file/numbers_for_a_moment", "file/numbers_after_a_rest",
                "file/directories", "file/unlinked_but_open",
            ], [["taskset", "-c", "0"], []])
        func corpus(name: String, wrapper: [String]) async throws {
            try await Programs.expectAgreement(
                on: name, wrapper: wrapper, files: ["file": "0123456789", "reborn": "linked again"])
        }

        static let head =
            Programs.headers + """
                static void heat(void) {
                    for (int i = 0; i < 40; i++) { int fd = open("/etc/passwd", O_RDONLY); fcntl(fd, F_GETFD); close(fd); }
                }
                static int count(void) {
                    int found = 0;
                    for (int i = 0; i < 300; i++) found += fcntl(i, F_GETFD) >= 0;
                    return found;
                }

                """

        @Test(
            "another process sees each change that one hears of without the kernel",
            arguments: [["taskset", "-c", "0"], []])
        func observed(wrapper: [String]) async throws {
            try await Programs.expectNothingWrong(
                Self.head + """
                    enum { ROUNDS = 400 };
                    struct shared { int step, seen, wrong; };
                    static struct shared *s;
                    \(Programs.steps)
                    static int closesOnExec(pid_t process) {
                        char name[64], text[300] = "";
                        snprintf(name, sizeof name, "/proc/%d/fdinfo/30", process);
                        int fd = open(name, O_RDONLY);
                        if (fd < 0) return -1;
                        read(fd, text, sizeof text - 1);
                        close(fd);
                        char *flags = strstr(text, "flags:");
                        return flags && strtol(flags + 6, 0, 8) & O_CLOEXEC ? 1 : 0;
                    }
                    int main(void) {
                        s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
                        if (fork() == 0) {
                            for (int step = 1; step <= ROUNDS * 3; step++) {
                                while (get(&s->step) != step) sched_yield();
                                int expected = step % 3 == 1 ? 0 : step % 3 == 2 ? 1 : -1;
                                if (closesOnExec(getppid()) != expected) s->wrong++;
                                set(&s->seen, step);
                            }
                            _exit(0);
                        }
                        heat();
                        int fd = open("/etc/passwd", O_RDONLY);
                        for (int i = 0; i < ROUNDS; i++) {
                            if (fcntl(fd, F_DUPFD, 30) != 30) s->wrong++;
                            next(3 * i + 1);
                            fcntl(30, F_SETFD, FD_CLOEXEC);
                            next(3 * i + 2);
                            if (close(30)) s->wrong++;
                            next(3 * i + 3);
                        }
                        wait(0);
                        printf("%d\\n", s->wrong);
                        return 0;
                    }
                    """, wrapper: wrapper)
        }

        @Test(
            "of two threads that close one number one does, and none is lost",
            arguments: [["taskset", "-c", "0"], []])
        func threads(wrapper: [String]) async throws {
            try await Programs.expectNothingWrong(
                Self.head + """
                    static int fd, wrong;
                    static pthread_barrier_t barrier;
                    static void *closes(void *argument) {
                        pthread_barrier_wait(&barrier);
                        return (void *)(long)close(fd);
                    }
                    static void *opens(void *argument) {
                        pthread_barrier_wait(&barrier);
                        for (int i = 0; i < 20; i++) {
                            struct stat status;
                            int own = open("/", O_RDONLY | O_DIRECTORY);
                            if (fstat(own, &status) || !S_ISDIR(status.st_mode)) wrong++;
                            int copy = fcntl(own, F_DUPFD_CLOEXEC, 0);
                            if (copy < 0 || copy == own || fcntl(copy, F_GETFD) != 1) wrong++;
                            if (close(own) || close(copy)) wrong++;
                        }
                        return 0;
                    }
                    int main(void) {
                        int before = count();
                        for (int round = 0; round < 150; round++) {
                            pthread_t thread;
                            void *got;
                            heat();
                            fd = open("/etc/passwd", O_RDONLY);
                            pthread_barrier_init(&barrier, 0, 2);
                            pthread_create(&thread, 0, closes, 0);
                            pthread_barrier_wait(&barrier);
                            long own = close(fd);
                            pthread_join(thread, &got);
                            if (own + (long)got != -1) wrong++;
                            pthread_create(&thread, 0, opens, 0);
                            opens(0);
                            pthread_join(thread, 0);
                            if (count() != before) wrong++;
                        }
                        printf("%d\\n", wrong);
                        return 0;
                    }
                    """, wrapper: wrapper)
        }

        @Test(
            "handlers, children and programs between any two calls find the descriptors as they are",
            arguments: [["taskset", "-c", "0"], []])
        func interrupted(wrapper: [String]) async throws {
            let outcome = try await Programs.run(
                Self.head + """
                    static volatile int wrong, handled;
                    static void handler(int signal) {
                        int saved = errno;
                        struct stat status;
                        int fd = open("/", O_RDONLY | O_DIRECTORY);
                        if (fd < 0 || fstat(fd, &status) || !S_ISDIR(status.st_mode)) wrong++;
                        int copy = fcntl(fd, F_DUPFD, 0);
                        if (close(fd) || close(copy) || close(copy) == 0) wrong++;
                        handled++;
                        errno = saved;
                    }
                    int main(void) {
                        struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
                        sigaction(SIGALRM, &action, 0);
                        struct itimerval often = {{0, 300}, {0, 300}}, never = {};
                        heat();
                        int before = count(), children = 0;
                        setitimer(ITIMER_REAL, &often, 0);
                        for (int i = 0; i < 20000 || handled < 200; i++) {
                            struct stat status;
                            int fd = open("/etc/passwd", O_RDONLY);
                            if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode)) wrong++;
                            int copy = fcntl(fd, F_DUPFD_CLOEXEC, 10 + i % 7);
                            if (copy < 10 || fcntl(copy, F_GETFD) != 1 || fcntl(fd, F_GETFD) != 0) wrong++;
                            if (close(fd)) wrong++;
                            if (i % 200 == 0) {
                                int result;
                                pid_t child = fork();
                                if (child == 0) _exit(fcntl(fd, F_GETFD) != -1 || fcntl(copy, F_GETFD) != 1);
                                while (waitpid(child, &result, 0) < 0) {}
                                if (result) wrong++;
                                children++;
                            }
                            if (close(copy)) wrong++;
                        }
                        setitimer(ITIMER_REAL, &never, 0);
                        printf("%d %d %d\\n", wrong, count() - before, children >= 100);
                        return 0;
                    }
                    """, wrapper: wrapper)
            #expect(outcome.output == "0 0 1\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }

        /// Cards and posted calls are a guest's to overwrite.
        @Test("a guest that forges cards and posted calls has no more descriptors than it may, and harms nobody")
        func forged() async throws {
            let outcome = try await Programs.run(
                Self.head + """
                    \(Programs.randomNumbers)
                    int main(void) {
                        volatile uint32_t *table = (uint32_t *)(0x7ef000100000ul + 0x3f20000);
                        char data[4096];
                        close_range(3, ~0u, 0);
                        int fd = open("/etc/passwd", O_RDONLY), status, many = 0;
                        for (int round = 0; round < 30; round++) {
                            pid_t child = fork();
                            if (child == 0) {
                                state += round * 977;
                                alarm(10);
                                struct rlimit limit = {20, 20};
                                setrlimit(RLIMIT_NOFILE, &limit);
                                heat();
                                for (int i = 0; i < 3000; i++) {
                                    uint32_t word = next() % 2 ? next() % 16 : next() % 360;
                                    uint32_t values[] = {0, ~0u, table[0] + 1, 1u << next() % 32, (uint32_t)next(), 0x0f000000,
                                        1 << 24 | next() % 32, 2 << 24 | next() % 32 | (next() % 256) << 8};
                                    table[word] = values[next() % 8];
                                    if (next() % 2) table[0] = table[0] + next() % 12;
                                    if (i % 3 == 0) close(fcntl(fd, F_DUPFD, next() % 40));
                                    if (i % 5 == 0) fstat(next() % 8, (struct stat *)data);
                                    if (i % 7 == 0) close(open("/", O_RDONLY));
                                    if (i % 50 == 0) heat();
                                }
                                // What the kernel knows of, whatever the cards say.
                                for (int i = 20; i < 300; i++) {
                                    char name[40];
                                    snprintf(name, sizeof name, "/proc/self/fd/%d", i);
                                    if (access(name, F_OK) == 0) _exit(77);
                                }
                                _exit(0);
                            }
                            waitpid(child, &status, 0);
                            if (WIFEXITED(status) && WEXITSTATUS(status) == 77) many++;
                        }
                        // The parent's own are as they were.
                        printf("%d %d %d\\n", count(), many, read(fd, data, 1) == 1);
                        return 0;
                    }
                    """)
            #expect(outcome.output == "4 0 1\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }
    }
}
