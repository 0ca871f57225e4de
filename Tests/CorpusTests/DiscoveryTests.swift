import Foundation
import Testing

@testable import Corpus

@Suite("finding the cases")
struct DiscoveryTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        let manifest = "/*\n * summary: s\n * calls: read\n */\n"
        for name in ["files/pread.c", "files/open.c", "signals/kill.c", "include/x.c", "build/y.c", "files/notes.txt"] {
            try scratch.write(name, manifest)
        }
        try scratch.write("programs/sort.yaml", "summary: s\ncommand: [sort]\n")
    }

    @Test("takes every family but what is built and shared, sorted")
    func everything() throws {
        let found = try Discovery(root: scratch.path).find()
        #expect(found.cases.map(\.id) == ["files/open", "files/pread", "programs/sort", "signals/kill"])
        #expect(found.errors.isEmpty)
    }

    @Test(
        "takes families, cases and files",
        arguments: [
            (["files"], ["files/open", "files/pread"]), (["files/pread"], ["files/pread"]),
            (["signals/kill.c", "programs/"], ["programs/sort", "signals/kill"]),
        ])
    func some(paths: [String], ids: [String]) throws {
        #expect(try Discovery(root: scratch.path).find(paths).cases.map(\.id) == ids)
        let absolute = paths.map { "\(scratch.path)/\($0)" }
        #expect(try Discovery(root: scratch.path).find(absolute).cases.map(\.id) == ids)
    }

    @Test("a path without cases is an error, and so is a corpus that is not there")
    func nothing() throws {
        #expect(throws: CorpusError.self) { try Discovery(root: scratch.path).find(["fils"]) }
        #expect(throws: CorpusError.self) { try Discovery(root: scratch.path + "/none").find() }
    }

    @Test("a wrong manifest is told and does not hide the other cases")
    func wrong() throws {
        try scratch.write("files/wrong.c", "int main(void) {}\n")
        let found = try Discovery(root: scratch.path).find(["files"])
        #expect(found.cases.map(\.id) == ["files/open", "files/pread"])
        #expect(found.errors.map(\.file) == ["\(scratch.path)/files/wrong.c"])
    }
}

@Suite("the fresh start of a run")
struct StageTests {
    private func item(_ scratch: Scratch) -> CorpusCase {
        var item = CorpusCase(
            family: "files", name: "x", file: "x.c", summary: "s", subject: .command(["true"], packages: []), timeout: 5
        )
        item.files = [
            PlacedFile(path: "deep/down.txt", mode: 0o604, content: Array("text".utf8)),
            PlacedFile(path: "locked", mode: 0o000, content: []),
        ]
        item.standardInput = Array("input".utf8)
        item.environment = [EnvironmentEntry("TZ", "Asia/Tokyo"), EnvironmentEntry("NEW", "1")]
        return item
    }

    @Test("places the files with their modes, and the standard input")
    func prepares() throws {
        let scratch = try Scratch()
        let stage = Stage(CorpusPaths(root: scratch.path), item(scratch), variant: "v")
        let input = try stage.prepare()
        #expect(try input.readToEnd() == Data("input".utf8))
        let manager = FileManager.default
        #expect(manager.contents(atPath: stage.workingDirectory + "/deep/down.txt") == Data("text".utf8))
        let modes = try ["deep/down.txt", "locked"].map { name in
            try manager.attributesOfItem(atPath: "\(stage.workingDirectory)/\(name)")[.posixPermissions] as? Int
        }
        #expect(modes == [0o604, 0])
        #expect(Set(try manager.contentsOfDirectory(atPath: stage.workingDirectory)) == ["deep", "locked"])
    }

    @Test("nothing of an earlier run is left, even what it closed to everybody")
    func isFresh() throws {
        let scratch = try Scratch()
        let stage = Stage(CorpusPaths(root: scratch.path), item(scratch), variant: "v")
        _ = try stage.prepare()
        let manager = FileManager.default
        let closed = stage.workingDirectory + "/closed"
        try manager.createDirectory(atPath: closed + "/inner", withIntermediateDirectories: true)
        try manager.setAttributes([.posixPermissions: 0], ofItemAtPath: closed)
        _ = try stage.prepare()
        #expect(Set(try manager.contentsOfDirectory(atPath: stage.workingDirectory)) == ["deep", "locked"])
        try stage.remove()
        #expect(try manager.contentsOfDirectory(atPath: scratch.path + "/build/stage").isEmpty)
    }

    @Test("the case's variables replace the fixed ones")
    func environment() throws {
        let scratch = try Scratch()
        let stage = Stage(CorpusPaths(root: scratch.path), item(scratch), variant: "v")
        #expect(
            stage.environment == [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=\(stage.workingDirectory)",
                "LANG=C.UTF-8", "TZ=Asia/Tokyo", "NEW=1",
            ])
    }
}
