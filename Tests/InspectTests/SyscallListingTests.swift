import Foundation
import Inspect
import LinuxABI
import Testing

@Suite("apus syscalls' table")
struct SyscallListingTests {
    private let listing = SyscallListing(
        .x86_64, statuses: [0: (.full, ""), 16: (.partial, "tty, \"pipes\" | files"), 175: (.refused, "EPERM")])

    @Test("what the sandbox says, what it lacks, and what Linux itself lacks are told apart")
    func support() {
        func support(_ name: String) -> SyscallListing.Support? { listing.rows.first { $0.name == name }?.support }
        #expect(support("read") == .full)
        #expect(support("ioctl") == .partial)
        #expect(support("init_module") == .refused)
        #expect(support("write") == .missing)
        #expect(support("uselib") == .absent)
        #expect(listing.rows.count == SyscallTable.descriptions(for: .x86_64).count)
    }

    @Test("filters keep what was asked for, and the summary counts it")
    func filters() {
        var some = listing
        some.keep([.full, .partial])
        #expect(some.rows.map(\.name) == ["read", "ioctl"])
        #expect(some.summary == "2 calls: 1 full, 1 partial")
        some.keep([])
        #expect(some.summary == "0 calls")
    }

    @Test("the sandbox speaks of x86-64 only, and a sandbox that could not be asked of nothing")
    func unknown() {
        for listing in [SyscallListing(.aarch64, statuses: [0: (.full, "")]), SyscallListing(.x86_64, statuses: nil)] {
            #expect(Set(listing.rows.map(\.support)) == [.unknown, .absent])
        }
    }

    @Test("signatures read like C")
    func signatures() {
        #expect(listing.rows[0].signature == "unsigned int fd, char *buf, size_t count")
        #expect(listing.rows.first { $0.name == "getpid" }?.signature == "")
    }

    @Test("the table has a line for each call and the summary")
    func table() {
        let lines = listing.table.split(separator: "\n")
        #expect(lines.count == listing.rows.count + 2)
        #expect(lines[1].hasPrefix("   0  read"))
        #expect(lines[1].hasSuffix("full     (unsigned int fd, char *buf, size_t count) -> bytes"))
        #expect(lines.last.map(String.init) == listing.summary)
    }

    @Test("CSV quotes what it must, Markdown escapes its bars")
    func quoting() {
        let csv = listing.csv.components(separatedBy: "\r\n")
        #expect(csv[0] == "architecture,number,name,in_linux,support,note,result,parameters")
        #expect(csv[1] == "x86_64,0,read,yes,full,,bytes,\"unsigned int fd, char *buf, size_t count\"")
        #expect(csv[17].hasPrefix("x86_64,16,ioctl,yes,partial,\"tty, \"\"pipes\"\" | files\",value,"))
        #expect(listing.markdown.contains("| partial | tty, \"pipes\" \\| files |\n"))
    }
}
