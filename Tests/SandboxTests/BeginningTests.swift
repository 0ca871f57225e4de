import Foundation
import Testing

extension SandboxTests {
    /// Without a trace, as in use: stubs then answer what every program asks as it begins, which a traced corpus never does.
    @Suite("What a program asks as it begins", .enabled(if: Programs.canCompile, "no C compiler"))
    struct Beginning {
        @Test(
            "cases of the corpus print what they print natively",
            arguments: [
                "process/first_calls", "process/exec_keeps", "process/exec_from_a_thread",
                "process/state_inherited", "identity/limits_values", "thread/raw_clone_thread", "memory/brk_moves",
                "memory/hot_call_sites", "process/vfork_shares", "process/posix_spawn_actions",
            ], [["taskset", "-c", "0"], []])
        func corpus(name: String, wrapper: [String]) async throws {
            try await Programs.expectAgreement(on: name, wrapper: wrapper)
        }

        @Test(
            "another process's change of a limit is told, and it sees each change of mapped files",
            arguments: [["taskset", "-c", "0"], []])
        func observed(wrapper: [String]) async throws {
            try await Programs.expectNothingWrong(
                Programs.headers + """
                    enum { ROUNDS = 400, PAGE = 4096 };
                    struct shared { int step, seen, wrong; char *place; };
                    static struct shared *s;
                    \(Programs.steps)
                    static int rightsOf(pid_t process, char *place) {
                        static char text[1 << 17];
                        char name[64], rights[8];
                        snprintf(name, sizeof name, "/proc/%d/maps", process);
                        int fd = open(name, O_RDONLY), got, length = 0;
                        while ((got = read(fd, text + length, sizeof text - 1 - length)) > 0) length += got;
                        close(fd);
                        text[length] = 0;
                        for (char *line = text; *line; line += strlen(line) + 1) {
                            unsigned long start, end;
                            *strchr(line, '\\n') = 0;
                            if (sscanf(line, "%lx-%lx %7s", &start, &end, rights) != 3) break;
                            if (start <= (unsigned long)place && (unsigned long)place < end)
                                return !!strstr(line, "program") * 4 + (rights[1] == 'w' ? 2 : 1);
                        }
                        return 0;
                    }
                    int main(void) {
                        s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
                        if (fork() == 0) {
                            int expected[] = {0, 5, 6, 5, 2};
                            for (int step = 1; step <= ROUNDS * 5; step++) {
                                while (get(&s->step) != step) sched_yield();
                                if (rightsOf(getppid(), s->place) != expected[step % 5]) s->wrong++;
                                struct rlimit limit = {1024 + step, 1 << 20};
                                if (prlimit(getppid(), RLIMIT_CORE, &limit, 0)) s->wrong++;
                                set(&s->seen, step);
                            }
                            _exit(0);
                        }
                        int own = open("/proc/self/exe", O_RDONLY);
                        for (int i = 0; i < ROUNDS; i++) {
                            // As a loader does it: all of it, then what the program writes.
                            char *all = mmap(0, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_DENYWRITE, own, 0);
                            s->place = mmap(all + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, own, 0);
                            if (mprotect(s->place, PAGE, PROT_READ)) s->wrong++;
                            for (int step = 5 * i + 1; step <= 5 * i + 5; step++) {
                                next(step);
                                struct rlimit limit;
                                if (getrlimit(RLIMIT_CORE, &limit) || limit.rlim_cur != 1024 + step) s->wrong++;
                                if (prlimit(0, RLIMIT_CORE, 0, &limit) || limit.rlim_cur != 1024 + step) s->wrong++;
                                switch (step % 5) {
                                case 1: if (mprotect(s->place, PAGE, PROT_READ | PROT_WRITE)) s->wrong++; break;
                                case 2: if (mprotect(s->place, PAGE, PROT_READ)) s->wrong++; break;
                                case 3:
                                    if (mmap(s->place, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0)
                                        != s->place || *s->place) s->wrong++;
                                    break;
                                case 4: if (munmap(s->place, PAGE)) s->wrong++; break;
                                }
                            }
                            munmap(all, 3 * PAGE);
                        }
                        wait(0);
                        printf("%d\\n", s->wrong);
                        return 0;
                    }
                    """, wrapper: wrapper)
        }

        @Test("programs that begin in rows, with children and signals between, find everything in its place")
        func rows() async throws {
            try await Programs.expectNothingWrong(
                Programs.headers + """
                    extern char **environ;
                    int main(int count, char **words) {
                        static volatile int handled;
                        if (count == 3) {
                            int rest = atoi(words[1]), wrong = atoi(words[2]);
                            char *end = sbrk(0), *heap = malloc(1 << 17), text[2][16];
                            memset(heap, 'h', 1 << 17);
                            if (sbrk(0) < end) wrong++;
                            int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), other = dup(fd);
                            if (fd != 3 || other != 4 || close(other)) wrong++;
                            pthread_t thread;
                            pthread_create(&thread, 0, (void *(*)(void *))malloc, (void *)10);
                            pthread_join(thread, 0);
                            // A parent that waits for its children's signals has one on its way now and then.
                            pid_t child = fork();
                            if (child == 0) _exit(sbrk(0) != end && heap[99] != 'h');
                            int status;
                            if (waitpid(child, &status, 0) != child || status) wrong++;
                            if (rest == 0) return wrong != 0;
                            snprintf(text[0], 16, "%d", rest - 1);
                            snprintf(text[1], 16, "%d", wrong);
                            char *next[] = {words[0], text[0], text[1], 0};
                            if (rest % 2) alarm(1);
                            return execve("/proc/self/exe", next, environ);
                        }
                        int wrong = 0;
                        signal(SIGALRM, SIG_IGN);
                        for (int i = 0; i < 20; i++) {
                            if (fork() == 0) execl("/proc/self/exe", words[0], "8", "0", (char *)0);
                        }
                        for (int i = 0, status; i < 20; i++) if (wait(&status) < 0 || status) wrong++;
                        printf("%d\\n", wrong);
                        return 0;
                    }
                    """)
        }

        /// What was told is a guest's to overwrite.
        @Test("a guest that forges its heap's end, its limits and its number's place harms only itself")
        func forged() async throws {
            let outcome = try await Programs.run(
                Programs.headers + """
                    \(Programs.randomNumbers)
                    #include <sys/syscall.h>
                    int main(void) {
                        volatile uint64_t *begin = (uint64_t *)(0x7ef000100000ul + 0x280);
                        volatile uint64_t *block = (uint64_t *)(0x7ef000100000ul + 0x10000);
                        struct rlimit limit;
                        int status, lived = 0;
                        for (int round = 0; round < 40; round++) {
                            pid_t child = fork();
                            if (child == 0) {
                                state += round * 977;
                                alarm(10);
                                for (int i = 0; i < 2000; i++) {
                                    begin[next() % 34] = next();
                                    // Anywhere behind the registers and what the stub needs to find its way.
                                    if (round % 2) block[256 + next() % 256] = next() >> next() % 64;
                                    getrlimit(next() % 20, &limit);
                                    syscall(SYS_brk, 0);
                                    if (i % 20 == 0) prlimit(0, RLIMIT_CORE, &limit, 0);
                                    if (i % 50 == 0) syscall(SYS_set_tid_address, next());
                                    if (i % 100 == 0 && fork() == 0) _exit(0);
                                }
                                _exit(0);
                            }
                            waitpid(child, &status, 0);
                            lived++;
                        }
                        getrlimit(RLIMIT_CORE, &limit);
                        printf("%d %d\\n", lived, syscall(SYS_brk, 0) == (long)sbrk(0));
                        return 0;
                    }
                    """)
            #expect(outcome.output == "40 1\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }
    }
}
