/*
 * summary: interpreter lines: one optional argument, white space, nesting, missing and recursive interpreters
 * calls: execve
 * file: echo.sh 755 #!/bin/echo\nignored
 * file: one.sh 755 #!/bin/echo one two  three \nignored
 * file: blank.sh 755 #! \t /bin/echo\t arg\n
 * file: noend.sh 755 #!/bin/echo noend
 * file: shell.sh 755 #!/bin/sh\necho "in the shell: $0 $1 $#"\nexit 12\n
 * file: shelldash.sh 755 #!/bin/sh -e\nfalse\nexit 12\n
 * file: nested.sh 755 #!./shell.sh inner\n
 * file: missing.sh 755 #!/nowhere/interpreter\n
 * file: empty.sh 755 #!\n
 * file: spaces.sh 755 #!   \n
 * file: directory.sh 755 #!/tmp\n
 * file: self.sh 755 #!./self.sh\n
 * file: plaintext.sh 755 #!./notexec\n
 * file: notexec 644 #!/bin/sh\n
 * file: d1.sh 755 #!./echo.sh\n
 * file: d2.sh 755 #!./d1.sh\n
 * file: d3.sh 755 #!./d2.sh\n
 * file: d4.sh 755 #!./d3.sh\n
 * file: d5.sh 755 #!./d4.sh\n
 * file: d6.sh 755 #!./d5.sh\n
 */
#include "apus.h"
#include <fcntl.h>

static void run(const char *path, const char *first) {
    char what[64];
    snprintf(what, sizeof what, "  %s", path);
    pid_t child = must("fork", fork());
    if (child == 0) {
        char *arguments[] = {"zero", (char *)first, NULL};
        char *environment[] = {NULL};
        execve(path, arguments, environment);
        result(what, -1);
        _exit(99);
    }
    wait_status(what, wait_for(child));
}

int main(void) {
    static const char *const simple[] = {
        "echo.sh",   "one.sh",    "blank.sh",     "noend.sh", "shell.sh", "shelldash.sh", "nested.sh",
        "missing.sh", "empty.sh",
        "spaces.sh", "directory.sh", "self.sh", "plaintext.sh", "d2.sh", "d3.sh", "d4.sh", "d5.sh", "d6.sh",
    };
    for (size_t i = 0; i < COUNT(simple); i++) {
        char path[64];
        snprintf(path, sizeof path, "./%s", simple[i]);
        run(path, "argument");
    }
    line("with no argument");
    run("./shell.sh", NULL);

    char start[400] = "#!/bin/echo ";
    memset(start + 12, 'x', 300);
    memcpy(start + 312, "\nrest\n", 7);
    int fd = must("open", open("long.sh", O_WRONLY | O_CREAT, 0755));
    must("write", write(fd, start, strlen(start)));
    must("close", close(fd));
    line("an argument longer than the line's 256 bytes is cut");
    run("./long.sh", "argument");
    memset(start + 2, '/', 300);
    fd = must("open", open("longpath.sh", O_WRONLY | O_CREAT, 0755));
    must("write", write(fd, start, strlen(start)));
    must("close", close(fd));
    line("an interpreter's path longer than that is not");
    run("./longpath.sh", "argument");
    return 0;
}
