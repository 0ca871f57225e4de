/*
 * summary: writes of up to PIPE_BUF bytes never mix, larger ones arrive whole in the end
 * calls: write read fork pipe2
 */
#include "apus.h"
#include <limits.h>

enum { WRITERS = 4, ROUNDS = 100, SIZE = 4096 };

int main(void) {
    int ends[2], torn = 0, counts[WRITERS] = {0};
    static char record[SIZE];
    must("pipe", pipe(ends));
    number("PIPE_BUF", PIPE_BUF);
    pid_t children[WRITERS];
    for (int w = 0; w < WRITERS; w++) {
        children[w] = must("fork", fork());
        if (children[w] != 0) continue;
        close(ends[0]);
        memset(record, 'A' + w, sizeof record);
        for (int i = 0; i < ROUNDS; i++)
            if (write(ends[1], record, SIZE) != SIZE) _exit(1);
        _exit(0);
    }
    close(ends[1]);
    long used = 0;
    for (long n; (n = read(ends[0], record + used, SIZE - used)) > 0;) {
        used += n;
        if (used < SIZE) continue;
        used = 0;
        for (int i = 1; i < SIZE; i++)
            if (record[i] != record[0]) {
                torn++;
                break;
            }
        int writer = record[0] - 'A';
        if (writer >= 0 && writer < WRITERS) counts[writer]++;
    }
    for (int w = 0; w < WRITERS; w++) {
        number("records of a writer", counts[w]);
        wait_status("it", wait_for(children[w]));
    }
    number("torn records", torn);

    must("pipe", pipe(ends));
    pid_t child = must("fork", fork());
    if (child == 0) {
        close(ends[0]);
        static char big[1 << 20];
        for (size_t i = 0; i < sizeof big; i++) big[i] = (char)(i * 7);
        _exit(write(ends[1], big, sizeof big) == sizeof big ? 0 : 1);
    }
    close(ends[1]);
    long total = 0, wrong = 0;
    static char part[10007];
    for (long n; (n = read(ends[0], part, sizeof part)) > 0; total += n)
        for (long i = 0; i < n; i++) wrong += part[i] != (char)((total + i) * 7);
    number("a write of a mebibyte arrives, bytes", total);
    number("wrong bytes", wrong);
    wait_status("its writer", wait_for(child));
    return 0;
}
