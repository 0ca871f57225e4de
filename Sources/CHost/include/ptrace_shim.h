#pragma once
#include <stddef.h>
#include <stdint.h>

// ptrace(2) for the native tracer. Everything returns 0 (or what is said) or a negated errno. All calls about one tracee
// come from the thread that spawned it: to the kernel, that thread is the tracer.

/// Where a tracee stands, as PTRACE_GET_SYSCALL_INFO says it.
struct apus_ptrace_call {
    /// 0 not in a call, 1 entering, 2 returning.
    uint8_t phase;
    uint32_t architecture;
    uint64_t instruction_pointer;
    uint64_t stack_pointer;
    uint64_t number;
    uint64_t arguments[6];
    int64_t result;
};

/// The fields of a pending signal's siginfo_t that a trace keeps.
struct apus_ptrace_signal {
    int32_t number;
    int32_t code;
    int32_t sender;
    int32_t value;
    uint64_t address;
};

/// Forks a child that waits to be released and then becomes `path`. `standard` are its descriptors 0 to 2 (each -1 to
/// keep the caller's); everything above is closed by the exec. With `session` it leads a session of its own. Signals are
/// reset. `*release` gets the descriptor to write one byte to, `*failure` the one that gives the errno if the exec fails,
/// and ends otherwise. Returns the child's number.
int apus_ptrace_spawn(const char *path, char *const arguments[], char *const environment[], const char *directory,
                      const int standard[3], int session, int *release, int *failure);

/// Seizes a task with every option that the tracer needs; it is killed when the calling thread ends.
int apus_ptrace_seize(int task);

/// Stops a seized task wherever it is; apus_ptrace_wait_for tells when it has stopped.
int apus_ptrace_interrupt(int task);

/// Lets a child of apus_ptrace_spawn go on; closes `release`.
void apus_ptrace_release(int release);

/// The errno of a failed exec, 0 for success; blocks until one of them; closes `failure`.
int apus_ptrace_failure(int failure);

/// Interrupts the calling thread's apus_ptrace_wait every `milliseconds` from now on, and nothing else that it does: a
/// tracer whose tracees are silent must be able to look at the clock and at them. `*ticks` is for apus_ptrace_ticks_end.
int apus_ptrace_ticks(uint64_t milliseconds, intptr_t *ticks);
void apus_ptrace_ticks_end(intptr_t ticks);

/// Waits for any task that the calling thread has made or traces. Returns its number, 0 if `block` is 0 and nothing has
/// happened, -EINTR after a tick or another signal, -ECHILD if there is none left.
int apus_ptrace_wait(int *status, int block);

/// Waits for one task.
int apus_ptrace_wait_for(int task, int *status);

/// Resumes up to the next call, with a signal to be delivered or 0.
int apus_ptrace_resume(int task, int signal);

/// Resumes without stopping at calls, with a signal to be delivered or 0.
int apus_ptrace_continue(int task, int signal);

/// Lets a stopped tracee go for good.
int apus_ptrace_detach(int task);

/// Resumes in a group-stop, without ending the stop.
int apus_ptrace_listen(int task);

int apus_ptrace_message(int task, unsigned long *message);
int apus_ptrace_call_info(int task, struct apus_ptrace_call *call);
int apus_ptrace_signal_info(int task, struct apus_ptrace_signal *signal);

/// Reads up to `count` bytes of the tracee's memory; how many could be read from the start.
long apus_ptrace_read(int task, uint64_t address, void *bytes, size_t count);

int apus_ptrace_kill(int process);

/// Runs `body(context)` on a new thread and waits for its end.
int apus_ptrace_on_thread(void (*body)(void *), void *context);

/// A pipe whose ends are both close-on-exec: reader, writer.
int apus_ptrace_pipe(int ends[2]);

/// Reads at most `count` bytes; 0 at the end. Repeats when interrupted.
long apus_ptrace_read_descriptor(int descriptor, void *bytes, size_t count);
void apus_ptrace_close(int descriptor);

/// CLOCK_MONOTONIC in nanoseconds.
int64_t apus_ptrace_time(void);
