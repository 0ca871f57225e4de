/// Programs that do what tracers find hard, the same number of times in every run.
enum StracePrograms {
    static let all = [
        "64 threads": threads, "vfork and spawn": vfork, "exec from threads": exec, "group-stops": stops,
        "signals": signals, "killed in a call": kills,
    ]

    private static let threads = """
        #include <pthread.h>
        #include <sys/syscall.h>
        #include <unistd.h>
        static void *work(void *u) { for (int i = 0; i < 100; i++) syscall(SYS_getppid); return u; }
        int main(void) {
            pthread_t t[64];
            for (int i = 0; i < 64; i++) pthread_create(&t[i], 0, work, 0);
            for (int i = 0; i < 64; i++) pthread_join(t[i], 0);
            return 0;
        }
        """

    private static let vfork = """
        #include <pthread.h>
        #include <signal.h>
        #include <spawn.h>
        #include <sys/wait.h>
        #include <unistd.h>
        extern char **environ;
        static void *in_thread(void *u) {
            int s, c = vfork();
            if (c == 0) _exit(4);
            waitpid(c, &s, 0);
            return u;
        }
        int main(void) {
            int s, c;
            if ((c = vfork()) == 0) _exit(3);
            waitpid(c, &s, 0);
            if ((c = vfork()) == 0) { execl("/bin/true", "true", (char *)0); _exit(1); }
            waitpid(c, &s, 0);
            if ((c = vfork()) == 0) { execl("/none", "none", (char *)0); _exit(1); }
            waitpid(c, &s, 0);
            if ((c = vfork()) == 0) kill(getpid(), SIGKILL);
            waitpid(c, &s, 0);
            char *words[] = {"true", 0};
            if (posix_spawn(&c, "/bin/true", 0, 0, words, environ)) return 1;
            waitpid(c, &s, 0);
            for (int i = 0; i < 4; i++) {
                pthread_t t;
                pthread_create(&t, 0, in_thread, 0);
                pthread_join(t, 0);
            }
            return 0;
        }
        """

    /// Each image waits until its threads are in their calls.
    private static let exec = """
        #include <pthread.h>
        #include <stdlib.h>
        #include <stdio.h>
        #include <unistd.h>
        static char left[8], *path;
        static int ready[2];
        static void *idle(void *u) { write(ready[1], "", 1); pause(); return u; }
        static void *work(void *u) {
            char byte;
            for (int i = 0; i < 5; i++) read(ready[0], &byte, 1);
            usleep(20000);
            execl(path, path, left, (char *)0);
            return u;
        }
        int main(int count, char **words) {
            int n = count > 1 ? atoi(words[1]) : 6;
            if (n == 0) return 0;
            path = words[0];
            sprintf(left, "%d", n - 1);
            if (pipe2(ready, 02000000)) return 1;
            pthread_t t;
            for (int i = 0; i < 5; i++) pthread_create(&t, 0, idle, 0);
            pthread_create(&t, 0, work, 0);
            if (n % 2) pthread_exit(0);
            pause();
        }
        """

    private static let stops = """
        #include <pthread.h>
        #include <signal.h>
        #include <sys/wait.h>
        #include <unistd.h>
        static int go[2], ready[2];
        static void *reader(void *u) { char byte; write(ready[1], "", 1); read(go[0], &byte, 1); return u; }
        int main(void) {
            int numbers[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
            for (int k = 0; k < 4; k++) {
                int s;
                char byte;
                if (pipe(go) || pipe(ready)) return 1;
                int c = fork();
                if (c == 0) {
                    pthread_t t[4];
                    setpgid(0, 0);
                    signal(numbers[k], SIG_DFL);
                    for (int i = 0; i < 4; i++) pthread_create(&t[i], 0, reader, 0);
                    for (int i = 0; i < 4; i++) pthread_join(t[i], 0);
                    _exit(3);
                }
                for (int i = 0; i < 4; i++) read(ready[0], &byte, 1);
                usleep(20000);
                kill(c, numbers[k]);
                if (waitpid(c, &s, WUNTRACED) != c || !WIFSTOPPED(s) || WSTOPSIG(s) != numbers[k]) return 2;
                usleep(20000);
                if (waitpid(c, &s, WNOHANG | WUNTRACED) != 0) return 3;
                kill(c, SIGCONT);
                if (waitpid(c, &s, WCONTINUED) != c || !WIFCONTINUED(s)) return 4;
                usleep(20000);
                if (k == 3) {
                    kill(c, SIGSTOP);
                    waitpid(c, &s, WUNTRACED);
                    usleep(20000);
                    kill(c, SIGKILL);
                    if (waitpid(c, &s, 0) != c || WTERMSIG(s) != SIGKILL) return 5;
                } else {
                    write(go[1], "abcd", 4);
                    if (waitpid(c, &s, 0) != c || WEXITSTATUS(s) != 3) return 6;
                }
            }
            return 0;
        }
        """

    private static let signals = """
        #include <linux/filter.h>
        #include <linux/seccomp.h>
        #include <setjmp.h>
        #include <signal.h>
        #include <stddef.h>
        #include <sys/mman.h>
        #include <sys/prctl.h>
        #include <sys/resource.h>
        #include <sys/syscall.h>
        #include <sys/wait.h>
        #include <time.h>
        #include <unistd.h>
        static sigjmp_buf back;
        static void on(int s, siginfo_t *i, void *c) {
            if (s == SIGSEGV || s == SIGFPE || s == SIGILL || s == SIGTRAP) siglongjmp(back, 1);
        }
        int main(void) {
            struct sigaction a = {.sa_sigaction = on, .sa_flags = SA_SIGINFO | SA_NODEFER};
            for (int s = 1; s < 65; s++) sigaction(s, &a, 0);
            union sigval v = {.sival_int = 77};
            sigqueue(getpid(), SIGRTMIN + 3, v);
            sigqueue(getpid(), SIGUSR1, v);
            kill(getpid(), SIGUSR2);
            syscall(SYS_tgkill, getpid(), getpid(), SIGRTMIN);
            char *p = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (!sigsetjmp(back, 1)) *(volatile int *)0x10 = 1;
            if (!sigsetjmp(back, 1)) *p = 1;
            if (!sigsetjmp(back, 1)) { volatile int z = 0; z = 1 / z; }
            if (!sigsetjmp(back, 1)) __builtin_trap();
            if (!sigsetjmp(back, 1)) __asm__ volatile("int3");
            if (!sigsetjmp(back, 1)) *(volatile char *)0x8000000000000000UL = 1;
            int ends[2];
            if (pipe(ends)) return 1;
            close(ends[0]);
            write(ends[1], "x", 1);
            sigset_t all, one, before;
            sigfillset(&all);
            sigprocmask(SIG_BLOCK, &all, &before);
            timer_t t;
            struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM, .sigev_value.sival_int = 9};
            timer_create(CLOCK_MONOTONIC, &event, &t);
            struct itimerspec soon = {{0, 0}, {0, 1000000}};
            timer_settime(t, 0, &soon, 0);
            sigsuspend(&before);
            int s, c = fork();
            if (c == 0) {
                struct rlimit none = {0, 0};
                setrlimit(RLIMIT_CORE, &none);
                signal(SIGSEGV, SIG_DFL);
                *(volatile int *)0x20 = 1;
            }
            waitpid(c, &s, 0);
            sigsuspend(&before);
            sigemptyset(&one);
            sigaddset(&one, SIGUSR1);
            kill(getpid(), SIGUSR1);
            sigwaitinfo(&one, 0);
            sigprocmask(SIG_SETMASK, &before, 0);
            signal(SIGUSR1, SIG_IGN);
            kill(getpid(), SIGUSR1);
            struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getuid, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getgid, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_geteuid, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 33),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
            struct sock_fprog program = {8, filter};
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            prctl(PR_SET_SECCOMP, 2, &program);
            syscall(SYS_getuid);
            syscall(SYS_geteuid);
            sigprocmask(SIG_BLOCK, &all, 0);
            c = fork();
            if (c == 0) syscall(SYS_getgid);
            waitpid(c, &s, 0);
            return WTERMSIG(s) == SIGSYS ? 0 : 2;
        }
        """

    private static let kills = """
        #include <poll.h>
        #include <pthread.h>
        #include <signal.h>
        #include <sys/prctl.h>
        #include <sys/wait.h>
        #include <time.h>
        #include <unistd.h>
        static int never[2], ready[2];
        static void came(void) { write(ready[1], "", 1); }
        static void *reads(void *u) { char byte; came(); read(never[0], &byte, 1); return u; }
        static void *polls(void *u) { came(); poll(0, 0, -1); return u; }
        static void *sleeps(void *u) { struct timespec t = {1000, 0}; came(); nanosleep(&t, 0); return u; }
        static void *waits(void *u) { came(); wait(0); return u; }
        int main(void) {
            if (pipe(never) || pipe(ready)) return 1;
            for (int k = 0; k < 4; k++) {
                char byte;
                int s, c = fork();
                if (c == 0) {
                    pthread_t t;
                    if (fork() == 0) { prctl(PR_SET_PDEATHSIG, SIGKILL); came(); for (;;) pause(); }
                    pthread_create(&t, 0, reads, 0);
                    pthread_create(&t, 0, polls, 0);
                    pthread_create(&t, 0, sleeps, 0);
                    pthread_create(&t, 0, waits, 0);
                    if (k == 1) { usleep(100000); _exit(9); }
                    if (k == 2) pthread_exit(0);
                    if (k == 3) { if (vfork() == 0) { prctl(PR_SET_PDEATHSIG, SIGKILL); for (;;) pause(); } }
                    for (;;) pause();
                }
                for (int i = 0; i < 5; i++) read(ready[0], &byte, 1);
                usleep(200000);
                kill(c, SIGKILL);
                if (waitpid(c, &s, 0) != c) return 2;
            }
            return 0;
        }
        """
}
