import Foundation
import LinuxABI
import Testing
import TraceModel

@testable import Trace

/// What many threads at once do to the tracer: they starve each other, die before they are announced, die in silence.
@Suite("thread storms", .enabled(if: TestPrograms.compiler != nil, "skipped: no C compiler"), .serialized)
struct ThreadStormTests {
    @Test("every thread has its turn, however fast the others stop again")
    func fairness() throws {
        var turns = 0
        let (_, run) = try TestPrograms.trace(
            """
            #include <pthread.h>
            #include <sys/syscall.h>
            #include <sys/wait.h>
            #include <unistd.h>
            static void *spin(void *unused) { for (;;) syscall(SYS_getppid); return unused; }
            int main(void) {
                pthread_t thread;
                int status;
                // wait(2) looks at the tracer's own child first: it must not be the one that starves.
                if (fork() != 0) return wait(&status) < 0 ? 1 : WEXITSTATUS(status);
                for (int i = 0; i < 12; i++) pthread_create(&thread, 0, spin, 0);
                for (int i = 0; i < 200; i++) syscall(SYS_getuid);
                _exit(6);
            }
            """
        ) { event in
            // Meanwhile all that have been resumed stop again. Each is served at once while it enters its call, and before
            // those that are older than itself: a tracer that is not fair comes to the leader once in thousands of turns.
            if case .call(let call, _) = event.kind, call.number == 110 {
                usleep(200)
                turns += 1
            }
        }
        #expect(!run.timedOut)
        #expect(run.status.exitCode == 6)
        #expect(turns > 0)
    }

    @Test(
        "a process that dies amid the making of threads is reaped, and each of its threads ends once",
        arguments: ["kill", "exec", "exit", "fault"])
    func death(way: String) throws {
        let (events, run) = try TestPrograms.trace(Self.storm, arguments: [way, "40"])
        #expect(!run.timedOut, "\(run.threads)")
        #expect(run.status.exitCode == 0)
        let objections = TraceRules.objections(to: events)
        #expect(objections.isEmpty, "\(objections.prefix(5))")
        #expect(events.count { if case .processExit = $0.kind { true } else { false } } == 41)
    }

    /// Argument 1 says how children end that make threads as fast as they can; argument 2 how many there are.
    static let storm = """
        #include <pthread.h>
        #include <signal.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/wait.h>
        #include <unistd.h>
        static const char *way;
        static volatile int delay;
        static void *idle(void *unused) { for (;;) usleep(200); return unused; }
        static void *maker(void *level) {
            pthread_attr_t small;
            pthread_t thread;
            pthread_attr_init(&small);
            pthread_attr_setstacksize(&small, 65536);
            for (int i = 0; i < 40; i++) pthread_create(&thread, &small, idle, 0);
            for (;;) pause();
            return level;
        }
        static void *last(void *unused) {
            usleep(delay);
            if (!strcmp(way, "exec")) execl("/bin/sh", "sh", "-c", "exit 9", (char *)0);
            if (!strcmp(way, "exit")) _exit(9);
            if (!strcmp(way, "fault")) *(volatile char *)16 = 1;
            return unused;
        }
        int main(int count, char **words) {
            way = words[1];
            for (int i = 0; i < atoi(words[2]); i++) {
                delay = i * 100;
                int child = fork();
                if (child == 0) {
                    pthread_t thread;
                    pthread_create(&thread, 0, last, 0);
                    pthread_create(&thread, 0, maker, 0);
                    maker(0);
                }
                int status;
                if (!strcmp(way, "kill")) {
                    usleep(5 * delay);
                    // The second one meets threads that are on their way out, and sends them off without a word.
                    kill(child, SIGKILL);
                    kill(child, SIGKILL);
                }
                if (waitpid(child, &status, 0) != child) return 1;
                if (!strcmp(way, "kill") && WTERMSIG(status) != SIGKILL) return 2;
                if (!strcmp(way, "fault") && WTERMSIG(status) != SIGSEGV) return 3;
                if (*way == 'e' && WEXITSTATUS(status) != 9) return 4;
            }
            return 0;
        }
        """

    @Test("a leader that is dead in silence does not keep its process from ending")
    func deadLeader() throws {
        let (events, run) = try TestPrograms.trace(
            """
            #include <pthread.h>
            #include <sys/syscall.h>
            #include <sys/wait.h>
            #include <unistd.h>
            static void *work(void *leader) {
                pthread_join(*(pthread_t *)leader, 0);
                execl("/bin/sh", "sh", "-c", "exit 5", (char *)0);
                return leader;
            }
            int main(void) {
                static pthread_t own;
                pthread_t thread;
                own = pthread_self();
                pthread_create(&thread, 0, work, &own);
                syscall(SYS_exit, 0);
            }
            """)
        #expect(run.status.exitCode == 5)
        #expect(TraceRules.objections(to: events).isEmpty)
    }

    @Test("a stop that got lost is told, with what each thread was doing, and nothing is left")
    func lostStop() throws {
        var options = TestPrograms.quick
        options.patience = 300
        var processes: Set<Int32> = []
        var stolen: Int32?
        let error = #expect(throws: TraceError.self) {
            try TestPrograms.trace(
                """
                #include <sys/syscall.h>
                #include <sys/wait.h>
                #include <unistd.h>
                int main(void) {
                    int stay[2];
                    char byte;
                    if (pipe(stay)) return 1;
                    if (fork() == 0) for (;;) syscall(SYS_getppid);
                    if (fork() == 0) for (int i = 0; i < 1000000; i++) if (syscall(SYS_getuid) > 1 << 30) break;
                    return read(stay[0], &byte, 1);
                }
                """, options: options
            ) { event in
                processes.insert(event.process)
                guard case .call(let call, _) = event.kind, call.number == 102 else { return }
                guard stolen == nil else {
                    // The silence is what the tracer has to notice.
                    kill(event.process, 9)
                    return
                }
                for process in processes.sorted().prefix(3) where process != event.process {
                    var status: Int32 = 0
                    // WNOHANG | __WALL; a stop that was not told of yet is now told to nobody else.
                    if unsafe waitpid(process, &status, 0x4000_0001) == process { stolen = process }
                }
            }
        }
        #expect(error?.code == .stalled)
        let thread = try #require(stolen)
        #expect(error?.sentence.contains("\n  \(thread)/\(thread) program: t") == true, "\(error?.sentence ?? "")")
        #expect(error?.sentence.contains(" in read") == true)
        #expect(!processes.contains { FileManager.default.fileExists(atPath: "/proc/\($0)/fd/0") })
    }

    @Test("the time limit holds although stops never cease")
    func busyTimeout() throws {
        let (_, run) = try TestPrograms.traceToLimit(
            """
            #include <sys/syscall.h>
            #include <unistd.h>
            int main(void) { for (fork();;) syscall(SYS_getppid); }
            """, isThere: { $0.threads.count == 2 })
        #expect(run.timedOut)
        #expect(run.threads.count == 2)
    }
}

/// What holds of every whole trace, whatever the program did.
enum TraceRules {
    static func objections(to events: [TraceEvent]) -> [String] {
        var objections: [String] = []
        var living: Set<Int32> = events.first.map { [$0.thread] } ?? []
        var threads: [Int32: Int32] = events.first.map { [$0.thread: $0.process] } ?? [:]
        for event in events {
            if !living.contains(event.thread), !event.mayFollowExit {
                objections.append("\(event) comes from a thread that nobody made or that has ended")
            }
            switch event.kind {
            case .clone(let edge):
                if !living.insert(edge.child).inserted { objections.append("\(event): made twice") }
                threads[edge.child] = edge.process
            case .exit: living.remove(event.thread)
            case .exec(_, let former):
                if former != event.thread { living.remove(former) }
                living.insert(event.thread)
            case .processExit:
                let left = living.filter { threads[$0] == event.process }
                if !left.isEmpty { objections.append("\(event) although \(left) live") }
            default: break
            }
        }
        if !living.isEmpty { objections.append("\(living) never end") }
        return objections
    }
}

extension TraceEvent {
    /// A dead leader's number is its process's, and that of the thread which calls execve.
    fileprivate var mayFollowExit: Bool {
        switch kind {
        case .processExit, .exec: true
        default: false
        }
    }
}
