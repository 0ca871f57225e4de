internal import Corpus
internal import Foundation
internal import HostSystem
internal import TraceModel

/// What the measured programs work on, generated anew for each run, and gone after it.
package struct Fixtures: Sendable {
    /// Absolute. The programs' working directory and HOME.
    package let folder: String
    /// A port of 127.0.0.1 for the servers; 0 where there is none.
    package var port = 0

    package init(folder: String) { self.folder = folder }

    package func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// What everything measured gets, so that no user's settings count.
    package var environment: [String] {
        [
            "PATH=\(Self.searchPath)", "HOME=\(folder)", "LANG=C.UTF-8", "TZ=UTC", "GIT_CONFIG_NOSYSTEM=1",
            "GIT_AUTHOR_NAME=bench", "GIT_AUTHOR_EMAIL=bench@localhost", "GIT_COMMITTER_NAME=bench",
            "GIT_COMMITTER_EMAIL=bench@localhost",
        ]
    }

    package static let searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// Makes everything. Throws `CorpusError` of what can't be made.
    func prepare() throws(CorpusError) {
        do {
            let manager = FileManager.default
            try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try write("lines.c", Self.source)
            try write("nginx.conf", configuration)
            try write("index.html", "<!doctype html><title>bench</title>\n")
        } catch {
            throw CorpusError(
                .stage, folder, "cannot be laid out: \((error as NSError).localizedDescription)",
                remedy: "set TMPDIR to a folder that can be written")
        }
        if HostProgram.find("git", in: Self.searchPath) != nil { try makeRepository() }
    }

    /// Removes everything that the programs left, too.
    package func remove() {
        try? FileManager.default.removeItem(atPath: folder)
        try? FileManager.default.removeItem(atPath: databasePath)
    }

    private func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
    }

    // MARK: gcc

    /// 500 lines of C: 50 functions, each calling those before it.
    static var source: String {
        (0..<50).map { number in
            """
            static unsigned work_\(number)(unsigned *cells, unsigned count) {
                unsigned sum = \(number * 7 + 1);
                for (unsigned i = 0; i < count; i++) {
                    unsigned cell = cells[(i * \(number + 3)) % count];
                    if (cell % \(number % 9 + 2) == 0) sum += cell >> 3;
                    else sum ^= cell << \(number % 5 + 1);
                    cells[i] = sum;
                }
                return sum\(number > 0 ? " + work_\(number - 1)(cells, count / 2 + 1)" : "");
            }
            """
        }.joined(separator: "\n") + "\nunsigned work(unsigned *cells) { return work_49(cells, 4096); }\n"
    }

    // MARK: git

    private static let commits = 100

    private static func file(_ number: Int) -> String { "folder\(number % 20)/file\(number).txt" }

    private static func content(_ number: Int, _ commit: Int) -> String {
        (0..<40).map { "file \(number), line \($0), as of commit \($0 % 10 == commit % 10 ? commit : 0)\n" }.joined()
    }

    /// A history as `git fast-import` takes it.
    static var history: String {
        var text = ""
        for commit in 0..<commits {
            text += "commit refs/heads/main\ncommitter bench <bench@localhost> \(1_700_000_000 + commit * 60) +0000\n"
            let message = "Change \(commit)"
            text += "data \(message.utf8.count)\n\(message)\n"
            let files = commit == 0 ? Array(0..<400) : (0..<5).map { ($0 * 81 + commit * 7) % 400 }
            for number in files {
                let content = content(number, commit)
                text += "M 100644 inline \(file(number))\ndata \(content.utf8.count)\n\(content)\n"
            }
        }
        return text + "done\n"
    }

    private func makeRepository() throws(CorpusError) {
        let repository = path("repository")
        // Refreshed once, so that no run has to do it; then there is something to tell.
        let script = """
            git init -q -b main '\(repository)' && cd '\(repository)' \
            && git fast-import --quiet --done < '\(path("history"))' && git reset -q --hard \
            && sleep 1.1 && git update-index -q --refresh \
            && for i in 0 1 2 3 4; do echo changed >> folder$i/file$i.txt; echo new > folder$i/new.txt; done
            """
        do {
            try write("history", Self.history)
            let command = HostCommand(
                path: "/bin/sh", arguments: ["sh", "-c", script], environment: environment, workingDirectory: folder)
            let outcome = try HostProgram.run(command, seconds: 60)
            guard outcome.status.exitCode == 0 else {
                throw CorpusError(
                    .stage, repository, "cannot be made: \(outcome.text.suffix(300))", remedy: "check that git works")
            }
        } catch let error as CorpusError {
            throw error
        } catch {
            throw CorpusError(.stage, repository, "cannot be made: \(error)", remedy: "check that git works")
        }
    }

    // MARK: sqlite3

    /// In memory on either side, so that no disk counts.
    private var databasePath: String { "/dev/shm/" + (folder as NSString).lastPathComponent + ".db" }

    var database: String {
        let statements = """
            CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL);
            BEGIN;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
            INSERT INTO item SELECT i, 'item ' || i, i * 7 % 1000 / 10.0 FROM n;
            COMMIT;
            CREATE INDEX price ON item (price);
            SELECT count(*), sum(price) FROM item WHERE price BETWEEN 10 AND 60;
            """
        return "rm -f '\(databasePath)'; sqlite3 -bail '\(databasePath)' \"\(statements)\" && rm -f '\(databasePath)'"
    }

    // MARK: Servers

    var redis: String {
        """
        redis-server --port \(port) --bind 127.0.0.1 --save '' --appendonly no --dir '\(folder)' > /dev/null &
        server=$!
        for i in $(seq 100); do redis-cli -p \(port) ping > /dev/null 2>&1 && break; sleep 0.02; done
        redis-benchmark -p \(port) -n 10000 -c 8 -t get,set -q; status=$?
        kill $server; wait $server; exit $status
        """
    }

    private var configuration: String {
        """
        daemon off; master_process off; error_log stderr crit; pid \(path("nginx.pid"));
        events { worker_connections 64; }
        http {
          access_log off; client_body_temp_path \(path("body")); proxy_temp_path \(path("proxy"));
          fastcgi_temp_path \(path("fastcgi")); uwsgi_temp_path \(path("uwsgi")); scgi_temp_path \(path("scgi"));
          server { listen 127.0.0.1:\(port); root \(folder); }
        }

        """
    }

    var nginx: String {
        """
        nginx -p '\(folder)' -c '\(path("nginx.conf"))' & server=$!
        '\(path("bench"))' get \(port) 2000; status=$?
        kill $server; wait $server; exit $status
        """
    }
}
