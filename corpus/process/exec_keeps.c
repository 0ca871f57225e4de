/*
 * summary: what exec keeps (pid, mask, pending and ignored signals, descriptors, directory) and what it resets
 * calls: execve fcntl rt_sigaction rt_sigpending sigaltstack getpid
 * args: first
 * env: APUS_WORD=hello
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/stat.h>

static void handler(int number) { (void)number; }

static int second_life(char **argv) {
    struct sigaction action;
    sigset_t set;
    stack_t stack;
    char directory[256];
    fact("the pid stayed", getpid() == atoi(argv[2]));
    fact("the empty argument", argv[3][0] == 0);
    text("the last argument", argv[4]);
    fact("the vector ends", argv[5] == NULL);
    text("APUS_WORD", getenv("APUS_WORD") ? getenv("APUS_WORD") : "(not set)");
    text("APUS_NEW", getenv("APUS_NEW") ? getenv("APUS_NEW") : "(not set)");
    sigaction(SIGUSR1, NULL, &action);
    fact("a handled signal is back to its default", action.sa_handler == SIG_DFL);
    sigaction(SIGUSR2, NULL, &action);
    fact("an ignored signal is still ignored", action.sa_handler == SIG_IGN);
    sigprocmask(SIG_BLOCK, NULL, &set);
    fact("the mask stayed", sigismember(&set, SIGTERM) && !sigismember(&set, SIGINT));
    sigpending(&set);
    fact("the pending signal stayed", sigismember(&set, SIGTERM));
    sigaltstack(NULL, &stack);
    fact("the alternate stack is gone", stack.ss_flags == SS_DISABLE);
    outcome("descriptor 20", fcntl(20, F_GETFD));
    outcome("descriptor 21, close-on-exec", fcntl(21, F_GETFD));
    outcome("descriptor 22, opened O_CLOEXEC and duplicated", fcntl(22, F_GETFD));
    must("getcwd", getcwd(directory, sizeof directory) ? 0 : -1);
    text("the directory", directory);
    fact("the file mode mask stayed", umask(0) == 027);
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "second") == 0) return second_life(argv);
    static char stack_memory[16384];
    stack_t stack = {.ss_sp = stack_memory, .ss_size = sizeof stack_memory};
    sigset_t mask;
    char pid[20];
    must("sigaltstack", sigaltstack(&stack, NULL));
    handle(SIGUSR1, handler, 0);
    handle(SIGUSR2, SIG_IGN, 0);
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    must("sigprocmask", sigprocmask(SIG_SETMASK, &mask, NULL));
    must("kill", kill(getpid(), SIGTERM));
    int fd = must("open", open("/dev/null", O_RDONLY | O_CLOEXEC));
    must("dup2", dup2(fd, 20));
    must("dup3", dup3(fd, 21, O_CLOEXEC));
    must("dup2", dup2(fd, 22));
    must("chdir", chdir("/usr/bin"));
    umask(027);
    snprintf(pid, sizeof pid, "%d", getpid());
    char *arguments[] = {"a name of its own", "second", pid, "", "two words", NULL};
    char *environment[] = {"APUS_NEW=yes", NULL};
    execve("/proc/self/exe", arguments, environment);
    must("execve", -1);
    return 1;
}
