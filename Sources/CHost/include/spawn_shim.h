#pragma once
#include <stddef.h>

// Starting programs for the toolkit. Everything returns a negated errno on failure.

/// Strings one after the other, each with its NUL.
struct apus_strings {
    const char *bytes;
    size_t count;
};

/// Starts a program whose life ends with the calling thread's (PR_SET_PDEATHSIG). `directory` may be null for the
/// caller's; `standard` are its descriptors 0 to 2 (each -1 to keep the caller's), and it gets no other. Signals are
/// reset. Returns the child's number; the errno of a failed execve, chdir or dup2 included.
int apus_spawn(const char *path, struct apus_strings arguments, struct apus_strings environment, const char *directory,
               const int standard[3]);

/// Waits for a child for at most `milliseconds` (-1: without end) and reaps it. Returns 1 with its wait status in
/// `status`, or 0 when time is up.
int apus_spawn_wait(int child, int milliseconds, int *status);

/// Becomes another program; with `keeps` in this one's environment instead. Returns only if that fails.
int apus_execute(const char *path, struct apus_strings arguments, struct apus_strings environment, _Bool keeps);
