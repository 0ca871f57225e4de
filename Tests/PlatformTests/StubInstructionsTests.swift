import Foundation
import Stub
import Testing

/// The stub runs on every processor that the sandbox accepts.
@Suite struct StubInstructionsTests {
    /// Not on every processor with FSGSBASE and BMI2, which is what `Host.missingInstructions` looks for.
    private static let newer: Set<String> = [
        "rdpid", "clwb", "cldemote", "umonitor", "umwait", "tpause", "movdiri", "movdir64b", "enqcmd", "serialize",
        "hreset",
        "pconfig", "ptwrite", "clui", "stui", "senduipi", "testui", "xsusldtrk", "xresldtrk", "cmpccxadd",
    ]

    @Test(
        "No instruction of the stub is one that older processors lack, or needs a vector register",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/objdump"), "skipped: no objdump"))
    func instructions() throws {
        // The image is what is copied into each guest, and lives as long as this process.
        let image = unsafe Data(bytes: apus_stub_image(), count: apus_stub_image_size())
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("stub-\(UUID().uuidString)")
        try image.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/objdump")
        process.arguments = ["-D", "--no-show-raw-insn", "-b", "binary", "-m", "i386:x86-64", file.path]
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        var names: Set<String> = []
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "\t", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let words = parts[1].split(separator: " ").map(String.init)
            names.formUnion(words.prefix(2))
            #expect(!["%xmm", "%ymm", "%zmm"].contains { line.contains($0) }, "\(line)")
        }
        #expect(names.isSuperset(of: ["lsl", "rorx", "wrgsbase", "syscall"]), "the stub was not found")
        #expect(names.isDisjoint(with: Self.newer), "\(names.intersection(Self.newer))")
    }
}
