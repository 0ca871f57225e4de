/*
 * summary: FIFOs: opening waits for the other side, O_NONBLOCK does not, and O_RDWR never waits
 * calls: mknodat openat read write fstat unlink
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/stat.h>

int main(void) {
    char data[16];
    result("mkfifo", mkfifo("fifo", 0600));
    result("mkfifo again", mkfifo("fifo", 0600));
    result("open for writing, nobody reads, O_NONBLOCK", open("fifo", O_WRONLY | O_NONBLOCK));
    int reader = open("fifo", O_RDONLY | O_NONBLOCK);
    outcome("open for reading, O_NONBLOCK", reader);
    result("read without a writer is the end", read(reader, data, 1));
    int writer = open("fifo", O_WRONLY | O_NONBLOCK);
    outcome("now for writing", writer);
    result("read with a writer", read(reader, data, 1));
    result("write", write(writer, "through", 7));
    result("read", read(reader, data, 16));
    must("close", close(writer));
    result("the end again", read(reader, data, 1));
    must("close", close(reader));

    int both = open("fifo", O_RDWR);
    outcome("open for both", both);
    must("write", write(both, "to myself", 9));
    result("read", read(both, data, 16));
    must("close", close(both));

    pid_t child = must("fork", fork());
    if (child == 0) {
        int fd = must("open", open("fifo", O_WRONLY));
        must("write", write(fd, "from a child", 12));
        _exit(0);
    }
    reader = must("open", open("fifo", O_RDONLY));
    bytes("open waits for the child", data, read(reader, data, 12));
    result("then its end", read(reader, data, 1));
    wait_status("the child", wait_for(child));

    must("close", close(reader));
    child = must("fork", fork());
    if (child == 0) {
        int fd = must("open", open("fifo", O_RDONLY));
        _exit(read(fd, data, 16));
    }
    writer = must("open", open("fifo", O_WRONLY));
    must("write", write(writer, "abc", 3));
    wait_status("open waits for a reader", wait_for(child));

    must("write", write(both = must("open", open("fifo", O_RDWR)), "kept", 4));
    reader = must("open", open("fifo", O_RDONLY | O_NONBLOCK));
    must("unlink", unlink("fifo"));
    result("after unlink", read(reader, data, 16));
    struct stat status;
    must("fstat", fstat(reader, &status));
    fact("it is a FIFO", S_ISFIFO(status.st_mode));
    result("lseek", lseek(reader, 0, SEEK_SET));
    must("mkfifo", mkfifo("fifo2", 0600));
    int path = must("open", open("fifo2", O_PATH));
    outcome("O_PATH does not wait", path);
    must("close", close(both));
    return 0;
}
