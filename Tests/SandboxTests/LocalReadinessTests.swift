import Foundation
import Testing

extension SandboxTests {
    /// Without a trace, as in use: stubs then say themselves what is ready, which a traced corpus never does.
    @Suite("Readiness without the kernel", .enabled(if: Programs.canCompile, "no C compiler"))
    struct LocalReadiness {
        @Test(
            "cases of the corpus print what they print natively",
            arguments: [
                "poll/epoll_again_and_again", "poll/epoll_modes", "poll/epoll_nesting_and_threads",
                "poll/eventfd_counters", "poll/pipe_edges", "poll/signalfd_reads", "poll/timerfd_expirations",
            ], [["taskset", "-c", "0"], []])
        func corpus(name: String, wrapper: [String]) async throws {
            // Some make files.
            try await Programs.expectAgreement(on: name, wrapper: wrapper, files: ["unused": ""])
        }

        /// Threads and processes that ask all the time while somebody changes what is ready: between two changes that have
        /// returned, each answer is what the last one has made of it. Changes are counted in a word, odd while one is under way;
        /// who asks hears of them by memory alone. The way of changing is the argument.
        static let race = """
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
            #include <sys/epoll.h>
            #include <sys/eventfd.h>
            #include <sys/mman.h>
            #include <sys/signalfd.h>
            #include <sys/socket.h>
            #include <sys/timerfd.h>
            #include <sys/wait.h>
            #include <time.h>
            #include <unistd.h>
            enum { CHANGES = 200, BETWEEN = 400 };
            struct shared { uint64_t count, due, reads, checked, wrong, over; int64_t expected; };
            static struct shared *s;
            static int fd, other, ends[2];
            static uint64_t get(uint64_t *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }
            static void add(uint64_t *word) { __atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST); }
            static void state(int64_t expected) { __atomic_store_n(&s->expected, expected, __ATOMIC_SEQ_CST); }
            static uint64_t now(void) {
                struct timespec time;
                clock_gettime(CLOCK_MONOTONIC, &time);
                return time.tv_sec * 1000000000ull + time.tv_nsec;
            }
            static void check(void) {
                struct epoll_event events[4];
                uint64_t before = get(&s->count), due = get(&s->due);
                int64_t expected = __atomic_load_n(&s->expected, __ATOMIC_SEQ_CST);
                // What is due becomes ready soon.
                if (due) expected = now() >= due + 50000000;
                errno = 0;
                int64_t n = epoll_wait(fd, events, 4, 0);
                if (n < 0) n = -errno;
                if (due && !expected && now() >= due) n = 0;
                uint64_t after = get(&s->count);
                add(&s->reads);
                if (before % 2 || before != after) return;
                add(&s->checked);
                if (n != expected || (n == 1 && events[0].data.u64 != 0x123456789abcdefull)) add(&s->wrong);
            }
            static void *reads(void *argument) {
                while (!get(&s->over)) check();
                return 0;
            }
            static void watch(int watched, int operation, unsigned wanted) {
                struct epoll_event event = {.events = wanted, .data.u64 = 0x123456789abcdefull};
                if (epoll_ctl(fd, operation, watched, &event)) exit(97);
            }
            static void writes(int to) { uint64_t one = 1; if (write(to, &one, 8) != 8) exit(96); }
            static void drains(int from) { uint64_t word; if (read(from, &word, 8) != 8) exit(95); }
            static void change(const char *way, int odd) {
                if (!strcmp(way, "pipe") || !strcmp(way, "eventfd") || !strcmp(way, "socket")) {
                    if (odd) writes(ends[1]); else drains(ends[0]);
                    state(odd);
                } else if (!strcmp(way, "modify")) {
                    watch(ends[0], EPOLL_CTL_MOD, odd ? EPOLLIN : 0);
                    state(odd);
                } else if (!strcmp(way, "close")) {
                    if (odd) { int end = dup(ends[0]); close(ends[0]); dup2(end, ends[0]); close(end); }
                    else { watch(ends[0], EPOLL_CTL_DEL, 0); watch(ends[0], EPOLL_CTL_ADD, EPOLLIN); }
                    state(1);
                } else if (!strcmp(way, "number")) {
                    dup2(odd ? other : ends[1], fd);
                    state(odd ? 0 : -EINVAL);
                } else if (!strcmp(way, "deaths")) {
                    int both[2];
                    if (odd) {
                        if (pipe(both)) exit(94);
                        pid_t child = fork();
                        if (child == 0) { close(both[0]); pause(); }
                        close(both[1]);
                        watch(both[0], EPOLL_CTL_ADD, EPOLLIN);
                        for (int i = 0; i < 60; i++) { struct epoll_event event; if (epoll_wait(fd, &event, 1, 0)) add(&s->wrong); }
                        kill(child, SIGKILL);
                        // Nobody tells but the pipe.
                        uint64_t end = now() + 2000000000;
                        struct epoll_event event = {0};
                        while (epoll_wait(fd, &event, 1, 0) == 0 && now() < end) {}
                        if (event.events != EPOLLHUP) add(&s->wrong);
                        waitpid(child, 0, 0);
                        state(1);
                    } else {
                        for (int i = 5; i < 60; i++) if (i != fd && i != ends[0] && i != ends[1]) close(i);
                        state(0);
                    }
                } else if (!strcmp(way, "signal")) {
                    if (odd) kill(getpid(), SIGUSR1);
                    else { struct signalfd_siginfo info; if (read(ends[0], &info, sizeof info) != sizeof info) exit(93); }
                    state(odd);
                } else if (!strcmp(way, "timer")) {
                    uint64_t due = now() + (odd ? 300000 : 2000000);
                    struct itimerspec when = {.it_value = {due / 1000000000, due % 1000000000}};
                    timerfd_settime(ends[0], TFD_TIMER_ABSTIME, &when, 0);
                    __atomic_store_n(&s->due, due, __ATOMIC_SEQ_CST);
                }
            }
            int main(int count, char **arguments) {
                const char *way = arguments[1];
                int processes = count == 3;
                s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
                sigset_t set;
                sigemptyset(&set);
                sigaddset(&set, SIGUSR1);
                sigprocmask(SIG_BLOCK, &set, 0);
                if (!strcmp(way, "eventfd")) ends[0] = ends[1] = eventfd(0, 0);
                else if (!strcmp(way, "timer")) ends[0] = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
                else if (!strcmp(way, "signal")) ends[0] = signalfd(-1, &set, 0);
                else if (strcmp(way, "socket") ? pipe(ends) : socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) return 98;
                fd = epoll_create1(0);
                other = epoll_create1(0);
                watch(ends[0], EPOLL_CTL_ADD, EPOLLIN);
                if (!strcmp(way, "modify") || !strcmp(way, "close")) { writes(ends[1]); state(1); }
                pthread_t thread;
                pid_t child;
                if (!processes) pthread_create(&thread, 0, reads, 0);
                else { child = fork(); if (child == 0) { reads(0); _exit(0); } }
                for (int round = 1; round <= CHANGES; round++) {
                    add(&s->count);
                    change(way, round % 2);
                    add(&s->count);
                    for (int i = 0; i < 70; i++) check();
                    struct epoll_event event;
                    while (s->due && round % 2 && epoll_wait(fd, &event, 1, 0) == 0)
                        if (now() > s->due + 1000000000) { add(&s->wrong); break; }
                    for (uint64_t start = get(&s->reads); get(&s->reads) < start + BETWEEN;) sched_yield();
                }
                s->over = 1;
                if (processes) waitpid(child, 0, 0); else pthread_join(thread, 0);
                printf("%d %ld\\n", s->checked > CHANGES * 100, s->wrong);
                return 0;
            }
            """

        @Test(
            "a change that has returned is in every answer after it",
            arguments: [
                ["pipe"], ["eventfd"], ["socket"], ["modify"], ["close"], ["number"], ["signal"], ["timer"], ["deaths"],
                ["pipe", "processes"], ["eventfd", "processes"], ["socket", "processes"], ["modify", "processes"],
                ["timer", "processes"],
            ], [["taskset", "-c", "0"], []])
        func race(arguments: [String], wrapper: [String]) async throws {
            let outcome = try await Programs.run(Self.race, arguments: arguments, wrapper: wrapper)
            #expect(outcome.output == "1 0\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }

        /// What the kernel says of an epoll is a guest's to overwrite.
        @Test("a guest that forges what its stub says fools itself and nobody else")
        func forged() async throws {
            let outcome = try await Programs.run(
                """
                #include <stdint.h>
                #include <stdio.h>
                #include <string.h>
                #include <sys/epoll.h>
                #include <sys/wait.h>
                #include <unistd.h>
                \(Programs.randomNumbers)
                static int fd, ends[2];
                static struct epoll_event events[64];
                static void heat(void) { for (int i = 0; i < 100; i++) epoll_wait(fd, events, 64, 0); }
                int main(void) {
                    volatile uint32_t *told = (uint32_t *)(0x7ef000100000ul + 0x3f10000);
                    pipe(ends);
                    fd = epoll_create1(0);
                    struct epoll_event event = {EPOLLIN, {.u64 = 77}};
                    epoll_ctl(fd, EPOLL_CTL_ADD, ends[0], &event);
                    write(ends[1], "x", 1);
                    int died = 0, status;
                    for (int round = 0; round < 30; round++) {
                        pid_t child = fork();
                        if (child == 0) {
                            state += round * 977;
                            alarm(5);
                            heat();
                            for (int i = 0; i < 3000; i++) {
                                uint32_t values[] = {0, ~0u, 2, 8, 9, next(), 1u << next() % 32, 0x7fffffff};
                                told[next() % 32] = values[next() % 8];
                                if (next() % 2) told[0] = 2, told[1] = fd;
                                uint64_t buffers[] = {(uint64_t)events, 0, 0x7ef000100000ul, 0x7eeffffffff8ul, ~0ul, next()};
                                epoll_wait(fd, (void *)buffers[next() % 6], next() % 70, 0);
                                epoll_pwait(fd, events, 64, 0, 0);
                                if (i % 500 == 0) { char byte; read(ends[0], &byte, 1); write(ends[1], "x", 1); heat(); }
                            }
                            _exit(0);
                        }
                        waitpid(child, &status, 0);
                        died += WIFSIGNALED(status) && WTERMSIG(status) == 14;
                    }
                    // The parent's own is as it was, and its stub is told again.
                    heat();
                    int is = told[0] != 0 && told[0] % 2 == 0 && told[1] == fd && told[2] == 1;
                    memset(events, 0, sizeof events);
                    int n = epoll_wait(fd, events, 64, 0);
                    long data = events[0].data.u64;
                    // What it says is what the guest gets, until somebody does something.
                    told[2] = 0;
                    int fooled = epoll_wait(fd, events, 64, 0);
                    char byte;
                    read(ends[0], &byte, 1);
                    printf("%d %d %d %ld %d %d\\n", died, is, n, data, fooled, told[0] % 2);
                    return 0;
                }
                """)
            #expect(outcome.output == "0 1 1 77 0 1\n", "\(outcome.errors)")
            #expect(outcome.status == 0)
        }
    }
}
