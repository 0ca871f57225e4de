import Foundation
import SyscallTableGenerator
import Testing

@Suite("events/syscalls/*/format")
struct TracefsParserTests {
    private static let read = """
        name: sys_enter_read
        ID: 842
        format:
        \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
        \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

        \tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;
        \tfield:unsigned int fd;\toffset:16;\tsize:8;\tsigned:0;
        \tfield:char * buf;\toffset:24;\tsize:8;\tsigned:0;
        \tfield:size_t count;\toffset:32;\tsize:8;\tsigned:0;

        print fmt: "fd: 0x%08lx", ((unsigned long)(REC->fd))
        """

    @Test("the event's own fields are no parameters")
    func signature() throws {
        let signature = try TracefsParser.signature(Self.read, file: "f")
        #expect(signature.entry == "sys_read")
        #expect(
            signature.parameters
                == [("unsigned int", "fd"), ("char *", "buf"), ("size_t", "count")].map {
                    ParameterFact(type: $0.0, name: $0.1)
                })
    }

    @Test("what is no sys_enter event is refused")
    func stranger() {
        for text in ["", "name: sched_switch\n\tfield:int a;\n", "\u{0}\u{1}\n"] {
            #expect(throws: GeneratorError(file: "f", reason: "names no sys_enter_ event")) {
                try TracefsParser.signature(text, file: "f")
            }
        }
    }

    @Test("a field that never ends names its line")
    func unfinished() {
        #expect(throws: GeneratorError(file: "f", line: 2, reason: "a field never ends")) {
            try TracefsParser.signature("name: sys_enter_x\n\tfield:int a", file: "f")
        }
    }

    @Test("a folder without events gives nothing, one with events gives them in order")
    func folder() throws {
        try withTemporaryFolder { folder in
            #expect(try TracefsParser.signatures(below: folder) == nil)
            for name in ["write", "read"] {
                let event = folder.appendingPathComponent("events/syscalls/sys_enter_\(name)")
                try FileManager.default.createDirectory(at: event, withIntermediateDirectories: true)
                let text = Self.read.replacingOccurrences(of: "enter_read", with: "enter_\(name)")
                try Data(text.utf8).write(to: event.appendingPathComponent("format"))
            }
            #expect(try TracefsParser.signatures(below: folder)?.map(\.entry) == ["sys_read", "sys_write"])
        }
    }
}
