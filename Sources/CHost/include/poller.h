#pragma once
#include <stdint.h>

/// A thread that turns the readiness of host descriptors into entries of a ring that the kernel's thread empties.
/// `word` goes up by one and one of its futex waiters is woken with each batch. Returns 0 or a negated errno.
int apus_poller_start(uint32_t *word);

/// Returns when the thread, if there is one, makes no other calls any more than those of its watching.
void apus_poller_settle(void);

/// Asks for one report of `events` (epoll's) of a descriptor, under `token`. EEXIST can't happen: an armed descriptor is
/// re-armed. Returns 0 or a negated errno (EPERM: a regular file, which is always ready).
int apus_poller_arm(int descriptor, uint32_t events, uint64_t token);

/// Forgets a descriptor that is about to be closed.
void apus_poller_disarm(int descriptor);

/// Takes one report: the token in `token`, the events as the result; 0 when there is none.
uint32_t apus_poller_take(uint64_t *token);
