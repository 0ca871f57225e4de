/*
 * summary: the errnos of execve, after which the caller goes on as before
 * calls: execve
 * file: plain 644 just text
 * file: noformat 755 just text, executable
 * file: empty 755
 * file: truncated 755 \x7fELF
 * file: dir/inner 644 x
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/stat.h>

static char *words[] = {"word", NULL};
static char *none[] = {NULL};

static void try(const char *what, const char *path, char **arguments, char **environment) {
    result(what, execve(path, arguments, environment));
}

int main(void) {
    static char longest[5000], component[300];
    memset(longest, 'a', sizeof longest - 1);
    memset(component, 'b', sizeof component - 1);
    must("symlink", symlink("loop", "loop"));
    must("symlink", symlink("nowhere", "dangling"));

    try("missing", "missing", words, none);
    try("the empty path", "", words, none);
    try("no execute permission", "plain", words, none);
    try("a directory", "dir", words, none);
    try("a device", "/dev/null", words, none);
    try("below a file", "plain/below", words, none);
    try("text without an interpreter line", "noformat", words, none);
    try("an empty file", "empty", words, none);
    try("four bytes of ELF", "truncated", words, none);
    try("a symbolic link to itself", "loop", words, none);
    try("a dangling symbolic link", "dangling", words, none);
    try("a path too long", longest, words, none);
    try("a component too long", component, words, none);
    try("a wild path", WILD, words, none);
    try("wild arguments", "/bin/true", WILD, none);
    try("a wild environment", "/bin/true", words, WILD);
    char *wild_word[] = {"word", WILD, NULL};
    try("a wild argument", "/bin/true", wild_word, none);
    try("a wild variable", "/bin/true", words, wild_word);
    try("missing, with wild arguments", "missing", WILD, none);

    char *huge = malloc(200000);
    memset(huge, 'c', 199999);
    huge[199999] = 0;
    char *long_word[] = {huge, NULL};
    try("one argument of 200,000 bytes", "/bin/true", long_word, none);
    huge[131071] = 0;
    pid_t child = must("fork", fork());
    if (child == 0) {
        try("131,071 bytes and a zero", "/bin/true", long_word, none);
        _exit(9);
    }
    wait_status("one argument of 131,071 bytes", wait_for(child));

    int fd = must("open", open("/bin/true", O_RDONLY));
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d/x", fd);
    try("below an open file", path, words, none);

    int writer = must("open", open("written", O_WRONLY | O_CREAT, 0755));
    must("write", write(writer, "#!/bin/sh\nexit 3\n", 17));
    try("open for writing", "written", words, none);
    must("close", close(writer));
    child = must("fork", fork());
    if (child == 0) {
        try("closed", "written", words, none);
        _exit(9);
    }
    wait_status("after it was closed", wait_for(child));
    return 0;
}
