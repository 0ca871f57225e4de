import SyscallTableGenerator
import Testing

@Suite("syscall_64.tbl and scripts/syscall.tbl")
struct SyscallTblParserTests {
    private func parse(_ text: String, abis: Set<String> = ["common", "64"]) throws -> [NumberFact] {
        try SyscallTblParser.parse(text, file: "t.tbl", architecture: .x86_64, abis: abis)
    }

    @Test("a row is number, ABI, name and entry; comments, blank lines and further fields don't matter")
    func rows() throws {
        let rows = try parse(
            """
            # SPDX-License-Identifier: none
            #
            60\tcommon\texit\t\tsys_exit\t\t-\t\tnoreturn
            0 common read sys_read # the first

            134 64 uselib
            180 64 nfsservctl -
            """)
        #expect(rows.map(\.number) == [0, 60, 134, 180])
        #expect(rows.map(\.name) == ["read", "exit", "uselib", "nfsservctl"])
        #expect(rows.map(\.entry) == ["sys_read", "sys_exit", nil, nil])
        #expect(rows.map(\.abi) == ["common", "common", "64", "64"])
    }

    @Test("rows of other ABIs are left out, even where they reuse a number")
    func otherABIs() throws {
        let rows = try parse("13 64 rt_sigaction sys_rt_sigaction\n13 x32 rt_sigaction compat_sys_rt_sigaction\n")
        #expect(rows.map(\.abi) == ["64"])
    }

    @Test(
        "a row that is none names its line",
        arguments: [("0 common", 1), ("0 common read\nzero common write", 2), ("-1 common read", 1), ("\n\n7 64", 3)])
    func malformed(text: String, line: Int) {
        #expect(throws: GeneratorError(file: "t.tbl", line: line, reason: "expected `number abi name [entry]`")) {
            try parse(text)
        }
    }

    @Test("one number can't be two calls of an architecture")
    func clash() {
        #expect(throws: GeneratorError(file: "t.tbl", line: 2, reason: "number 3 is close and shut for x86_64")) {
            try parse("3 common close sys_close\n3 64 shut sys_shut\n")
        }
    }

    @Test("an architecture's Makefile.syscalls adds to its ABIs; the 32-bit ones are of no concern")
    func makefile() {
        let text = "syscall_abis_32 += time32 memory\nsyscall_abis_64 += renameat rlimit memory\n\n# nothing\n"
        #expect(SyscallTblParser.abis(makefile: text) == ["common", "64", "renameat", "rlimit", "memory"])
        #expect(SyscallTblParser.abis(makefile: "") == ["common", "64"])
    }
}
