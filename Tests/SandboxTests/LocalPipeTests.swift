import Foundation
import Testing

extension SandboxTests {
    /// Without a trace, as in use: two stubs then read and write the pipes between them by themselves, which a traced corpus never
    /// does.
    @Suite("Pipes without the kernel", .enabled(if: Programs.canCompile, "no C compiler"))
    struct LocalPipes {
        @Test(
            "cases of the corpus print what they print natively",
            arguments: [
                "pipe/ping_pong", "pipe/atomic_writes", "pipe/capacity_and_nonblocking", "pipe/ends_and_sigpipe",
                "pipe/splice_refusals", "poll/pipe_edges",
            ], [["taskset", "-c", "0"], []])
        func corpus(name: String, wrapper: [String]) async throws {
            try await Programs.expectAgreement(on: name, wrapper: wrapper, files: ["unused": ""])
        }

        /// Two processes that answer each other, every byte compared, while something happens that is the argument: to one of them,
        /// by one of them, or beside them.
        static let race = #"""
            #include <errno.h>
            #include <fcntl.h>
            #include <poll.h>
            #include <pthread.h>
            #include <sched.h>
            #include <signal.h>
            #include <stdint.h>
            #include <stdio.h>
            #include <stdlib.h>
            #include <string.h>
            #include <sys/ioctl.h>
            #include <sys/mman.h>
            #include <sys/wait.h>
            #include <time.h>
            #include <unistd.h>
            \#(Programs.randomNumbers)
            // What the kernel says of pipes, in the process's own contexts.
            #define IS_TOLD (is_sandbox && *(volatile uint32_t *)(0x7ef000100000ul + 0x3f30000))
            struct shared { uint64_t begun, done, asked, taken, told, wrong, over, checked, signals, pids[2]; };
            static struct shared *s;
            static int is_sandbox, there[2], back[2], handled;
            static const char *way;
            static uint64_t get(uint64_t *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }
            static void add(uint64_t *word, uint64_t n) { __atomic_add_fetch(word, n, __ATOMIC_SEQ_CST); }
            static int is(const char *name) { return !strcmp(way, name); }
            static void handler(int number) { handled++; }
            static void wrong(const char *what, long value) {
                add(&s->wrong, 1);
                fprintf(stderr, "%d: %s %ld errno %d\n", getpid() == s->pids[0], what, value, errno);
            }
            static void note(void) { if (IS_TOLD) add(&s->told, 1); }
            // Bytes of a stream, by their place in it.
            static unsigned char at(uint64_t place) { return (unsigned char)(place * 7 + (place >> 8) * 13 + (place >> 16) * 31); }
            static void put(int fd, uint64_t *place, size_t count) {
                static unsigned char bytes[20000];
                for (size_t i = 0; i < count; i++) bytes[i] = at(*place + i);
                size_t done = 0;
                while (done < count) {
                    note();
                    ssize_t n = write(fd, bytes + done, count - done);
                    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
                    if (n <= 0) { wrong("write", n); exit(1); }
                    if (n < count && count <= 4096 && (n + done != count)) wrong("torn", n);
                    done += n;
                }
                *place += count;
            }
            // False at the end.
            static int take(int fd, uint64_t *place, size_t count) {
                static unsigned char bytes[20000];
                while (count) {
                    note();
                    size_t limit = next() % 4 ? count : 1 + next() % count;
                    ssize_t n = read(fd, bytes, limit);
                    if (n < 0 && errno == EAGAIN) sched_yield();
                    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
                    if (n == 0) return 0;
                    if (n < 0 || n > limit) { wrong("read", n); exit(1); }
                    for (ssize_t i = 0; i < n; i++)
                        if (bytes[i] != at(*place + i)) { wrong("byte at", *place + i); exit(1); }
                    *place += n;
                    count -= n;
                }
                return 1;
            }
            static size_t size(uint64_t round) {
                // Mostly one size for a while, so that it can get hot.
                switch (round / 300 % 5) {
                case 0: return 1;
                case 1: return 1 + round % 64;
                case 2: return 1 + round * 37 % 4096;
                case 3: return 4096;
                default: return round % 50 ? 100 : 1 + round * 41 % 20000;
                }
            }
            static void *nothing(void *argument) { return 0; }
            // By one of the two, between two rounds.
            static void disturb(int *in, int *out, int is_child) {
                if (is("fork")) { pid_t child = fork(); if (child == 0) _exit(0); while (waitpid(child, 0, 0) < 0) {} }
                else if (is("thread")) { pthread_t t; pthread_create(&t, 0, nothing, 0); pthread_join(t, 0); }
                else if (is("dup")) {
                    int copy = dup(*in);
                    close(*in);
                    if (next() % 2) { dup2(copy, *in); close(copy); } else *in = copy;
                    int other = dup(*out);
                    close(*out);
                    *out = other;
                } else if (is("poll")) {
                    struct pollfd both[] = {{*out, POLLOUT}, {*in, POLLIN}};
                    int n = poll(both, 2, 0);
                    if (n < 1 || both[0].revents != POLLOUT) wrong("poll", n);
                } else if (is("nonblock")) {
                    int flags = fcntl(*in, F_GETFL);
                    fcntl(*in, F_SETFL, flags ^ O_NONBLOCK);
                } else if (is("size")) {
                    fcntl(*out, F_SETPIPE_SZ, next() % 2 ? 65536 : 131072);
                }
            }
            static void answer(void) {
                uint64_t in = 0, out = 0, round = 0;
                int from = there[0], to = back[1];
                close(there[1]);
                // Many programs leave an end open that only the other one uses.
                if (!is("kept")) close(back[0]);
                state += 77;
                for (;; round++) {
                    size_t n = size(round);
                    if (!take(from, &in, n)) break;
                    put(to, &out, n);
                    if (round % 157 == 0) disturb(&from, &to, 1);
                }
                if (in != out) wrong("end", in);
                _exit(0);
            }
            static uint64_t now(void) {
                struct timespec time;
                clock_gettime(CLOCK_MONOTONIC, &time);
                return time.tv_sec * 1000000000ull + time.tv_nsec;
            }
            // Somebody else.
            static void third(void) {
                close(there[0]); close(there[1]); close(back[0]); close(back[1]);
                state += 1777;
                while (!get(&s->over)) {
                    struct timespec pause = {0, 20000 + next() % 400000};
                    nanosleep(&pause, 0);
                    pid_t one = s->pids[next() % 2];
                    if (is("third")) { char byte; int fd = open("/dev/null", O_RDONLY); read(fd, &byte, 1); close(fd); }
                    else if (is("signals")) kill(one, next() % 2 ? SIGUSR1 : SIGUSR2);
                    else if (is("stop")) { kill(one, SIGSTOP); if (next() % 2) sched_yield(); kill(one, SIGCONT); }
                }
                _exit(0);
            }
            static void start(void) { if (pipe(there) || pipe(back)) exit(98); }
            static void streams(long rounds) {
                start();
                struct sigaction action = {.sa_handler = handler};
                sigaction(SIGUSR1, &action, 0);
                action.sa_flags = SA_RESTART;
                sigaction(SIGUSR2, &action, 0);
                s->pids[0] = getpid();
                pid_t child = fork();
                if (child == 0) { while (!get(&s->pids[1])) {} answer(); }
                s->pids[1] = child;
                pid_t other = 0;
                if (is("third") || is("signals") || is("stop")) { other = fork(); if (other == 0) third(); }
                close(there[0]);
                close(back[1]);
                uint64_t out = 0, in = 0;
                for (long round = 0; round < rounds; round++) {
                    size_t n = size(round);
                    put(there[1], &out, n);
                    // Sometimes more than one is under way.
                    if (!take(back[0], &in, n)) { wrong("early end", round); break; }
                    if (round % 131 == 0) disturb(&back[0], &there[1], 0);
                }
                s->over = 1;
                if (other) waitpid(other, 0, 0);
                close(there[1]);
                unsigned char byte;
                fcntl(back[0], F_SETFL, 0);
                ssize_t n;
                do n = read(back[0], &byte, 1); while (n < 0 && errno == EINTR);
                if (n) wrong("end", n);
                int status = 0;
                while (waitpid(child, &status, 0) < 0) {}
                if (status) wrong("status", status);
                if (in != out) wrong("sum", in);
            }
            // Messages of eight bytes one way, answers the other; whoever looks at the pipe from elsewhere finds what memory says.
            static void looks(int rounds) {
                start();
                s->pids[0] = getpid();
                pid_t reader = fork();
                if (reader == 0) {
                    close(there[1]);
                    close(back[0]);
                    uint64_t message;
                    for (;;) {
                        // The first may have to wait for its turn: what is under way then stands in the pipe.
                        for (uint64_t end = now() + next() % 3000; now() < end;) {}
                        add(&s->asked, 1);
                        if (read(there[0], &message, 8) != 8) break;
                        add(&s->taken, 1);
                        note();
                        if (message % 3 == 0 && write(back[1], &message, 8) != 8) break;
                    }
                    _exit(0);
                }
                s->pids[1] = reader;
                pid_t other = fork();
                if (other == 0) {
                    char name[64];
                    sprintf(name, "/proc/%d/fd/%d", reader, there[0]);
                    close(there[0]); close(there[1]); close(back[0]); close(back[1]);
                    while (!get(&s->over)) {
                        for (uint64_t end = now() + 2000000; now() < end;) {}
                        uint64_t done = get(&s->done), taken = get(&s->taken);
                        int fd = open(name, O_RDONLY), count = -1;
                        if (fd < 0) continue;
                        ioctl(fd, FIONREAD, &count);
                        uint64_t begun = get(&s->begun), asked = get(&s->asked);
                        close(fd);
                        if (count % 8 || (int64_t)(count / 8) < (int64_t)(done - asked) || (int64_t)(count / 8) > (int64_t)(begun - taken))
                            wrong("count", count);
                        add(&s->checked, 1);
                    }
                    _exit(0);
                }
                close(there[0]);
                close(back[1]);
                uint64_t message, back_message;
                for (message = 1; message < rounds; message++) {
                    add(&s->begun, 1);
                    if (write(there[1], &message, 8) != 8) wrong("write", message);
                    add(&s->done, 1);
                    if (message % 3 == 0 && (read(back[0], &back_message, 8) != 8 || back_message != message)) wrong("answer", back_message);
                }
                s->over = 1;
                close(there[1]);
                waitpid(other, 0, 0);
                waitpid(reader, 0, 0);
                if (s->taken != s->done) wrong("taken", s->taken);
            }
            // One of the two ends in the midst: what it had written is there, and then the end.
            static void deaths(int times) {
                for (int turn = 0; turn < times; turn++) {
                    start();
                    s->begun = s->done = 0;
                    pid_t child = fork();
                    if (child == 0) {
                        close(there[1]);
                        close(back[0]);
                        uint64_t message;
                        int how = is("exits") ? 300 + turn * 7 : 1 << 30;
                        for (int i = 0; i < how; i++) {
                            if (read(there[0], &message, 8) != 8) break;
                            note();
                            add(&s->begun, 1);
                            if (write(back[1], &message, 8) != 8) break;
                            add(&s->done, 1);
                            // More than was asked for.
                            message |= 1ull << 60;
                            add(&s->begun, 1);
                            write(back[1], &message, 8);
                            add(&s->done, 1);
                            if (is("closes") && i == 300 + turn) { close(back[1]); pause(); }
                            if (is("executes") && i == 300 + turn) execl("/bin/true", "true", NULL);
                        }
                        _exit(0);
                    }
                    close(there[0]);
                    close(back[1]);
                    signal(SIGPIPE, SIG_IGN);
                    pid_t killer = 0;
                    if (is("killed")) {
                        killer = fork();
                        if (killer == 0) {
                            close(there[1]); close(back[0]);
                            for (uint64_t end = now() + 1500000 + turn * 40000; now() < end;) {}
                            kill(child, SIGKILL);
                            _exit(0);
                        }
                    }
                    uint64_t message, answer, got = 0, ended = 0;
                    for (message = 1;; message++) {
                        if (write(there[1], &message, 8) != 8) {
                            if (errno != EPIPE) wrong("errno", errno);
                            break;
                        }
                            for (int i = 0; i < 2; i++) {
                            ssize_t n = read(back[0], &answer, 8);
                            if (n == 0) { ended = 1; break; }
                            if (n != 8 || (answer & ~(1ull << 60)) != message) wrong("answer", answer);
                            got++;
                        }
                        if (ended) break;
                    }
                    while (!ended && read(back[0], &answer, 8) == 8) got++;
                    if (got < get(&s->done) || got > get(&s->begun)) wrong("got", got);
                    if (is("closes")) {
                        kill(child, SIGKILL);
                    }
                    if (killer) waitpid(killer, 0, 0);
                    waitpid(child, 0, 0);
                    if (write(there[1], "x", 1) != -1 || errno != EPIPE) wrong("pipe", errno);
                    if (read(back[0], &answer, 8) != 0) wrong("read", 0);
                    close(there[1]);
                    close(back[0]);
                }
            }
            int main(int count, char **arguments) {
                way = arguments[1];
                is_sandbox = count > 2;
                s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
                if (is("looks")) looks(150000);
                else if (is("killed") || is("exits") || is("closes") || is("executes")) deaths(40);
                else streams(20000);
                printf("%d %ld\n", !is_sandbox || !(is("stream") || is("kept")) || s->told > 0, s->wrong);
                fprintf(stderr, "told %ld checked %ld\n", s->told, s->checked);
                return 0;
            }
            """#

        @Test(
            "no byte is lost or comes twice, and whoever looks finds what memory says",
            arguments: [
                "stream", "kept", "third", "signals", "stop", "fork", "thread", "dup", "poll", "nonblock", "size",
                "looks",
                "killed", "exits", "closes", "executes",
            ], [["taskset", "-c", "0"], []])
        func race(way: String, wrapper: [String]) async throws {
            // A debug build's kernel on the other processor takes longer than a stub waits: there the pipes may stay the kernel's.
            let arguments = [way] + (wrapper.isEmpty ? [] : ["sandboxed"])
            let outcome = try await Programs.run(Self.race, arguments: arguments, wrapper: wrapper)
            #expect(outcome.output == "1 0\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }
    }
}
