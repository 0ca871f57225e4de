import Foundation
import Testing

extension SandboxTests.LocalPipes {
    /// Two processes of which one, or both, overwrite all that they share and all that their stubs were told.
    private static let forgery = #"""
        #include <errno.h>
        #include <fcntl.h>
        #include <sched.h>
        #include <signal.h>
        #include <stdint.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/mman.h>
        #include <sys/wait.h>
        #include <unistd.h>
        \#(Programs.randomNumbers)
        #define TOLD ((volatile uint32_t *)(0x7ef000100000ul + 0x3f30000))
        // A line for each of two pipes, then their bytes.
        #define LINK ((volatile uint64_t *)0x7ef100000000ul)
        struct shared { uint64_t told, died, got, stop, version, closed; };
        static volatile struct shared *s;
        static int there[2], back[2];
        static void start(void) { if (pipe(there) || pipe(back)) exit(98); }
        static int round_trip(char byte) {
            char answer;
            return write(there[1], &byte, 1) == 1 && read(back[0], &answer, 1) == 1 && answer == byte;
        }
        static void echo(int most) {
            char byte;
            while (most-- && read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1) {}
        }
        // Both until the kernel has left the pipes to them.
        static int heat(void) {
            for (int i = 0; i < 20000; i++) {
                if (!round_trip(i)) return 0;
                if (TOLD[0]) return 1;
            }
            return 0;
        }
        static void forge(void) {
            uint64_t version = TOLD[0], word;
            switch (next() % 6) {
            case 0: LINK[8 * (next() % 2)] = next(); break;
            case 1: LINK[8 * (next() % 2)] = version << 32 | next() & 0xffffffff; break;
            case 2: LINK[8 * (next() % 2)] = version << 32 | (4096ul - next() % 3) << 16 | next() % 4098; break;
            case 3: LINK[next() % 1536] = next(); break;
            case 4: TOLD[next() % 5] = next() % 2 ? next() % 8 : next(); break;
            case 5: word = LINK[0]; LINK[0] = LINK[8]; LINK[8] = word; break;
            }
        }
        // Either side forges, among calls; nobody is held up, and its own are all who hear of it.
        static void lies(int times) {
            for (int i = 0; i < times; i++) {
                start();
                int liar = i % 3;
                pid_t child = fork();
                if (child == 0) {
                    state += i * 977;
                    close(there[1]);
                    close(back[0]);
                    alarm(5);
                    echo(i ? 500 : 20400);
                    for (int n = 0; n < 3000; n++) { if (liar != 1) forge(); fcntl(there[0], F_SETFL, n % 7 ? 0 : O_NONBLOCK); echo(1 + next() % 40); }
                    _exit(0);
                }
                pid_t other = fork();
                if (other == 0) {
                    state += i * 1977;
                    close(there[0]);
                    close(back[1]);
                    alarm(5);
                    for (int n = 0; n < 400; n++) round_trip(n);
                    // Before anybody has lied it does not take long.
                    if (i ? TOLD[0] : heat()) s->told++;
                    for (int n = 0; n < 3000; n++) {
                        if (liar != 0) forge();
                        char bytes[4096];
                        fcntl(back[0], F_SETFL, O_NONBLOCK);
                        write(there[1], bytes, 1 + next() % 100);
                        read(back[0], bytes, 1 + next() % 4096);
                        if (n % 100 == 0) { fcntl(back[0], F_SETFL, 0); heat(); }
                    }
                    _exit(0);
                }
                close(there[0]); close(there[1]); close(back[0]); close(back[1]);
                int status;
                waitpid(other, &status, 0);
                // Or it waits for bytes that it has forged away.
                kill(child, SIGKILL);
                waitpid(child, &status, 0);
            }
        }
        // A reader that has given its end to another process reads no more, whatever it writes into what it had shared.
        static void steals(void) {
            start();
            pid_t child = fork();
            if (child == 0) {
                close(there[1]);
                close(back[0]);
                alarm(20);
                uint32_t version = 0;
                for (char byte = 0; byte != 2 && read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1;)
                    if (TOLD[0]) s->version = version = TOLD[0];
                pid_t heir = fork();
                if (heir == 0) {
                    uint64_t message, expected = 1;
                    while (read(there[0], &message, 8) == 8) s->got += message == expected++;
                    _exit(0);
                }
                close(there[0]);
                close(back[1]);
                s->closed = 1;
                uint64_t stolen = 0;
                while (!s->stop) {
                    // What the writer's stub would believe.
                    uint64_t word = LINK[0];
                    if (word >> 32 != version || word & 0xffff0000) { stolen += word >> 32 == version; LINK[0] = (uint64_t)version << 32; }
                    LINK[8] = (uint64_t)version << 32;
                }
                waitpid(heir, 0, 0);
                _exit(stolen ? 1 : 0);
            }
            close(there[0]);
            close(back[1]);
            // Until both were told; by the last byte the reader knows that it is the last.
            char byte, answer;
            int n = 0;
            do byte = s->version || n++ == 200000 ? 2 : 1;
            while (write(there[1], &byte, 1) == 1 && read(back[0], &answer, 1) == 1 && byte != 2);
            while (!s->closed) sched_yield();
            for (uint64_t message = 1; message <= 3000; message++) if (write(there[1], &message, 8) != 8) exit(97);
            s->stop = 1;
            close(there[1]);
            int status;
            waitpid(child, &status, 0);
            if (status) s->died++;
        }
        int main(int count, char **arguments) {
            s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
            if (!strcmp(arguments[1], "steals")) {
                steals();
                printf("%d %ld %ld\n", s->version != 0, s->got, s->died);
                return 0;
            }
            lies(24);
            // Whoever is honest comes after them, and is served.
            start();
            pid_t child = fork();
            if (child == 0) { close(there[1]); close(back[0]); echo(1 << 30); _exit(0); }
            close(there[0]);
            close(back[1]);
            int good = 0;
            for (int i = 0; i < 3000; i++) good += round_trip(i);
            close(there[1]);
            waitpid(child, 0, 0);
            printf("%d %d\n", s->told > 0, good);
            return 0;
        }
        """#

    @Test(
        "who forges what two stubs share fools these two, holds nobody up and reads nothing that is not its own",
        arguments: [("lies", "1 3000\n"), ("steals", "1 3000 0\n")], [["taskset", "-c", "0"], []])
    func forged(way: (name: String, prints: String), wrapper: [String]) async throws {
        let outcome = try await Programs.run(Self.forgery, arguments: [way.name], wrapper: wrapper)
        // A debug build's kernel on the other processor takes longer than a stub waits: there the pipes may stay the kernel's.
        let told = wrapper.isEmpty ? outcome.output.prefix(1) : "1"
        #expect(outcome.output == told + way.prints.dropFirst(), "\(outcome.errors)")
        #expect(outcome.status == 0)
    }
}
