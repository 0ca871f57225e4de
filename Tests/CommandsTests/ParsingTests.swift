import ArgumentParser
import Testing

@testable import Commands

@Suite("the command line")
struct ParsingTests {
    private func status(_ words: [String]) -> Int32 {
        do {
            _ = try Apus.parseAsRoot(words)
            return 0
        } catch {
            return Apus.exitCode(for: error).rawValue
        }
    }

    @Test(
        "wrong usage exits 64",
        arguments: [
            ["fly"], ["--fast"],
            ["run"], ["run", "--"], ["run", "--bogus", "--", "ls"], ["run", "--memory", "lots", "--", "ls"],
            ["run", "--memory", "0", "--", "ls"], ["run", "--memory", "99999999T", "--", "ls"],
            ["run", "--env", "NAME", "--", "ls"], ["run", "--env", "=x", "--", "ls"],
            ["run", "--bind", "here", "--", "ls"], ["run", "--bind", "/a:b", "--", "ls"],
            ["run", "--bind", "/a:/b:rw", "--", "ls"],
            ["trace", "--", "ls"], ["trace", "--native", "--sandbox", "--", "ls"], ["trace", "--native"],
            ["trace", "--native", "--format", "xml", "--", "ls"],
            ["diff"], ["diff", "one"], ["diff", "one", "two", "three"], ["diff", "--"], ["diff", "--bogus", "a", "b"],
            ["diff", "--native-runs", "0", "a", "b"],
            ["test", "--jobs", "0"], ["test", "--jobs", "many"], ["test", "--filter", "("],
            ["test", "--variants", "glibc"], ["test", "--native-runs", "0"],
            ["report", "extra"], ["doctor", "extra"],
            ["bench", "--only", "nothing"], ["bench", "--against", "qemu"], ["bench", "--rounds", "0"],
            ["bench", "--both", "--one-cpu"], ["bench", "--limit", "0"], ["bench", "--only", ","],
        ])
    func usage(words: [String]) {
        #expect(status(words) == 64)
    }

    @Test(
        "help is no error",
        arguments: [
            ["--help"], ["--version"], ["run", "--help"], ["trace", "-h"], ["diff", "--help"], ["test", "--help"],
        ])
    func help(words: [String]) {
        #expect(status(words) == 0)
    }

    @Test("every command's help has examples")
    func examples() {
        for command in Apus.configuration.subcommands {
            #expect(command.configuration.discussion.contains("EXAMPLES:"), "\(command)")
            #expect(!command.configuration.abstract.isEmpty, "\(command)")
        }
    }

    @Test("what follows the command's name is the command's, options and all")
    func passThrough() throws {
        let run = try #require(
            try Apus.parseAsRoot(["run", "--memory", "2G", "--", "ls", "--readonly", "--", "-l"]) as? RunCommand)
        #expect(try GuestCommand.parse(run.command) == ["ls", "--readonly", "--", "-l"])
        #expect(!run.sandbox.isReadOnly)
        #expect(run.sandbox.memory?.bytes == 2 << 30)
        let plain = try #require(try Apus.parseAsRoot(["run", "--verbose", "ls", "--verbose"]) as? RunCommand)
        #expect(try GuestCommand.parse(plain.command) == ["ls", "--verbose"])
    }

    @Test(
        "sizes have units",
        arguments: [("1", 1), ("4096", 4096), ("3K", 3072), ("512M", 512 << 20), ("2g", 2 << 30), ("1T", 1 << 40)])
    func sizes(text: String, bytes: UInt64) {
        #expect(MemorySize(argument: text)?.bytes == bytes)
    }

    @Test("variables are added to the caller's, and replace them")
    func environment() {
        #expect(
            SandboxOptions.merged(["B": "1", "A": "x=y"], ["B=2", "C=", "D=a=b"]) == ["A=x=y", "B=2", "C=", "D=a=b"])
    }

    @Test("colour is not for everybody")
    func colour() {
        #expect(Terminal.wantsColour([:]))
        #expect(Terminal.wantsColour(["NO_COLOR": ""]))
        #expect(!Terminal.wantsColour(["NO_COLOR": "1"]))
        #expect(!Terminal.wantsColour(["TERM": "dumb"]))
    }
}
