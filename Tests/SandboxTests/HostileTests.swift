import Foundation
import Testing

extension SandboxTests {
    /// Guests that mean harm, or have lost their way: they die or get their errno, and the kernel lives.
    @Suite("Hostile guests", .enabled(if: Programs.canCompile, "no C compiler"))
    struct Hostile {
        /// Runs one deed after the other, each in a child, and tells how each child ended: the kernel has to live to tell.
        static let deeds = """
            #include <stdio.h>
            #include <stdlib.h>
            #include <string.h>
            #include <sys/mman.h>
            #include <sys/wait.h>
            #include <unistd.h>
            static int overflow(volatile int depth) { volatile char room[4096]; room[0] = depth; return overflow(depth + 1) + room[0]; }
            int main(int count, char **words);
            __attribute__((noinline)) static void deed(const char *name) {
                if (!strcmp(name, "jump to 0")) ((void (*)(void))0)();
                if (!strcmp(name, "ud2")) __asm__("ud2");
                if (!strcmp(name, "int3")) __asm__("int3");
                if (!strcmp(name, "hlt")) __asm__("hlt");
                if (!strcmp(name, "sysenter")) __asm__("sysenter");
                if (!strcmp(name, "divide")) __asm__("xor %%ecx, %%ecx; xor %%edx, %%edx; mov $1, %%eax; div %%ecx" ::: "eax", "ecx", "edx");
                if (!strcmp(name, "stack overflow")) overflow(0);
                if (!strcmp(name, "write to code")) *(volatile char *)main = 0;
                if (!strcmp(name, "unmapped vsyscall")) ((void (*)(void))0xffffffffff600c00)();
                if (!strcmp(name, "non-canonical")) *(volatile char *)0x8000000000000000 = 0;
                if (!strcmp(name, "kernel address")) *(volatile char *)0xffffffff80000000 = 0;
                if (!strcmp(name, "stub code")) *(volatile char *)0x7ef000000000 = 0;
                if (!strcmp(name, "int 0x80")) {
                    long result = 20;
                    __asm__ volatile("int $0x80" : "+a"(result) :: "memory");
                    _exit(result == -38 ? 38 : 1);
                }
                if (!strcmp(name, "unmap everything")) munmap(0, 0x7ffffffff000);
                if (!strcmp(name, "abort")) abort();
            }
            int main(int count, char **words) {
                for (int i = 1; i < count; i++) {
                    pid_t child = fork();
                    if (child == 0) { deed(words[i]); _exit(0); }
                    int status;
                    if (waitpid(child, &status, 0) != child) return 1;
                    if (WIFSIGNALED(status)) printf("%s: signal %d\\n", words[i], WTERMSIG(status));
                    else printf("%s: exit %d\\n", words[i], WEXITSTATUS(status));
                    fflush(stdout);
                }
                return 0;
            }
            """

        @Test("wrong instructions and addresses are signals, and nothing more", arguments: ["trap", "ptrace"])
        func faults(platform: String) async throws {
            let expected: [(String, String)] = [
                ("jump to 0", "signal 11"), ("ud2", "signal 4"), ("int3", "signal 5"), ("hlt", "signal 11"),
                ("divide", "signal 8"), ("stack overflow", "signal 11"), ("write to code", "signal 11"),
                ("unmapped vsyscall", "signal 11"), ("non-canonical", "signal 11"), ("kernel address", "signal 11"),
                ("int 0x80", "exit 38"), ("abort", "signal 6"),
            ]
            let outcome = try await Programs.run(
                Self.deeds, options: ["--platform", platform], arguments: expected.map(\.0))
            #expect(outcome.output == expected.map { "\($0): \($1)\n" }.joined(), "\(outcome.errors)")
            #expect(outcome.status == 0)
        }

        @Test(
            "attacks on the stub end the attacker alone", arguments: ["sysenter", "stub code", "unmap everything"],
            ["trap", "ptrace"])
        func stub(deed: String, platform: String) async throws {
            let outcome = try await Programs.run(
                Self.deeds, options: ["--platform", platform], arguments: [deed, "divide"])
            // How it ends depends on the processor; that the next deed gets its turn is the point.
            #expect(outcome.output.hasPrefix("\(deed): "), "\(outcome.errors)")
            #expect(outcome.output.hasSuffix("\ndivide: signal 8\n"))
            #expect(outcome.status == 0)
        }

        @Test("wild pointers in every argument of every call are survived")
        func wildPointers() async throws {
            let outcome = try await Programs.run(Self.wild)
            #expect(outcome.output.hasSuffix("survived\n"), "\(outcome.output.suffix(300))\(outcome.errors)")
            #expect(outcome.status == 0)
        }

        /// Every call with many arguments, in a child for each number, since a call may end its caller, stop it or block it.
        /// First every pair of the values below, then the same plus pointers to real memory at random, with a fixed seed.
        static let wild = """
            #include <errno.h>
            #include <fcntl.h>
            #include <signal.h>
            #include <stdint.h>
            #include <stdio.h>
            #include <stdlib.h>
            #include <string.h>
            #include <sys/mman.h>
            #include <sys/syscall.h>
            #include <sys/wait.h>
            #include <unistd.h>
            static unsigned long memory[1024];
            static const unsigned long values[] = {
                0, 1, ~0UL, 0x1000, 0x7fffffffffff, 0x7eeffffff000, 0x7ef000000000, 0x7ef000100000, 0x8000000000000000UL,
                0xffffffff80000000UL, 4095, 0x7fffffff, 0x80000000, 0x7fffffffffffffff, 100,
                (unsigned long)memory, (unsigned long)memory + 4, (unsigned long)memory + 4096, 2, 3, 4, 8, 16, 64, -100UL,
            };
            static const int wildKinds = 15, kinds = sizeof values / sizeof *values;
            static uint64_t seed;
            static unsigned long any(void) {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                return values[seed % kinds];
            }
            static int skipped(int number) {
                // Those that end, limit or write to whoever is named: the parent could be.
                static const int skip[] = {62, 129, 200, 234, 297, 302, 311, 424};
                for (int i = 0; i < sizeof skip / sizeof *skip; i++) if (skip[i] == number) return 1;
                return 0;
            }
            static void attack(int number) {
                // A group of its own: what it signals is itself.
                setpgid(0, 0);
                for (int descriptor = 0; descriptor < 3; descriptor++) {
                    close(descriptor);
                    open("/dev/null", O_RDWR);
                }
                pid_t mine = syscall(SYS_getpid);
                for (int i = 0; i < wildKinds * wildKinds + 400; i++) {
                    unsigned long first = values[i % wildKinds], second = values[i / wildKinds % wildKinds];
                    if (i < wildKinds * wildKinds) {
                        syscall(number, first, second, values[(i + i / wildKinds) % wildKinds], first, second, first);
                    } else {
                        memset(memory, i, sizeof memory);
                        memory[i % 8] = any();
                        syscall(number, any(), any(), any(), any(), any(), any());
                    }
                    // No fork bomb: whom fork or a relative has made is done.
                    if (syscall(SYS_getpid) != mine) syscall(SYS_exit_group, 0);
                }
                _exit(0);
            }
            int main(int count, char **words) {
                int from = count > 1 ? atoi(words[1]) : 0, to = count > 1 ? from + 1 : 470;
                for (int number = from; number < to; number++) {
                    if (skipped(number)) continue;
                    seed = number + 1;
                    pid_t child = fork();
                    if (child == 0) attack(number);
                    int status, sleeps = 0;
                    while (waitpid(child, &status, WNOHANG) == 0 && ++sleeps < 50) usleep(10000);
                    kill(-child, SIGKILL);
                    kill(child, SIGKILL);
                    waitpid(child, &status, 0);
                }
                write(1, "survived\\n", 9);
                return 0;
            }
            """

        @Test("a fork bomb ends at the user's limit, and the kernel lives")
        func forkBomb() async throws {
            try #require(geteuid() == 0, "only root can become another user")
            let folder = try Scratch.folder()
            defer { try? FileManager.default.removeItem(at: folder) }
            let source = """
                #include <errno.h>
                #include <signal.h>
                #include <stdio.h>
                #include <stdlib.h>
                #include <sys/wait.h>
                #include <unistd.h>
                int main(void) {
                    pid_t children[1000];
                    int count = 0;
                    while (count < 1000) {
                        pid_t child = fork();
                        if (child < 0) break;
                        if (child == 0) { fork(); for (;;) pause(); }
                        children[count++] = child;
                    }
                    printf("%s\\n", count < 1000 && errno == EAGAIN ? "EAGAIN" : "no end");
                    signal(SIGTERM, SIG_IGN);
                    kill(0, SIGTERM);
                    for (int i = 0; i < count; i++) waitpid(children[i], 0, 0);
                    puts(system("true") == 0 ? "alive" : "dead");
                    return 0;
                }
                """
            let program = try Programs.compile(source, in: folder)
            // The host's limit counts the user's processes: those of the sandbox, too.
            let outcome = try await Guest.run(
                [program], wrapper: ["prlimit", "--nproc=150", "setpriv", "--reuid=54321", "--clear-groups"])
            #expect(outcome.output == "EAGAIN\nalive\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }

        @Test(
            "the corpus's adversarial programs end, and the sandbox lives",
            .enabled(if: !adversarial.isEmpty, "there is no corpus/adversarial"), arguments: adversarial)
        func corpus(file: String) async throws {
            let folder = try Scratch.folder()
            defer { try? FileManager.default.removeItem(at: folder) }
            let program = try Programs.compile(
                file: file, flags: ["-I\(URL(fileURLWithPath: file).deletingLastPathComponent().path)/../include"],
                in: folder)
            let outcome = try await Guest.run(["bash", "-c", "\(program); echo alive"])
            #expect(outcome.output.hasSuffix("alive\n"), "\(outcome.errors)")
            #expect(outcome.status == 0)
        }

        static let adversarial: [String] = {
            let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("corpus/adversarial")
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
            return names.filter { $0.hasSuffix(".c") }.sorted().map { folder.appendingPathComponent($0).path }
        }()
    }
}
