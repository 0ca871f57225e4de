import Foundation
import Testing

extension SandboxTests {
    /// Without a trace, as in use: stubs then map and unmap memory by themselves, which a traced corpus never does.
    @Suite("Memory without asking", .enabled(if: Programs.canCompile, "no C compiler"))
    struct Mappings {
        @Test(
            "cases of the corpus print what they print natively",
            arguments: [
                "memory/mapped_again_and_again", "memory/mmap_fixed", "memory/mremap_moves", "memory/many_areas",
                "memory/mincore_and_locks", "memory/madvise_effects", "memory/locked_memory",
                "memory/kept_from_children", "memory/copy_on_write", "memory/brk_moves",
            ], [["taskset", "-c", "0"], []])
        func corpus(name: String, wrapper: [String]) async throws {
            try await Programs.expectAgreement(on: name, wrapper: wrapper, files: ["file": "0123456789"])
        }

        static let head =
            Programs.headers + """
                enum { PAGE = 4096, PIECE = 65536 };
                static char *room(long size) {
                    return mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                }
                static void heat(void) { for (int i = 0; i < 40; i++) munmap(room(PIECE), PIECE); }

                """

        @Test(
            "another process sees each change that one hears of without the kernel",
            arguments: [["taskset", "-c", "0"], []])
        func observed(wrapper: [String]) async throws {
            try await Programs.expectNothingWrong(
                Self.head + """
                    enum { ROUNDS = 400 };
                    struct shared { int step, seen, wrong; char *place; };
                    static struct shared *s;
                    \(Programs.steps)
                    static int isListed(pid_t process, char *place) {
                        static char text[1 << 17];
                        char name[64];
                        snprintf(name, sizeof name, "/proc/%d/maps", process);
                        int fd = open(name, O_RDONLY), got, length = 0;
                        while ((got = read(fd, text + length, sizeof text - 1 - length)) > 0) length += got;
                        close(fd);
                        text[length] = 0;
                        for (char *line = text; *line; line = strchr(line, '\\n') + 1) {
                            unsigned long start, end;
                            if (sscanf(line, "%lx-%lx", &start, &end) != 2) break;
                            if (start <= (unsigned long)place && (unsigned long)place < end) return 1;
                        }
                        return 0;
                    }
                    static int byteOf(pid_t process, char *place) {
                        char byte = 0;
                        struct iovec own = {&byte, 1}, its = {place, 1};
                        return process_vm_readv(process, &own, 1, &its, 1, 0) == 1 ? byte : -1;
                    }
                    int main(void) {
                        s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
                        if (fork() == 0) {
                            for (int step = 1; step <= ROUNDS * 2; step++) {
                                while (get(&s->step) != step) sched_yield();
                                int there = step % 2;
                                if (isListed(getppid(), s->place) != there) s->wrong++;
                                if (byteOf(getppid(), s->place) != (there ? 'z' : -1)) s->wrong++;
                                set(&s->seen, step);
                            }
                            _exit(0);
                        }
                        heat();
                        for (int i = 0; i < ROUNDS; i++) {
                            char *place = room(PIECE);
                            *(s->place = place + PAGE * (i % 16)) = 'z';
                            next(2 * i + 1);
                            if (i % 3 ? munmap(place, PIECE) : munmap(s->place, PAGE)) s->wrong++;
                            next(2 * i + 2);
                            munmap(place, PIECE);
                        }
                        wait(0);
                        printf("%d\\n", s->wrong);
                        return 0;
                    }
                    """, wrapper: wrapper)
        }

        @Test(
            "threads that begin between any two changes never get what another one has",
            arguments: [["taskset", "-c", "0"], []])
        func threads(wrapper: [String]) async throws {
            try await Programs.expectNothingWrong(
                Self.head + """
                    static int wrong;
                    static void *maps(void *mark) {
                        char *kept[12];
                        for (int i = 0; i < 40; i++) {
                            for (int k = 0; k < 12; k++) memset(kept[k] = room(PAGE * (1 + k % 5)), (int)(long)mark, PAGE);
                            for (int k = 0; k < 12; k++) {
                                for (int b = 0; b < PAGE; b += 512)
                                    if (kept[k][b] != (char)(long)mark) __atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
                                if (munmap(kept[k], PAGE * (1 + k % 5))) __atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
                            }
                        }
                        return 0;
                    }
                    int main(void) {
                        pthread_attr_t attributes;
                        pthread_attr_init(&attributes);
                        // From the cache of the C library, or mapped anew.
                        pthread_attr_setstacksize(&attributes, 65536);
                        for (int round = 0; round < 60; round++) {
                            pthread_t thread;
                            heat();
                            char *kept = room(PIECE);
                            kept[7] = 'k';
                            pthread_create(&thread, &attributes, maps, (void *)1);
                            maps((void *)2);
                            pthread_join(thread, 0);
                            if (kept[7] != 'k' || munmap(kept, PIECE)) wrong++;
                        }
                        printf("%d\\n", wrong);
                        return 0;
                    }
                    """, wrapper: wrapper)
        }

        @Test(
            "handlers and children between any two calls find memory as it is",
            arguments: [["taskset", "-c", "0"], []])
        func interrupted(wrapper: [String]) async throws {
            let outcome = try await Programs.run(
                Self.head + """
                    static volatile int wrong, handled;
                    static int isThere(char *place) { unsigned char byte; return mincore(place, PAGE, &byte) == 0; }
                    static void handler(int signal) {
                        int saved = errno;
                        char *first = room(3 * PAGE), *second = room(PIECE);
                        first[0] = second[0] = 'h';
                        if (munmap(second, PIECE) || munmap(first + PAGE, PAGE) || first[0] != 'h') wrong++;
                        if (handled % 16 == 0 && (!isThere(first) || isThere(first + PAGE) || isThere(second))) wrong++;
                        if (munmap(first, 3 * PAGE)) wrong++;
                        handled++;
                        errno = saved;
                    }
                    int main(void) {
                        struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
                        sigaction(SIGALRM, &action, 0);
                        // Longer than a handler and a fork take with a slow kernel, or neither would ever end.
                        struct itimerval often = {{0, 3000}, {0, 3000}}, never = {};
                        heat();
                        int children = 0;
                        setitimer(ITIMER_REAL, &often, 0);
                        for (int i = 0; i < 20000 || handled < 200; i++) {
                            char *place = room(PIECE), *other = room(PAGE * (1 + i % 9));
                            place[0] = 'p', other[0] = 'o';
                            if (munmap(place + 4 * PAGE, PAGE)) wrong++;
                            if (i % 200 == 0) {
                                int result;
                                pid_t child = fork();
                                if (child == 0) {
                                    int fine = place[0] == 'p' && other[0] == 'o' && !isThere(place + 4 * PAGE);
                                    for (int k = 0; k < 30; k++) {
                                        char *own = room(PIECE);
                                        fine &= own != place && own[0] == 0;
                                        own[0] = 'c';
                                        fine &= munmap(own, PIECE) == 0;
                                    }
                                    _exit(!(fine && munmap(place, PIECE) == 0 && !isThere(place) && other[0] == 'o'));
                                }
                                while (waitpid(child, &result, 0) < 0) {}
                                if (result) wrong++;
                                children++;
                            }
                            if (place[0] != 'p' || munmap(place, PIECE) || munmap(other, PAGE * (1 + i % 9))) wrong++;
                        }
                        setitimer(ITIMER_REAL, &never, 0);
                        printf("%d %d\\n", wrong, children >= 100);
                        return 0;
                    }
                    """, wrapper: wrapper)
            #expect(outcome.output == "0 1\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }

        /// What was told and posted is a guest's to overwrite.
        @Test("a guest that forges gaps, areas and posted changes harms only itself")
        func forged() async throws {
            let outcome = try await Programs.run(
                Self.head + """
                    \(Programs.randomNumbers)
                    int main(void) {
                        volatile uint32_t *words = (uint32_t *)(0x7ef000100000ul + 0x3f20800);
                        volatile uint64_t *table = (uint64_t *)words;
                        char *kept = room(PIECE);
                        kept[9] = 'k';
                        int status, beyond = 0;
                        for (int round = 0; round < 40; round++) {
                            pid_t child = fork();
                            if (child == 0) {
                                state += round * 977;
                                alarm(10);
                                heat();
                                uint64_t places[] = {0, 4096, 65536, (uint64_t)main & -4096ul, (uint64_t)kept, (uint64_t)&state & -4096ul,
                                    0x7ef000000000, 0x7ef000100000, 0x7ef004100000, 0x7ef100000000, 0x7fffffffe000, ~0xffful, 1ul << 63};
                                for (int i = 0; i < 2000; i++) {
                                    uint64_t values[] = {places[next() % 13], places[next() % 13] + (next() % 64 << 12), next(),
                                        next() % 65536, next() % 100 << 12, ~0ul, places[next() % 13] | next() % 128};
                                    // Posts, or also gaps and areas.
                                    table[8 + next() % (round % 2 ? 152 : 48)] = values[next() % 7];
                                    if (next() % 2) words[0] += next() % 24;
                                    if (next() % 4 == 0) words[1] = next() % 3 ? next() % 17 : next();
                                    if (i % 5 == 0) getppid();
                                    if (i % 11 == 0) {
                                        // What the kernel knows of lies where guests' memory does.
                                        char line[300];
                                        FILE *maps = fopen("/proc/self/maps", "r");
                                        while (maps && fgets(line, sizeof line, maps)) {
                                            unsigned long start, end;
                                            if (sscanf(line, "%lx-%lx", &start, &end) == 2 && start < end && end > 0x7ef000000000
                                                && !strstr(line, "vsyscall"))
                                                _exit(77);
                                        }
                                        if (maps) fclose(maps);
                                    }
                                    if (i % 3 == 0) munmap(room(PIECE), PIECE);
                                    if (i % 50 == 0) heat();
                                }
                                _exit(0);
                            }
                            waitpid(child, &status, 0);
                            if (WIFEXITED(status) && WEXITSTATUS(status) == 77) beyond++;
                        }
                        // The parent's own is as it was.
                        int mark = kept[9];
                        printf("%d %d %d\\n", beyond, mark, munmap(kept, PIECE));
                        return 0;
                    }
                    """)
            #expect(outcome.output == "0 107 0\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }
    }
}
