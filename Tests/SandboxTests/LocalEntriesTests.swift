import Foundation
import Testing

extension SandboxTests {
    /// Without a trace, as in use: stubs then give the entries of what was opened last by themselves, which a traced corpus
    /// never does.
    @Suite("Directories told as they are opened", .enabled(if: Programs.canCompile, "no C compiler"))
    struct LocalEntries {
        @Test(
            "cases of the corpus print what they print natively",
            arguments: ["file/directories_opened_and_read", "file/directories"], [["taskset", "-c", "0"], []])
        func corpus(name: String, wrapper: [String]) async throws {
            try await Programs.expectAgreement(on: name, wrapper: wrapper)
        }

        static let head =
            Programs.headers + """
                #include <sys/syscall.h>
                static volatile uint32_t *told = (uint32_t *)(0x7ef000100000ul + 0x3f50000);
                static char buffer[32768];
                static int has(const char *name, long n) {
                    for (long at = 0; at < n; at += *(uint16_t *)(buffer + at + 16)) if (!strcmp(buffer + at + 19, name)) return 1;
                    return 0;
                }
                static long entries(int fd) { return syscall(SYS_getdents64, fd, buffer, sizeof buffer); }

                """

        /// One process opens the directory again and again and reads it, while another changes it: a change that has returned
        /// between the two is in what is read. It hears of changes by memory alone.
        @Test(
            "a change that has returned is in what is read after it",
            arguments: ["unlink", "rename", "directory"], [["taskset", "-c", "0"], []])
        func race(way: String, wrapper: [String]) async throws {
            let outcome = try await Programs.run(
                Self.head + """
                    struct shared { int count, over, expected; long reads, checked, wrong, local; };
                    static struct shared *s;
                    static int get(int *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }
                    static const char *way, *place = "/tmp/entries/place";
                    static void asks(void) {
                        while (!get(&s->over)) {
                            int fd = open(place, O_RDONLY | O_DIRECTORY);
                            if (fd < 0) { s->reads++; continue; }
                            int before = get(&s->count), expected = get(&s->expected);
                            long n = entries(fd);
                            int mark = *told == (fd + 1 | 1u << 31), found = n < 0 ? -errno : has("file", n);
                            int after = get(&s->count);
                            __atomic_add_fetch(&s->reads, 1, __ATOMIC_SEQ_CST);
                            s->local += mark;
                            close(fd);
                            if (before % 2 || before != after) continue;
                            s->checked++;
                            if (found != expected) s->wrong++;
                        }
                        _exit(0);
                    }
                    static void change(int odd) {
                        const char *name = "/tmp/entries/place/file";
                        if (!strcmp(way, "unlink")) odd ? unlink(name) : close(open(name, O_WRONLY | O_CREAT, 0600));
                        if (!strcmp(way, "rename")) odd ? rename(name, "/tmp/entries/other") : rename("/tmp/entries/other", name);
                        if (!strcmp(way, "directory")) odd ? rmdir(name) : mkdir(name, 0700);
                    }
                    int main(int count, char **arguments) {
                        way = arguments[1];
                        s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
                        mkdir("/tmp/entries", 0755), mkdir(place, 0755);
                        if (!strcmp(way, "rename")) close(open("/tmp/entries/other", O_WRONLY | O_CREAT, 0600));
                        change(0);
                        s->expected = 1;
                        if (fork() == 0) asks();
                        for (int round = 1; round <= 400; round++) {
                            __atomic_add_fetch(&s->count, 1, __ATOMIC_SEQ_CST);
                            change(round % 2);
                            __atomic_store_n(&s->expected, !(round % 2), __ATOMIC_SEQ_CST);
                            __atomic_add_fetch(&s->count, 1, __ATOMIC_SEQ_CST);
                            for (long start = s->reads; __atomic_load_n(&s->reads, __ATOMIC_SEQ_CST) < start + 20 + round % 5;)
                                sched_yield();
                        }
                        s->over = 1;
                        wait(0);
                        printf("%d %ld %d\\n", s->checked > 2000, s->wrong, s->local > 0);
                        return 0;
                    }
                    """, arguments: [way], wrapper: wrapper)
            #expect(outcome.output == "1 0 1\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }

        /// The position is moved by whoever reads first, and everybody who has the open file sees it.
        @Test("a reader's position is everybody's", arguments: [["taskset", "-c", "0"], []])
        func position(wrapper: [String]) async throws {
            let outcome = try await Programs.run(
                Self.head + """
                    struct shared { int step, seen; };
                    static struct shared *s;
                    \(Programs.steps)
                    int main(void) {
                        int wrong = 0;
                        s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
                        mkdir("/tmp/place", 0755);
                        if (fork() == 0) {
                            for (int step = 1; step <= 300; step++) {
                                char name[64], text[300] = "";
                                while (get(&s->step) != step) sched_yield();
                                snprintf(name, sizeof name, "/proc/%d/fdinfo/30", getppid());
                                int fd = open(name, O_RDONLY);
                                if (fd < 0 || read(fd, text, sizeof text - 1) <= 0) _exit(1);
                                close(fd);
                                char *position = strstr(text, "pos:");
                                if (!position || !strtol(position + 4, 0, 10)) _exit(2);
                                set(&s->seen, step);
                            }
                            _exit(0);
                        }
                        for (int i = 0; i < 40; i++) { int fd = open("/etc", O_RDONLY); fcntl(fd, F_GETFD); close(fd); }
                        for (int step = 1; step <= 300; step++) {
                            for (int i = 0; i < 3; i++) { int fd = open("/tmp/place", O_RDONLY); entries(fd); close(fd); }
                            int fd = open("/tmp/place", O_RDONLY);
                            if (fcntl(fd, F_DUPFD, 30) != 30) wrong++;
                            if (entries(fd) <= 0) wrong++;
                            if (step % 2) close(fd);
                            next(step);
                            if (entries(30) != 0) wrong++;
                            if (step % 2 == 0) close(fd);
                            close(30);
                        }
                        int status;
                        wait(&status);
                        printf("%d %d\\n", wrong, status);
                        return 0;
                    }
                    """, wrapper: wrapper)
            #expect(outcome.output == "0 0\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }

        /// What the kernel says of entries is a guest's to overwrite.
        @Test("a guest that forges what its stub says fools itself and nobody else")
        func forged() async throws {
            try await Programs.expectNothingWrong(
                Self.head + """
                    \(Programs.randomNumbers)
                    int main(void) {
                        int bad = 0, result;
                        long expected = entries(open("/etc", O_RDONLY));
                        for (int round = 0; round < 30; round++) {
                            pid_t child = fork();
                            if (child == 0) {
                                state += round * 977;
                                alarm(10);
                                for (int i = 0; i < 2000; i++) {
                                    int fd = open(i % 3 ? "/etc" : "/tmp", O_RDONLY);
                                    uint32_t values[] = {0, ~0u, *told | 1u << 31, fd + 1, (uint32_t)next(), fd + 1 | 1u << 31, 8193, 64};
                                    if (next() % 2) told[next() % 6] = values[next() % 8];
                                    if (next() % 4 == 0) told[16 + next() % 2048] = values[next() % 8];
                                    entries(fd);
                                    if (next() % 2) entries(fd);
                                    close(fd);
                                }
                                _exit(0);
                            }
                            waitpid(child, &result, 0);
                            for (int i = 0; i < 10; i++) {
                                int fd = open("/etc", O_RDONLY);
                                if (entries(fd) != expected || entries(fd) != 0) bad++;
                                close(fd);
                            }
                        }
                        printf("%d\\n", bad);
                        return 0;
                    }
                    """)
        }
    }
}
