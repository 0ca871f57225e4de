import Foundation
import LinuxABI
import Testing
import TraceModel

@testable import Trace

@Suite("the native tracer", .enabled(if: TestPrograms.compiler != nil, "skipped: no C compiler"), .serialized)
struct NativeTracerTests {
    @Test("starts with the execve and ends with the process's exit")
    func wholeRun() throws {
        let (events, run) = try TestPrograms.trace("int main(void) { return 7; }")
        #expect(run.status.exitCode == 7)
        #expect(events.map(\.sequence) == Array(0..<UInt64(events.count)))
        guard case .unfinished(let call, .replaced) = events[0].kind, case .exec(let path, _) = events[1].kind else {
            Issue.record("no execve first: \(events.prefix(2))")
            return
        }
        #expect(call.number == 59)
        #expect(call.payloads.map(\.part) == [.string, .strings, .strings])
        #expect(String(decoding: path, as: UTF8.self).hasSuffix("/program"))
        guard case .unfinished(let last, .ended) = events[events.count - 3].kind else {
            Issue.record("no exit_group near the end")
            return
        }
        #expect(last.number == 231)
        #expect(events[events.count - 2].kind == .exit(WaitStatus(exitCode: 7)))
        #expect(events[events.count - 1].kind == .processExit(WaitStatus(exitCode: 7)))
    }

    @Test("captures what goes in and what comes out, and says when it was cut")
    func payloads() throws {
        var options = TestPrograms.quick
        options.planner.limit = 8
        let (events, _) = try TestPrograms.trace(
            """
            #include <unistd.h>
            #include <fcntl.h>
            #include <sys/uio.h>
            int main(void) {
                int ends[2]; pipe2(ends, 0);
                write(ends[1], "0123456789", 10);
                char first[3], second[20];
                struct iovec vector[2] = {{first, 3}, {second, 20}};
                readv(ends[0], vector, 2);
                write(-1, "lost", 4);
                read(-1, first, 3);
                open("/nonexistent", O_RDONLY);
                write(1, (char *)16, 5);
                return 0;
            }
            """, options: options)
        let pipe = try #require(events.calls(293).first)
        #expect(pipe.call.payloads.first?.bytes.count == 8)
        let writes = events.calls(1)
        #expect(writes[0].call.payloads.first?.bytes == Array("01234567".utf8))
        #expect(writes[0].call.payloads.first?.fullLength == 10)
        #expect(writes[1].result == -9)
        #expect(writes[1].call.payloads.first?.bytes == Array("lost".utf8))
        #expect(writes[2].call.payloads.first?.isReadable == false)
        let vector = try #require(events.calls(19).first)
        #expect(vector.call.payloads.map(\.part) == [.vector, .content])
        #expect(vector.call.payloads.last?.bytes == Array("01234567".utf8))
        #expect(vector.call.payloads.last?.fullLength == 10)
        let failed = try #require(events.calls(0).last)
        #expect(failed.result == -9)
        #expect(failed.call.payloads.isEmpty)
        let path = events.calls(257).last?.call.payloads.first
        #expect(path?.part == .string)
        #expect(path?.bytes == Array("/nonexis".utf8))
        #expect(path?.isTruncated == true)
    }

    @Test("loses no event of 64 threads")
    func manyThreads() throws {
        let (events, run) = try TestPrograms.trace(
            """
            #include <pthread.h>
            #include <sys/syscall.h>
            #include <unistd.h>
            static void *work(void *unused) {
                for (int i = 0; i < 250; i++) syscall(SYS_getppid);
                return unused;
            }
            int main(void) {
                pthread_t threads[64];
                for (int i = 0; i < 64; i++) pthread_create(&threads[i], 0, work, 0);
                for (int i = 0; i < 64; i++) pthread_join(threads[i], 0);
                return 0;
            }
            """)
        #expect(run.status.exitCode == 0)
        let calls = events.calls(110)
        #expect(calls.count == 64 * 250)
        let perThread = Dictionary(grouping: calls, by: \.thread)
        #expect(perThread.count == 64)
        #expect(perThread.values.allSatisfy { $0.count == 250 })
        #expect(events.clones.count == 64)
        #expect(events.clones.allSatisfy { $0.process == events[0].process })
        let exits = events.exits { if case .exit(let status) = $0 { status } else { nil } }
        #expect(exits.count == 65)
    }

    @Test("puts the clone edge before the child's first event and before the parent's call")
    func edgesFirst() throws {
        let (events, run) = try TestPrograms.trace(
            """
            #include <unistd.h>
            #include <sys/wait.h>
            int main(void) {
                for (int i = 0; i < 20; i++) {
                    int child = fork();
                    if (child == 0) _exit(i);
                    int status;
                    waitpid(child, &status, 0);
                    if (WEXITSTATUS(status) != i) return 1;
                }
                return 0;
            }
            """)
        #expect(run.status.exitCode == 0)
        #expect(events.clones.count == 20)
        for edge in events.clones {
            let made = events.firstIndex { $0.kind == .clone(edge) }
            let first = events.firstIndex { $0.thread == edge.child }
            let call = events.firstIndex {
                if case .call(_, let result) = $0.kind { result.rawValue == Int64(edge.child) } else { false }
            }
            let ended = events.firstIndex {
                if case .processExit = $0.kind { $0.thread == edge.child } else { false }
            }
            let waited = events.lastIndex {
                if case .call(let call, let result) = $0.kind {
                    call.number == 61 && result.rawValue == Int64(edge.child)
                } else {
                    false
                }
            }
            #expect(try #require(made) < #require(first))
            #expect(try #require(made) < #require(call))
            #expect(try #require(ended) < #require(waited))
        }
    }

    @Test("follows vfork into another program and back")
    func vforkAndExec() throws {
        let (events, run) = try TestPrograms.trace(
            """
            #include <unistd.h>
            #include <sys/wait.h>
            int main(void) {
                int child = vfork();
                if (child == 0) { execl("/bin/true", "true", (char *)0); _exit(127); }
                int status;
                return waitpid(child, &status, 0) == child && status == 0 ? 0 : 1;
            }
            """)
        #expect(run.status.exitCode == 0)
        let paths = events.compactMap { event -> String? in
            guard case .exec(let path, _) = event.kind else { return nil }
            return String(decoding: path, as: UTF8.self)
        }
        #expect(paths.count == 2)
        #expect(paths.last == "/bin/true")
        #expect(events.clones.first?.flags == 0x4111)
    }

    @Test("follows an execve by a thread that is not the leader")
    func execFromThread() throws {
        let (events, run) = try TestPrograms.trace(
            """
            #include <pthread.h>
            #include <unistd.h>
            static void *idle(void *unused) { pause(); return unused; }
            static void *work(void *unused) { execl("/bin/true", "true", (char *)0); return unused; }
            int main(void) {
                pthread_t thread;
                pthread_create(&thread, 0, idle, 0);
                pthread_create(&thread, 0, work, 0);
                pause();
            }
            """)
        #expect(run.status.exitCode == 0)
        let leader = events[0].thread
        let exec = try #require(
            events.last { if case .exec = $0.kind { true } else { false } })
        guard case .exec(_, let former) = exec.kind else { return }
        #expect(exec.thread == leader)
        #expect(former != leader)
        #expect(events.clones.map(\.child).contains(former))
        let exits = events.filter { if case .exit = $0.kind { true } else { false } }
        // The idle thread, the old leader, and the new program.
        #expect(exits.count == 3)
    }

    @Test("passes signals on, and shows who sent them")
    func signals() throws {
        let (events, run) = try TestPrograms.trace(
            """
            #include <signal.h>
            #include <unistd.h>
            static volatile int seen;
            static void on(int number) { seen += number; }
            int main(void) {
                signal(SIGUSR1, on);
                for (int i = 0; i < 5; i++) kill(getpid(), SIGUSR1);
                union sigval value = {.sival_int = 42};
                sigqueue(getpid(), SIGUSR1, value);
                return seen == 6 * SIGUSR1 ? 0 : 1;
            }
            """)
        #expect(run.status.exitCode == 0)
        #expect(events.signals.map(\.number) == Array(repeating: 10, count: 6))
        #expect(events.signals.allSatisfy { $0.sender == events[0].process })
        #expect(events.signals.last?.value == 42)
        #expect(events.calls(15).count == 6)
    }

    @Test("shows a fault's address and the death that follows")
    func crash() throws {
        let (events, run) = try TestPrograms.trace("int main(void) { *(volatile int *)0x1234 = 1; }")
        #expect(run.status.signal == 11)
        #expect(events.signals.last == TracedSignal(number: 11, code: 1, address: 0x1234))
    }

    @Test("shows a call that was killed as unfinished")
    func killedInCall() throws {
        let (events, run) = try TestPrograms.trace(
            """
            #include <signal.h>
            #include <unistd.h>
            #include <sys/wait.h>
            int main(void) {
                int child = fork();
                if (child == 0) for (;;) pause();
                usleep(50000);
                kill(child, SIGKILL);
                int status;
                waitpid(child, &status, 0);
                return WTERMSIG(status) == SIGKILL ? 0 : 1;
            }
            """)
        #expect(run.status.exitCode == 0)
        #expect(
            events.contains {
                if case .unfinished(let call, .killed) = $0.kind { call.number == 34 } else { false }
            })
        #expect(events.contains { $0.kind == .processExit(WaitStatus(signal: 9)) })
    }

    @Test("keeps a stopped group stopped until it is continued")
    func groupStop() throws {
        let (events, run) = try TestPrograms.trace(
            """
            #include <signal.h>
            #include <unistd.h>
            #include <sys/wait.h>
            int main(void) {
                int go[2];
                char byte;
                if (pipe(go)) return 5;
                int child = fork();
                if (child == 0) { raise(SIGSTOP); read(go[0], &byte, 1); _exit(3); }
                int status;
                waitpid(child, &status, WUNTRACED);
                if (!WIFSTOPPED(status)) return 1;
                if (waitpid(child, &status, WNOHANG) != 0) return 2;
                kill(child, SIGCONT);
                waitpid(child, &status, WCONTINUED);
                if (!WIFCONTINUED(status)) return 3;
                write(go[1], "", 1);
                waitpid(child, &status, 0);
                return WIFEXITED(status) && WEXITSTATUS(status) == 3 ? 0 : 4;
            }
            """)
        #expect(run.status.exitCode == 0)
        #expect(events.contains { $0.kind == .stopped(signal: 19) })
        #expect(events.signals.map(\.number).contains(18))
    }

    @Test("kills everything when time is up, and says what each thread was doing")
    func timeout() throws {
        func arePausing(_ run: NativeRun) -> Bool {
            run.threads.count == 2 && run.threads.allSatisfy { $0.call == "pause" && $0.name == "program" }
        }
        let (events, run) = try TestPrograms.traceToLimit(
            """
            #include <unistd.h>
            int main(void) { fork(); for (;;) pause(); }
            """, isThere: arePausing)
        #expect(run.timedOut)
        #expect(run.status.signal == 9)
        #expect(arePausing(run), "\(run.threads)")
        #expect(!events.isEmpty)
    }

    @Test("kills everything with the time limit, however fast it multiplies")
    func forkStorm() throws {
        var options = TestPrograms.quick
        options.timeout = 300
        let (events, run) = try TestPrograms.trace(
            """
            #include <unistd.h>
            #include <sys/wait.h>
            int main(void) {
                for (;;) { if (fork() == 0) { if (fork() == 0) pause(); _exit(0); } wait(0); }
            }
            """, options: options)
        #expect(run.timedOut)
        let processes = Set(events.map(\.process))
        #expect(!processes.contains { FileManager.default.fileExists(atPath: "/proc/\($0)/fd/0") })
    }

    @Test("gives the program a session of its own if asked to", arguments: [true, false])
    func session(isOwn: Bool) throws {
        let script = "read -r process name state parent group session rest < /proc/$$/stat; [ $session = $$ ]"
        var command = NativeTracer.Command("/bin/sh", ["-c", script])
        command.environment = ["PATH=/usr/bin:/bin"]
        command.startsSession = isOwn
        let run = try NativeTracer(options: TestPrograms.quick).run(command) { _ in }
        #expect(run.status.exitCode == (isOwn ? 0 : 1))
    }

    @Test("tells a call of another ABI from those of the table")
    func foreign() throws {
        let (events, _) = try TestPrograms.trace(
            """
            int main(void) { int result; __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory"); return 0; }
            """)
        // A kernel without IA-32 emulation answers by a signal.
        #expect(events.calls(TracedCall.foreignBase + 20).count == 1 || events.signals.first?.number == 11)
    }

    @Test("says why a program can't be run")
    func cannotStart() throws {
        let error = #expect(throws: TraceError.self) { try TestPrograms.trace("/nonexistent/program", []) }
        #expect(error?.code == .cannotStart)
        #expect(error?.sentence.contains("ENOENT") == true)
        let unknown = #expect(throws: TraceError.self) { try TestPrograms.trace("no-such-program-anywhere", []) }
        #expect(unknown?.code == .commandNotFound)
    }

    @Test("stops with the sink's error and leaves nothing behind")
    func sinkFails() throws {
        struct Full: Error {}
        let null = try #require(FileHandle(forUpdatingAtPath: "/dev/null"))
        var command = NativeTracer.Command("/bin/sleep", ["1000"], environment: [])
        command.standardOutput = null.fileDescriptor
        var process: Int32 = 0
        #expect(throws: Full.self) {
            _ = try NativeTracer(options: TestPrograms.quick).run(command) { event in
                process = event.process
                if event.sequence == 5 { throw Full() }
            }
        }
        #expect(!FileManager.default.fileExists(atPath: "/proc/\(process)"))
    }

    @Test("gives the program no descriptors but the standard ones, and default signals")
    func cleanStart() throws {
        let (_, run) = try TestPrograms.trace(
            """
            #include <fcntl.h>
            #include <signal.h>
            #include <unistd.h>
            #include <sys/prctl.h>
            int main(void) {
                for (int i = 3; i < 1000; i++) if (fcntl(i, F_GETFD) >= 0) return 1;
                sigset_t mask;
                sigprocmask(SIG_SETMASK, 0, &mask);
                for (int i = 1; i < 65; i++) if (sigismember(&mask, i) == 1) return 2;
                int signal = -1;
                prctl(PR_GET_PDEATHSIG, &signal);
                return signal == 0 ? 0 : 3;
            }
            """)
        #expect(run.status.exitCode == 0)
    }
}
