import Foundation
import Testing

extension SandboxTests {
    /// Without a trace, as in use: stubs then say what stands at the next names of a walk, which a traced corpus never does.
    @Suite("Walks through directories", .enabled(if: Programs.canCompile, "no C compiler"))
    struct LocalWalks {
        @Test(
            "cases of the corpus print what they print natively",
            arguments: ["file/statuses_of_what_is_written", "file/directories"], [["taskset", "-c", "0"], []])
        func corpus(name: String, wrapper: [String]) async throws {
            try await Programs.expectAgreement(on: name, wrapper: wrapper)
        }

        /// One process walks through directories without directories, and looks at each before it opens it, while another changes
        /// one of them or the one above: what has returned before a look or a reading is in it. It hears of changes by memory alone.
        static let race =
            LocalEntries.head + """
                struct shared { int count, over, expected; long walks, checked, wrong, local; };
                static struct shared *s;
                static int get(int *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }
                static const char *way;
                static int value(int fd, int got, struct stat *status) {
                    if (!strcmp(way, "file") || !strcmp(way, "full")) {
                        if (fd < 0) return -1;
                        long n = entries(fd);
                        return n < 0 ? -errno : has("file", n);
                    }
                    if (got) return -ENOENT;
                    return !strcmp(way, "chmod") ? status->st_mode & 0777 : !strcmp(way, "owner") ? status->st_uid : 0;
                }
                static volatile uint32_t *answered = (uint32_t *)(0x7ef000100000ul + 0x3f80000 + 1024);
                static void walks(int out) {
                    while (!get(&s->over)) {
                        int above = open("/tmp/walk", O_RDONLY | O_DIRECTORY);
                        while (entries(above) > 0) {}
                        uint32_t first = *answered;
                        for (int i = 0; i < 12; i++) {
                            char name[8] = {'d', 'a' + i};
                            struct stat status;
                            int before = get(&s->count), expected = get(&s->expected);
                            int got = fstatat(above, name, &status, AT_SYMLINK_NOFOLLOW);
                            int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
                            int found = value(fd, got, &status), after = get(&s->count);
                            fcntl(fd, F_GETFL);
                            if (strncmp(way, "f", 1)) while (entries(fd) > 0) {}
                            close(fd);
                            if (i % 5 == 4) write(out, name, 2);
                            if (i != 7 || before % 2 || before != after) continue;
                            s->checked++;
                            if (found != expected) s->wrong++;
                        }
                        s->local += *answered - first;
                        close(above);
                        __atomic_add_fetch(&s->walks, 1, __ATOMIC_SEQ_CST);
                    }
                    _exit(0);
                }
                static int change(int odd) {
                    const char *name = "/tmp/walk/dh", *file = "/tmp/walk/dh/file";
                    if (!strcmp(way, "chmod")) return chmod(name, odd ? 0700 : 0755), odd ? 0700 : 0755;
                    if (!strcmp(way, "owner")) return chown(name, odd ? 7 : 0, 0), odd ? 7 : 0;
                    if (!strcmp(way, "rename"))
                        return odd ? rename(name, "/tmp/away") : rename("/tmp/away", name), odd ? -ENOENT : 0;
                    if (!strcmp(way, "remove")) return odd ? rmdir(name) : mkdir(name, 0755), odd ? -ENOENT : 0;
                    if (!strcmp(way, "file")) return odd ? unlink(file) : close(open(file, O_WRONLY | O_CREAT, 0600)), !odd;
                    if (!strcmp(way, "full"))
                        return renameat2(AT_FDCWD, name, AT_FDCWD, "/tmp/full", 2), odd;
                    _exit(94);
                }
                int main(int count, char **arguments) {
                    way = arguments[1];
                    s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
                    mkdir("/tmp/walk", 0755), mkdir("/tmp/full", 0755), close(open("/tmp/full/file", O_WRONLY | O_CREAT, 0600));
                    for (int i = 0; i < 12; i++) {
                        char name[] = {'/', 't', 'm', 'p', '/', 'w', 'a', 'l', 'k', '/', 'd', 'a' + i, 0};
                        mkdir(name, 0755);
                    }
                    // There and back, or as it is.
                    s->expected = !strcmp(way, "full") ? 0 : !strcmp(way, "remove") || !strcmp(way, "rename") ? 0 : change(0);
                    int out[2];
                    pipe(out);
                    if (fork() == 0) walks(out[1]);
                    char bytes[4096];
                    fcntl(out[0], F_SETFL, O_NONBLOCK);
                    for (int round = 1; round <= 200; round++) {
                        __atomic_add_fetch(&s->count, 1, __ATOMIC_SEQ_CST);
                        __atomic_store_n(&s->expected, change(round % 2), __ATOMIC_SEQ_CST);
                        __atomic_add_fetch(&s->count, 1, __ATOMIC_SEQ_CST);
                        for (long start = s->walks; __atomic_load_n(&s->walks, __ATOMIC_SEQ_CST) < start + 6 + round % 5;)
                            sched_yield();
                        while (read(out[0], bytes, sizeof bytes) > 0) {}
                    }
                    s->over = 1;
                    wait(0);
                    printf("%d %ld %d\\n", s->checked > 800, s->wrong, s->local > s->walks);
                    return 0;
                }
                """

        @Test(
            "a change that has returned is in every look and every reading after it",
            arguments: ["chmod", "owner", "rename", "remove", "file", "full"], [["taskset", "-c", "0"], []])
        func race(way: String, wrapper: [String]) async throws {
            let outcome = try await Programs.run(Self.race, arguments: [way], wrapper: wrapper)
            #expect(outcome.output == "1 0 1\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }
    }
}
