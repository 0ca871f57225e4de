import Foundation
import HostSystem
import Testing

extension SandboxTests {
    /// The sandbox keeps memory in files, which `RLIMIT_FSIZE` of its caller counts as well.
    @Suite("A limit of file sizes", .enabled(if: Programs.canCompile, "no C compiler"))
    struct FileSizes {
        /// Tells its limits, what they do to its files, and that they do nothing to its memory; dies of SIGXFSZ.
        private static let source = """
            #include <errno.h>
            #include <fcntl.h>
            #include <signal.h>
            #include <stdio.h>
            #include <sys/mman.h>
            #include <sys/resource.h>
            #include <sys/sendfile.h>
            #include <unistd.h>
            static volatile int signals;
            static void handler(int number) { signals += number == SIGXFSZ; }
            static void show(const char *what, long value) {
                printf("%s: %ld, errno %d, signals %d\\n", what, value, value < 0 ? errno : 0, signals);
                fflush(stdout);
            }
            int main(int count, char **words) {
                static char data[6000];
                struct rlimit limit;
                getrlimit(RLIMIT_FSIZE, &limit);
                show("soft", limit.rlim_cur);
                signal(SIGXFSZ, handler);
                int file = open(words[1], O_RDWR | O_CREAT | O_TRUNC, 0600), from = open(words[0], O_RDONLY);
                show("write", write(file, data, sizeof data));
                show("write that is cut", write(file, data, sizeof data));
                show("write at the limit", write(file, data, 1));
                show("pwrite", pwrite(file, data, 1, 1 << 20));
                show("ftruncate", ftruncate(file, 1 << 20));
                show("fallocate", posix_fallocate(file, 0, 1 << 20));
                lseek(file, 8000, SEEK_SET);
                show("sendfile that is cut", sendfile(file, from, 0, 4096));
                show("sendfile at the limit", sendfile(file, from, 0, 4096));
                char *shared = mmap(0, 96 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
                show("shared memory", shared == MAP_FAILED);
                shared[(96 << 20) - 1] = 1;
                if (fork() == 0) _exit(0);
                signal(SIGXFSZ, SIG_DFL);
                write(file, data, 1);
                return 0;
            }
            """

        private static func limited(_ options: String) -> [String] {
            ["bash", "-c", "ulimit -c 0; ulimit \(options); exec \"$@\"", "-"]
        }

        @Test("that can be raised holds for the guest's files only", arguments: ["trap", "ptrace"])
        func soft(platform: String) async throws {
            let folder = try Scratch.folder()
            defer { try? FileManager.default.removeItem(at: folder) }
            let program = try Programs.compile(Self.source, in: folder)
            let wrapper = Self.limited("-S -f 8")
            let native = try await Guest(
                starting: wrapper + [program, folder.appendingPathComponent("native").path]
            ).wait()
            let inMemory = try await Guest.run(
                [program, "/tmp/file"], options: ["--platform", platform], wrapper: wrapper)
            let bound = try await Guest.run(
                [program, "/mnt/bound"], options: ["--platform", platform, "--bind", "\(folder.path):/mnt"],
                wrapper: wrapper)
            #expect(native.status == 128 + 25)
            #expect(native.output.contains("soft: 8192,"))
            for outcome in [inMemory, bound] {
                #expect(outcome.output == native.output, "\(outcome.errors)")
                #expect(outcome.status == native.status)
                #expect(outcome.errors == native.errors)
            }
            let sizes = try ["native", "bound"].map {
                try FileManager.default.attributesOfItem(atPath: folder.appendingPathComponent($0).path)[.size] as? Int
            }
            #expect(sizes == [8192, 8192])
        }

        @Test(
            "that nobody may raise is told, with what helps; if not even that can be written, the status tells",
            arguments: ["trap", "ptrace"], [8, 0])
        func hard(platform: String, kibibytes: Int) async throws {
            let user = geteuid() == 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
            let outcome = try await Guest.run(
                ["true"], options: ["--platform", platform], wrapper: Self.limited("-f \(kibibytes)") + user)
            #expect(outcome.status == 125)
            guard kibibytes > 0 else { return }
            #expect(outcome.errors.contains("8192 bytes") && outcome.errors.contains("ulimit -Hf"), "\(outcome.errors)")
            #expect(!outcome.errors.contains("seccomp") && !outcome.errors.contains("ptrace("))
        }

        @Test(
            "that the caller may raise does not hinder the sandbox, and holds for the guest",
            .enabled(if: Host.capabilities.effective >> 24 & 1 != 0, "needs CAP_SYS_RESOURCE"))
        func privileged() async throws {
            let outcome = try await Guest.run(["bash", "-c", "ulimit -Hf"], wrapper: Self.limited("-f 8"))
            #expect(outcome.output == "8\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }
    }
}
