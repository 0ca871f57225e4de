import Foundation
import Testing

extension SandboxTests {
    /// Without a trace, as in use: stubs then say themselves what stands at a name, which a traced corpus never does.
    @Suite("Statuses by name", .enabled(if: Programs.canCompile, "no C compiler"))
    struct LocalNames {
        @Test(
            "cases of the corpus print what they print natively",
            arguments: [
                "file/statuses_again_and_again", "file/names_of_what_was_opened", "file/descriptors_again_and_again",
                "file/directories", "file/unlinked_but_open",
            ], [["taskset", "-c", "0"], []])
        func corpus(name: String, wrapper: [String]) async throws {
            try await Programs.expectAgreement(
                on: name, wrapper: wrapper, files: ["unused": "", "file": "0123456789", "reborn": "linked again"])
        }

        /// Processes that ask all the time while another changes what is at a name: between two changes that have returned, each
        /// answer is what the last one has made of it. Changes are counted in a word, odd while one is under way; who asks
        /// hears of them by memory alone. The way of changing is the argument.
        static let race = """
            #include <errno.h>
            #include <fcntl.h>
            #include <sched.h>
            #include <stdint.h>
            #include <stdio.h>
            #include <stdlib.h>
            #include <string.h>
            #include <sys/mman.h>
            #include <sys/stat.h>
            #include <sys/wait.h>
            #include <unistd.h>
            enum { CHANGES = 200, BETWEEN = 400, ASKING = 2 };
            struct shared { uint64_t count, reads[ASKING], checked, wrong, over, local; int64_t expected; };
            static struct shared *s;
            static const char *way, *path = "/tmp/names/place/directory/file";
            static uint64_t get(uint64_t *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }
            static void add(uint64_t *word) { __atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST); }
            static int64_t value(int got, struct stat *status) {
                if (got) return -errno;
                if (!strcmp(way, "chmod")) return status->st_mode & 0777;
                if (!strcmp(way, "write") || !strcmp(way, "target") || !strcmp(way, "exchange")) return status->st_size;
                if (!strcmp(way, "times")) return status->st_mtime;
                if (!strcmp(way, "read")) return status->st_atime == 100;
                if (!strcmp(way, "links")) return status->st_nlink;
                if (!strcmp(way, "owner")) return status->st_uid;
                return 0;
            }
            static void asks(int number) {
                int directory = open("/tmp/names/place/directory", O_RDONLY | O_DIRECTORY);
                chdir("/tmp/names/place/directory");
                if (!strcmp(way, "search")) if (setuid(1000)) exit(95);
                for (unsigned i = 0; !get(&s->over); i++) {
                    struct stat status;
                    uint64_t before = get(&s->count);
                    int64_t expected = __atomic_load_n(&s->expected, __ATOMIC_SEQ_CST);
                    errno = 0;
                    // What leads to the file is what changes, or the file.
                    int byPath = strcmp(way, "parent") == 0 || !strcmp(way, "search") || !strcmp(way, "target") || i / 64 % 3 == 0;
                    int got = byPath ? stat(path, &status)
                        : i / 64 % 3 == 1 ? fstatat(directory, "file", &status, AT_SYMLINK_NOFOLLOW) : lstat("file", &status);
                    int64_t found = value(got, &status);
                    uint64_t after = get(&s->count);
                    add(&s->reads[number]);
                    if (before % 2 || before != after) continue;
                    add(&s->checked);
                    if (found != expected) add(&s->wrong);
                }
                // How many of them the stub has answered.
                if (*(volatile uint32_t *)(0x7ef000100000ul + 0x3f80000 + 1024) > 1000) add(&s->local);
                _exit(0);
            }
            static int fd;
            static int64_t change(int odd) {
                struct timespec times[2] = {{100, 0}, {odd ? 200 : 300, 0}};
                char byte;
                if (!strcmp(way, "chmod")) return chmod(path, odd ? 0600 : 0644), odd ? 0600 : 0644;
                if (!strcmp(way, "write")) return odd ? pwrite(fd, "0123456789", 10, 0) : ftruncate(fd, 0), odd ? 10 : 0;
                if (!strcmp(way, "times")) return utimensat(AT_FDCWD, path, times, 0), odd ? 200 : 300;
                if (!strcmp(way, "read")) {
                    if (odd) return utimensat(AT_FDCWD, path, times, 0), 1;
                    return pread(fd, &byte, 1, 0), 0;
                }
                if (!strcmp(way, "links")) return odd ? link(path, "/tmp/names/other") : unlink("/tmp/names/other"), odd ? 2 : 1;
                if (!strcmp(way, "owner")) return chown(path, odd ? 7 : 0, 0), odd ? 7 : 0;
                if (!strcmp(way, "rename"))
                    return odd ? rename(path, "/tmp/names/other") : rename("/tmp/names/other", path), odd ? -ENOENT : 0;
                if (!strcmp(way, "create")) {
                    if (odd) return unlink(path), -ENOENT;
                    return close(open(path, O_WRONLY | O_CREAT, 0600)), 0;
                }
                if (!strcmp(way, "exchange")) return (renameat2(AT_FDCWD, path, AT_FDCWD, "/tmp/names/three", 2), odd ? 3 : 0);
                if (!strcmp(way, "parent"))
                    return odd ? rename("/tmp/names/place", "/tmp/names/away") : rename("/tmp/names/away", "/tmp/names/place"), odd ? -ENOENT : 0;
                if (!strcmp(way, "search")) return chmod("/tmp/names/place", odd ? 0700 : 0755), odd ? -EACCES : 0;
                if (!strcmp(way, "target")) {
                    unlink("/tmp/names/link");
                    symlink(odd ? "three" : "place/directory/file", "/tmp/names/link");
                    return odd ? 3 : 0;
                }
                exit(94);
            }
            int main(int count, char **arguments) {
                way = arguments[1];
                s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
                umask(0);
                mkdir("/tmp/names", 0755), mkdir("/tmp/names/place", 0755), mkdir("/tmp/names/place/directory", 0755);
                fd = open(path, O_RDWR | O_CREAT, 0644);
                if (!strcmp(way, "read")) write(fd, "some", 4);
                int other = open("/tmp/names/three", O_RDWR | O_CREAT, 0644);
                write(other, "123", 3);
                if (!strcmp(way, "target")) change(0), path = "/tmp/names/link";
                // As it is: the exchange goes to and fro.
                if (!strcmp(way, "exchange")) change(0);
                s->expected = change(0);
                for (int i = 0; i < ASKING; i++) if (fork() == 0) asks(i);
                for (int round = 1; round <= CHANGES; round++) {
                    add(&s->count);
                    __atomic_store_n(&s->expected, change(round % 2), __ATOMIC_SEQ_CST);
                    add(&s->count);
                    for (int i = 0; i < ASKING; i++)
                        for (uint64_t start = get(&s->reads[i]); get(&s->reads[i]) < start + BETWEEN;) sched_yield();
                }
                s->over = 1;
                while (wait(0) > 0) {}
                printf("%d %ld %ld\\n", s->checked > CHANGES * 100, s->wrong, s->local);
                return 0;
            }
            """

        @Test(
            "a change that has returned is in every answer after it",
            arguments: [
                "chmod", "write", "times", "read", "links", "owner", "rename", "create", "exchange", "parent", "search",
                "target",
            ], [["taskset", "-c", "0"], []])
        func race(way: String, wrapper: [String]) async throws {
            let outcome = try await Programs.run(Self.race, arguments: [way], wrapper: wrapper)
            #expect(outcome.output == "1 0 2\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }

        /// The host's change is what counts a moment later, whatever the stub has been told.
        @Test("what the host changes is seen within the moment")
        func host() async throws {
            let folder = try Scratch.folder()
            defer { try? FileManager.default.removeItem(at: folder) }
            let file = folder.appendingPathComponent("file")
            try Data("one".utf8).write(to: file)
            let program = try Programs.compile(
                """
                #include <stdio.h>
                #include <sys/stat.h>
                #include <time.h>
                int main(int count, char **arguments) {
                    long last = -1;
                    time_t end = time(0) + 20;
                    // Nothing else is asked: no word of the change comes in but by the file itself.
                    while (last != 7 && time(0) < end) {
                        struct stat status;
                        long size = stat(arguments[1], &status) ? -1 : status.st_size;
                        if (size != last) { printf("%ld\\n", size); fflush(stdout); }
                        last = size;
                    }
                    return 0;
                }
                """, in: folder)
            let guest = try await Guest([program, file.path])
            try await guest.printed("3\n")
            try FileManager.default.removeItem(at: file)
            try await guest.printed("-1\n")
            try Data("another".utf8).write(to: file)
            let outcome = try await guest.wait()
            #expect(outcome.output.hasPrefix("3\n-1\n") && outcome.output.hasSuffix("7\n"), "\(outcome.errors)")
            #expect(outcome.status == 0)
        }

        /// What the kernel says of names is a guest's to overwrite.
        @Test("a guest that forges what its stub says fools itself and nobody else")
        func forged() async throws {
            try await Programs.expectNothingWrong(
                """
                #include <fcntl.h>
                #include <stdint.h>
                #include <stdio.h>
                #include <string.h>
                #include <sys/stat.h>
                #include <sys/wait.h>
                #include <unistd.h>
                \(Programs.randomNumbers)
                static struct stat status;
                static void heat(void) {
                    for (int i = 0; i < 20; i++) stat("/etc/passwd", &status), stat("/none", &status), fstatat(3, "passwd", &status, 0);
                }
                int main(void) {
                    volatile uint32_t *hold = (uint32_t *)(0x7ef000100000ul + 0x248);
                    volatile uint32_t *table = (uint32_t *)(0x7ef000100000ul + 0x3f80000);
                    int bad = 0, result, directory = open("/etc", O_RDONLY | O_DIRECTORY);
                    dup2(directory, 3);
                    heat();
                    struct stat expected = status;
                    for (int round = 0; round < 30; round++) {
                        pid_t child = fork();
                        if (child == 0) {
                            state += round * 977;
                            alarm(10);
                            for (int i = 0; i < 200; i++) {
                                heat();
                                uint32_t values[] = {0, ~0u, *hold, 1u << next() % 32, (uint32_t)next(), 1, 2, 80};
                                for (int n = 0; n < 20; n++)
                                    table[next() % 2 ? next() % 256 : 1024 + next() % (128 * 2 * 64)] = values[next() % 8];
                                if (next() % 8 == 0) *hold = values[next() % 8];
                            }
                            _exit(0);
                        }
                        waitpid(child, &result, 0);
                        for (int i = 0; i < 30; i++)
                            if (stat("/etc/passwd", &status) || status.st_ino != expected.st_ino || stat("/none", &status) == 0) bad++;
                    }
                    printf("%d\\n", bad);
                    return 0;
                }
                """)
        }
    }
}
