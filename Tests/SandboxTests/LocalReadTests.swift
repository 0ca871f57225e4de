import Foundation
import Testing

extension SandboxTests {
    /// Without a trace, as in use: stubs then read hot descriptors by themselves, which a traced corpus never does.
    @Suite("Reads without the kernel", .enabled(if: Programs.canCompile, "no C compiler"))
    struct LocalReads {
        @Test(
            "cases of the corpus print what they print natively",
            arguments: [
                "file/hot_files", "file/hot_numbers", "file/hot_devices", "file/append_and_sharing",
                "file/close_range_and_flags", "file/devices", "file/holes_and_truncation", "file/read_write_offsets",
                "file/small_payloads", "file/short_strings_and_results",
            ], [["taskset", "-c", "0"], []])
        func corpus(name: String, wrapper: [String]) async throws {
            try await Programs.expectAgreement(on: name, wrapper: wrapper, files: ["digits": "0123456789"])
        }

        /// Threads and processes that read all the time while everything about the descriptor changes: between two changes
        /// that have returned, each read gives what the last one has made of it. Changes are counted in a word, odd while
        /// one is under way; the way of changing is the argument.
        static let race = """
            #include <errno.h>
            #include <fcntl.h>
            #include <pthread.h>
            #include <sched.h>
            #include <signal.h>
            #include <stdint.h>
            #include <stdio.h>
            #include <stdlib.h>
            #include <string.h>
            #include <sys/mman.h>
            #include <sys/syscall.h>
            #include <sys/wait.h>
            #include <unistd.h>
            enum { READERS = 2, CHANGES = 160, SIZE = 12288, BETWEEN = 150 };
            struct shared { uint64_t count; int64_t length; char byte; uint64_t reads, checked, wrong, over; };
            static struct shared *s;
            static int fd, first, second, device, local;
            static uint64_t get(uint64_t *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }
            static void add(uint64_t *word) { __atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST); }
            static void check(unsigned *seed) {
                char data[300];
                memset(data, '?', sizeof data);
                uint64_t before = get(&s->count);
                int64_t length = __atomic_load_n(&s->length, __ATOMIC_SEQ_CST);
                char byte = __atomic_load_n(&s->byte, __ATOMIC_SEQ_CST);
                // Also across pages and across the end.
                off_t offset = rand_r(seed) % 5 * 4096 - rand_r(seed) % 299;
                if (offset < 0) offset = 0;
                ssize_t got = device ? read(fd, data, sizeof data) : pread(fd, data, sizeof data, offset);
                int error = errno;
                uint64_t after = get(&s->count);
                add(&s->reads);
                // Whatever happens, what comes is of a file that was there, and nothing comes from elsewhere.
                for (ssize_t i = 0; i < got; i++)
                    if (!strchr("ABC", data[i]) && data[i] != 0) { add(&s->wrong); return; }
                if (before % 2 || before != after) return;
                add(&s->checked);
                int64_t expected = length < 0 ? -1 : device ? length : offset >= length ? 0
                    : length - offset < 300 ? length - offset : 300;
                int good = got == expected && (got >= 0 || error == EBADF);
                for (ssize_t i = 0; i < got; i++) good = good && data[i] == byte;
                if (!good) add(&s->wrong);
            }
            static void *reads(void *argument) {
                unsigned seed = (unsigned)(long)argument;
                while (!get(&s->over)) check(&seed);
                return 0;
            }
            static void *nothing(void *argument) { return argument; }
            static void fill(int file, char byte, int size) {
                static char data[SIZE];
                memset(data, byte, sizeof data);
                if (pwrite(file, data, size, 0) != size) exit(98);
            }
            static int made(char byte) {
                char name[] = "/tmp/raceXXXXXX";
                int file = mkstemp(name);
                unlink(name);
                fill(file, byte, SIZE);
                return file;
            }
            static void state(int64_t length, char byte) {
                __atomic_store_n(&s->length, length, __ATOMIC_SEQ_CST);
                __atomic_store_n(&s->byte, byte, __ATOMIC_SEQ_CST);
            }
            static void change(const char *way, int round) {
                int odd = round % 2;
                if (!strcmp(way, "dup2")) {
                    dup2(odd ? first : second, fd);
                    state(SIZE, odd ? 'A' : 'B');
                } else if (!strcmp(way, "close")) {
                    if (odd) { close(fd); state(-1, 0); }
                    else { if (dup2(round % 4 ? first : second, fd) < 0) exit(97); state(SIZE, round % 4 ? 'A' : 'B'); }
                } else if (!strcmp(way, "write")) {
                    fill(first, odd ? 'A' : 'C', SIZE);
                    state(SIZE, odd ? 'A' : 'C');
                } else if (!strcmp(way, "truncate")) {
                    if (odd) { if (ftruncate(first, round % 5000)) exit(96); state(round % 5000, 'A'); }
                    else { fill(first, 'A', SIZE); state(SIZE, 'A'); }
                } else if (!strcmp(way, "zeros")) {
                    dup2(open(odd ? "/dev/zero" : "/dev/null", O_RDWR), fd);
                    for (int i = fd + 1; i < fd + 64; i++) if (i != local) close(i);
                    state(odd ? 300 : 0, 0);
                } else if (!strcmp(way, "vfork")) {
                    // A child in the same memory makes of its own number what it likes.
                    if (vfork() == 0) { dup2(second, fd); char c; for (int i = 0; i < 60; i++) pread(fd, &c, 1, 0); _exit(c != 'B'); }
                    int status;
                    wait(&status);
                    if (status) add(&s->wrong);
                } else if (!strcmp(way, "clone")) {
                    // A process of its own that shares the descriptors.
                    int child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
                    if (child == 0) { dup2(odd ? first : second, fd); _exit(0); }
                    waitpid(child, 0, 0);
                    // With a new thread the kernel looks again who shares what.
                    pthread_t thread;
                    pthread_create(&thread, 0, nothing, 0);
                    pthread_join(thread, 0);
                    state(SIZE, odd ? 'A' : 'B');
                } else if (!strcmp(way, "unshare")) {
                    // A thread that has descriptors of its own from now on.
                    if (round == 50 && unshare(CLONE_FILES)) exit(95);
                    if (round < 50) { dup2(odd ? first : second, fd); state(SIZE, odd ? 'A' : 'B'); }
                    else dup2(second, fd);
                } else if (!strcmp(way, "fork")) {
                    int child = fork();
                    if (child == 0) { close(fd); fill(first, odd ? 'A' : 'C', SIZE); _exit(0); }
                    waitpid(child, 0, 0);
                    state(SIZE, odd ? 'A' : 'C');
                }
            }
            int main(int count, char **arguments) {
                const char *way = arguments[1];
                int processes = count == 3;
                s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
                first = count > 3 ? open(arguments[2], O_RDONLY) : made('A');
                second = count > 3 ? open(arguments[3], O_RDONLY) : made('B');
                fd = fcntl(first, F_DUPFD, 20);
                device = !strcmp(way, "zeros");
                state(SIZE, 'A');
                if (device) { dup2(open("/dev/null", O_RDWR), fd); state(0, 0); }
                pthread_t threads[READERS];
                pid_t children[READERS];
                for (long i = 0; i < READERS; i++) {
                    if (!processes) { pthread_create(&threads[i], 0, reads, (void *)i); continue; }
                    children[i] = fork();
                    if (children[i] == 0) { reads((void *)i); _exit(0); }
                }
                for (int round = 1; round <= CHANGES; round++) {
                    add(&s->count);
                    change(way, round);
                    add(&s->count);
                    unsigned seed = round;
                    for (int i = 0; i < 70 && (round < 50 || strcmp(way, "unshare")); i++) check(&seed);
                    for (uint64_t start = get(&s->reads); get(&s->reads) < start + BETWEEN;) sched_yield();
                }
                s->over = 1;
                for (int i = 0; i < READERS; i++)
                    if (processes) waitpid(children[i], 0, 0); else pthread_join(threads[i], 0);
                printf("%d %ld\\n", s->checked > CHANGES * 100, s->wrong);
                return 0;
            }
            """

        @Test(
            "a change that has returned holds for every read after it",
            arguments: [
                ["dup2"], ["close"], ["write"], ["truncate"], ["zeros"], ["vfork"], ["fork"], ["clone"], ["unshare"],
                ["write", "processes"], ["truncate", "processes"], ["dup2", "of the host"], ["close", "of the host"],
            ], [["taskset", "-c", "0"], []])
        func race(arguments: [String], wrapper: [String]) async throws {
            let folder = try Scratch.folder()
            defer { try? FileManager.default.removeItem(at: folder) }
            var arguments = arguments
            if arguments.last == "of the host" {
                arguments.removeLast()
                for byte in ["A", "B"] {
                    let file = folder.appendingPathComponent(byte)
                    try Data(String(repeating: byte, count: 12288).utf8).write(to: file)
                    arguments.append(file.path)
                }
            }
            let outcome = try await Programs.run(Self.race, arguments: arguments, wrapper: wrapper)
            #expect(outcome.output == "1 0\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }

        @Test("reads that the kernel has not seen are counted, watched, and move the time of access as others do")
        func accounts() async throws {
            let outcome = try await Programs.run(
                """
                #include <fcntl.h>
                #include <poll.h>
                #include <pthread.h>
                #include <stdio.h>
                #include <stdlib.h>
                #include <string.h>
                #include <sys/inotify.h>
                #include <sys/stat.h>
                #include <sys/wait.h>
                #include <unistd.h>
                static char data[5000];
                static int fd, null;
                static long counted(const char *name) {
                    char text[512] = "";
                    int file = open("/proc/self/io", O_RDONLY);
                    if (read(file, text, sizeof text - 1) < 0) return -1;
                    close(file);
                    char *at = strstr(text, name);
                    return at ? strtol(at + strlen(name), 0, 10) : -1;
                }
                static void *uses(void *argument) {
                    for (int i = 0; i < 1000; i++) pread(fd, data, 100, i), write(null, data, 10);
                    return 0;
                }
                int main(void) {
                    fd = open("/tmp/counted", O_RDWR | O_CREAT, 0600);
                    null = open("/dev/null", O_WRONLY);
                    if (write(fd, data, 5000) != 5000) return 1;
                    long calls = counted("syscr: "), bytes = counted("rchar: "), wrote = counted("wchar: "), writes = counted("syscw: ");
                    uses(0);
                    pthread_t thread;
                    for (int i = 0; i < 3; i++) { pthread_create(&thread, 0, uses, 0); pthread_join(thread, 0); }
                    calls = counted("syscr: ") - calls - 2;
                    // The first four lines that it read itself, and one more.
                    bytes = counted("rchar: ") - bytes;
                    printf("%ld %d %ld %ld\\n", calls / 100, bytes >= 400000 && bytes < 402000, counted("wchar: ") - wrote, counted("syscw: ") - writes);
                    // The watch comes when the descriptor is hot already.
                    int watch = inotify_init1(IN_NONBLOCK);
                    if (inotify_add_watch(watch, "/tmp/counted", IN_ACCESS) < 0) return 2;
                    pread(fd, data, 10, 0);
                    struct pollfd ready = {watch, POLLIN};
                    printf("%d ", poll(&ready, 1, 0));
                    close(watch);
                    struct stat before, after;
                    uses(0);
                    pwrite(fd, "x", 1, 0);
                    fstat(fd, &before);
                    uses(0);
                    fstat(fd, &after);
                    printf("%d ", after.st_atim.tv_sec * 1000000000l + after.st_atim.tv_nsec > before.st_mtim.tv_sec * 1000000000l + before.st_mtim.tv_nsec);
                    // What a child has read is its own, until it has been waited for.
                    long mine = counted("syscr: ");
                    if (fork() == 0) { long before = counted("syscr: "); uses(0); _exit((counted("syscr: ") - before) / 100); }
                    int status;
                    wait(&status);
                    printf("%d %ld\\n", WEXITSTATUS(status), (counted("syscr: ") - mine) / 100);
                    return 0;
                }
                """)
            #expect(outcome.output == "40 1 40000 4000\n1 1 10 10\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }

        /// What the kernel says of its descriptors is a guest's to overwrite, and so are the places where pages stand.
        @Test("a guest that forges what its stub reads fools itself and nobody else")
        func forged() async throws {
            let outcome = try await Programs.run(
                """
                #include <fcntl.h>
                #include <stdint.h>
                #include <stdio.h>
                #include <string.h>
                #include <sys/wait.h>
                #include <unistd.h>
                \(Programs.randomNumbers)
                int main(void) {
                    char data[4096] = "";
                    int fd = open("/tmp/forged", O_RDWR | O_CREAT, 0600), zero = open("/dev/zero", O_RDWR), status;
                    memset(data, 'x', sizeof data);
                    write(fd, data, sizeof data);
                    for (int i = 0; i < 100; i++) pread(fd, data, 4096, 0), read(zero, data, 1);
                    int died = 0;
                    for (int round = 0; round < 30; round++) {
                        pid_t child = fork();
                        if (child == 0) {
                            state += round * 977;
                            alarm(5);
                            for (int i = 0; i < 100; i++) pread(fd, data, 4096, 0), read(zero, data, 1);
                            volatile uint64_t *table = (uint64_t *)(0x7ef000100000ul + 0x3f00000);
                            for (int i = 0; i < 3000; i++) {
                                uint64_t entry = next() % 3 ? fd : zero;
                                uint64_t word = next() % 5;
                                uint64_t values[] = {0, ~0ul, 0x7ef000100000ul, 0x7ef100000000ul, next(), 1ul << next() % 64, 1, 0xffff888000000000ul};
                                table[entry * 8 + word] = values[next() % 8];
                                if (word == 0 && next() % 2) table[entry * 8] = (next() % 4) << 32 | 2;
                                pread(fd, data, next() % 4096, next() % 8192);
                                read(zero, data, next() % 4096);
                                write(zero, data, next() % 4096);
                                if (i % 500 == 0) { close(fd); open("/tmp/forged", O_RDWR); }
                            }
                            _exit(0);
                        }
                        waitpid(child, &status, 0);
                        died += !WIFEXITED(status);
                    }
                    // The parent's own is as it was.
                    memset(data, 0, sizeof data);
                    long got = pread(fd, data, 4096, 0);
                    printf("%ld %c%c ", got, data[0], data[4095]);
                    got = read(zero, data, 5);
                    printf("%ld %d\\n", got, data[0]);
                    return 0;
                }
                """)
            #expect(outcome.output == "4096 xx 5 0\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }
    }
}
