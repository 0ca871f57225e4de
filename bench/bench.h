#pragma once
#include <stdint.h>

/// Ends the program with a message that names errno.
_Noreturn void fail(const char *what);

/// The result of a call that must not fail.
long checked(long result, const char *what);

/// CLOCK_MONOTONIC in nanoseconds.
int64_t now(void);

/// Reaps a child, which must have ended with status 0.
void await(int child, const char *what);

/// Something that can be done `count` times, after `prepare` where that is given.
struct operation {
    const char *name;
    void (*run)(long count);
    void (*prepare)(void);
};

/// Lists that end with an operation without a name.
extern const struct operation call_operations[], partner_operations[];

/// The modes of the program besides operations; each returns the exit status.
int guard(int is_bound, char **command);
int life(int repeats, char **command);
int free_port(void);
int get_pages(int port, int count);
