#pragma once
#include <stddef.h>
#include <stdint.h>

/// One system call of the host, without the C library's errno: the result, or a negated error number.
long apus_host_call(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d, unsigned long e,
                    unsigned long f);
