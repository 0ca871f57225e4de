/// Something that is measured on every side.
package struct Operation: Sendable {
    /// How it is measured.
    package enum Work: Sendable {
        /// By the bench program, which has it under its own name: nanoseconds for each.
        case call
        /// The whole life of a command, so many times in a row: nanoseconds for each.
        case life(Int, @Sendable (Fixtures) -> [String])
        /// As `life`, once, of a command that needs sockets of AF_INET.
        case server(@Sendable (Fixtures) -> [String])
        /// What the processes of a runtime take while their guest sleeps: bytes.
        case idle
    }

    /// What a target speaks of, and a baseline compares.
    package enum Measure: String, Sendable, Codable {
        /// To native, within a round.
        case ratio
        case milliseconds
        case megabytes
    }

    /// How users select it, and the key of the store.
    package let name: String
    package let title: String
    package let work: Work
    package var measure = Measure.ratio
    /// The most that the project allows itself, in units of `measure`.
    package var target = Bound<Double>()
    /// Programs of the host that it needs, with the Debian package of each.
    package var needs: [(program: String, package: String)] = []
    /// Whether the short form has it, too.
    package var isQuick = false

    init(_ name: String, _ title: String, _ work: Work = .call) {
        self.name = name
        self.title = title
        self.work = work
        if case .call = work { isQuick = true }
    }

    func within(_ all: Double, _ one: Double? = nil, as measure: Measure = .ratio) -> Operation {
        var operation = self
        operation.target = Bound(all: all, one: one ?? all)
        operation.measure = measure
        return operation
    }

    func needing(_ program: String, of package: String) -> Operation {
        var operation = self
        operation.needs.append((program, package))
        return operation
    }

    var quick: Operation {
        var operation = self
        operation.isQuick = true
        return operation
    }

    /// Every operation, in the order of the tables.
    package static let all = calls + memory + processes + programs + surroundings
}

extension Operation {
    private static let calls = [
        Operation("getpid", "getpid").within(0.1),
        Operation("getuid", "getuid").within(0.1),
        Operation("null-libc", "null call, patched (site in libc)").within(2, 25),
        Operation("null", "null call, not patched").within(14, 35),
        Operation("read1", "read 1 B of /dev/zero").within(3, 20),
        Operation("write1", "write 1 B to /dev/null"),
        Operation("pread-tmpfs", "pread 4 KiB of a tmpfs file").within(3, 10),
        Operation("pread-root", "pread 4 KiB of a root file").within(4, 10),
        Operation("pwrite", "pwrite 4 KiB to a tmpfs file"),
        Operation("open", "open + close of a root file").within(5, 8),
        Operation("stat", "stat of a root file").within(3, 8),
        Operation("pipe", "pipe ping-pong, processes").within(0.4, 3),
        Operation("socketpair", "socket pair ping-pong, processes"),
        Operation("futex", "futex ping-pong, threads").within(0.3, 2),
        Operation("epoll", "epoll_wait with one ready").within(2, 12),
        Operation("signal", "signal to itself, with handler").within(2.5, 5),
        Operation("clock", "clock_gettime").within(1.1),
    ]

    private static let memory = [
        Operation("touch64", "first touch of 64 MiB").within(1.1),
        Operation("mmap-touch", "mmap + touch + munmap of 1 MiB").within(1.3),
        Operation("mmap", "mmap + munmap of 64 KiB").within(2.5),
    ]

    private static let processes = [
        Operation("fork", "fork + exit + wait").within(1.8),
        Operation("exec", "fork + exec + wait").within(2),
        Operation("thread", "thread create + join").within(1.5),
    ]

    private static let programs = [
        Operation(
            "bash", "200 × /bin/true from bash",
            .life(1) { _ in
                ["bash", "-c", "for i in {1..200}; do /bin/true; done"]
            }
        ).within(2).quick,
        Operation(
            "python", "python3 importing json, asyncio, ssl",
            .life(1) { _ in
                ["python3", "-c", "import json, asyncio, ssl"]
            }
        ).within(1.4).needing("python3", of: "python3").quick,
        Operation(
            "tar", "tar cf /dev/null /usr/include",
            .life(1) { _ in
                ["tar", "cf", "/dev/null", "/usr/include"]
            }
        ).within(3).quick,
        Operation("find", "find /usr -type f", .life(1) { _ in ["find", "/usr", "-type", "f"] }).within(2),
        Operation(
            "gcc", "gcc -O1 of 500 lines",
            .life(1) { fixtures in
                ["gcc", "-O1", "-c", "-o", fixtures.path("lines.o"), fixtures.path("lines.c")]
            }
        ).within(1.3).quick,
        Operation(
            "git-status", "git status, 400 files",
            .life(1) { fixtures in
                ["git", "-C", fixtures.path("repository"), "status", "--porcelain"]
            }
        ).needing("git", of: "git"),
        Operation(
            "git-log", "git log -p, 100 commits",
            .life(1) { fixtures in
                ["git", "-C", fixtures.path("repository"), "--no-pager", "log", "-p"]
            }
        ).needing("git", of: "git"),
        Operation(
            "sqlite", "sqlite3, 100,000 rows",
            .life(1) { fixtures in
                ["sh", "-c", fixtures.database]
            }
        ).within(1.15).needing("sqlite3", of: "sqlite3"),
        Operation("redis", "redis, 20,000 requests", .server { fixtures in ["sh", "-c", fixtures.redis] })
            .needing("redis-server", of: "redis-server").needing("redis-benchmark", of: "redis-tools"),
        Operation("nginx", "nginx, 2,000 requests", .server { fixtures in ["sh", "-c", fixtures.nginx] })
            .needing("nginx", of: "nginx"),
    ]

    private static let surroundings = [
        Operation("start", "apus run -- /bin/true", .life(5) { _ in ["/bin/true"] }).within(12, as: .milliseconds)
            .quick,
        Operation("idle", "idle sandbox, PSS of its processes", .idle).within(8, as: .megabytes).quick,
    ]
}
