/*
 * summary: posix_spawn with file actions, attributes and errors
 * calls: clone vfork execve wait4 dup2 openat
 * file: input 644 first line\nsecond line\n
 */
#include "apus.h"
#include <fcntl.h>
#include <spawn.h>

extern char **environ;

static pid_t child;

static void finish(const char *what, int error) {
    if (error != 0) {
        returned(what, error);
        return;
    }
    wait_status(what, wait_for(child));
}

int main(void) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t set;
    char *cat[] = {"cat", NULL};
    char *shell[] = {"sh", "-c", "echo to-the-file; exit 3", NULL};
    char *kill_self[] = {"sh", "-c", "kill -TERM $$; echo survived", NULL};
    char *group[] = {"sh", "-c", "test $(cut -d' ' -f5 /proc/$$/stat) = $$", NULL};

    finish("by a path search", posix_spawnp(&child, "true", NULL, NULL, (char *[]){"true", NULL}, environ));
    finish("missing", posix_spawn(&child, "/nowhere/program", NULL, NULL, cat, environ));
    finish("a directory", posix_spawn(&child, "/tmp", NULL, NULL, cat, environ));

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "input", O_RDONLY, 0);
    finish("cat of a redirected file", posix_spawnp(&child, "cat", &actions, NULL, cat, environ));
    posix_spawn_file_actions_addopen(&actions, 0, "missing", O_RDONLY, 0);
    finish("an action that fails", posix_spawnp(&child, "cat", &actions, NULL, cat, environ));
    posix_spawn_file_actions_destroy(&actions);

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 9, "output", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&actions, 9, 1);
    posix_spawn_file_actions_addclose(&actions, 9);
    finish("output to a file", posix_spawn(&child, "/bin/sh", &actions, NULL, shell, environ));
    posix_spawn_file_actions_destroy(&actions);
    char data[64];
    int fd = must("open", open("output", O_RDONLY));
    bytes("the file", data, read(fd, data, sizeof data));

    posix_spawnattr_init(&attributes);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    posix_spawnattr_setsigmask(&attributes, &set);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    finish("SIGTERM blocked by an attribute", posix_spawn(&child, "/bin/sh", NULL, &attributes, kill_self, environ));
    handle(SIGTERM, SIG_IGN, 0);
    finish("SIGTERM ignored, inherited", posix_spawn(&child, "/bin/sh", NULL, NULL, kill_self, environ));
    posix_spawnattr_setsigdefault(&attributes, &set);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    finish("SIGTERM back to its default", posix_spawn(&child, "/bin/sh", NULL, &attributes, kill_self, environ));
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    finish("a group of its own", posix_spawn(&child, "/bin/sh", NULL, &attributes, group, environ));
    posix_spawnattr_destroy(&attributes);
    return 0;
}
