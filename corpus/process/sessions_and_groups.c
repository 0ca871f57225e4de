/*
 * summary: setsid, setpgid, getsid and getpgid, and who may move whom
 * calls: setsid setpgid getsid getpgid getpgrp
 */
#include "apus.h"

static int ready[2], go[2];

static void tell(void) { must("write", write(ready[1], "x", 1)); }

static void await(int *ends) {
    char byte;
    must("read", read(ends[0], &byte, 1));
}

static void leader(void) {
    pid_t session = setsid();
    fact("setsid returns the pid", session == getpid());
    fact("the group is the pid", getpgrp() == getpid());
    fact("the session is the pid", getsid(0) == getpid());
    result("setsid of a leader", setsid());
    result("setpgid of a session leader", setpgid(0, 0));
    pid_t child = must("fork", fork());
    if (child == 0) {
        fact("a child is in its parent's session", getsid(0) == getppid());
        fact("and in its group", getpgrp() == getppid());
        result("it makes a group of its own", setpgid(0, 0));
        fact("whose leader it is", getpgrp() == getpid());
        fact("the session did not change", getsid(0) == getppid());
        result("setsid of a group leader", setsid());
        result("it goes back to the parent's group", setpgid(0, getppid()));
        fact("setsid works now", setsid() == getpid());
        tell();
        await(go);
        _exit(0);
    }
    await(ready);
    result("a child in another session", setpgid(child, getpid()));
    fact("its session can be asked", getsid(child) == child);
    fact("and its group", getpgid(child) == child);
    must("write", write(go[1], "x", 1));
    wait_status("it", wait_for(child));
}

int main(void) {
    must("pipe", pipe(ready));
    must("pipe", pipe(go));
    wait_status("the session's leader", in_child(leader));

    pid_t child = must("fork", fork());
    if (child == 0) {
        tell();
        for (;;) pause();
    }
    await(ready);
    result("a parent moves its child into a group of its own", setpgid(child, child));
    fact("it is there", getpgid(child) == child);
    result("back to ours", setpgid(child, getpgrp()));
    result("into a group that does not exist", setpgid(child, 0x3fffffff));
    result("a negative group", setpgid(child, -1));
    result("our parent, who is no child", setpgid(getppid(), 0));
    result("nobody", setpgid(0x3fffffff, 0));
    result("getpgid of nobody", getpgid(0x3fffffff));
    result("getsid of nobody", getsid(0x3fffffff));
    result("getpgid of a negative pid", getpgid(-1));

    int output[2], input[2];
    must("pipe", pipe(output));
    must("pipe", pipe(input));
    kill(child, SIGKILL);
    wait_status("the child", wait_for(child));
    child = must("fork", fork());
    if (child == 0) {
        dup2(input[0], 0);
        dup2(output[1], 1);
        execl("/bin/sh", "sh", "-c", "echo; read line", (char *)NULL);
        _exit(1);
    }
    await(output);
    result("a child that has called exec", setpgid(child, child));
    must("write", write(input[1], "\n", 1));
    wait_status("it", wait_for(child));
    return 0;
}
