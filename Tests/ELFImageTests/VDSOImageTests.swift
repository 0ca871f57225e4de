import ELFImage
import Foundation
import Inspect
import Testing

@Suite("The vDSO's image")
struct VDSOImageTests {
    private static let functions = [
        VDSOImage.Function(name: "clock_gettime", range: 0..<32), VDSOImage.Function(name: "time", range: 32..<40),
    ]
    private static let code = (0..<40).map { UInt8($0) }

    @Test("libelf reads it without complaint, and finds each function under both names")
    func report() throws {
        let image = VDSOImage.build(code: Self.code, functions: Self.functions)
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("vdso-\(UUID().uuidString)")
        try Data(image).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let report = try ImageFile(file.path).report()
        #expect(report.complaints == [])
        #expect(report.name == "linux-vdso.so.1")
        #expect(report.header.bits == 64)
        #expect(report.segments.map(\.typeNumber) == [1, 2])
        #expect(report.segments.first?.memorySize == report.segments.first?.fileSize)
        let symbols = report.dynamicSymbols.filter { !$0.name.isEmpty }
        #expect(
            Set(symbols.map(\.name)) == [
                "__vdso_clock_gettime", "clock_gettime", "__vdso_time", "time", "LINUX_2.6",
            ])
        let code = UInt64(try #require(symbols.first { $0.name == "clock_gettime" }).value)
        for (name, start, size) in [("clock_gettime", 0, 32), ("time", 32, 8)] as [(String, UInt64, UInt64)] {
            for full in [name, "__vdso_" + name] {
                let symbol = try #require(symbols.first { $0.name == full })
                #expect(symbol.value == code + start)
                #expect(symbol.size == size)
            }
        }
        #expect(Array(image[Int(code)..<Int(code) + 40]) == Self.code)
    }

    /// A library of one's own, as the kernel would map it: the C library's loader judges every table. Its stack flag is
    /// missing, as in Linux's own image, so the loader is asked for nothing but names.
    @Test("the dynamic loader resolves its symbols by both hash tables", arguments: ["gnu", "sysv"])
    func loader(table: String) throws {
        var image = VDSOImage.build(code: Self.code, functions: Self.functions)
        // With the tag of one table out of the way, the other is taken.
        let hidden: UInt64 = table == "gnu" ? 4 : 0x6fff_fef5
        let dynamic = try #require(Self.dynamicEntry(hidden, in: image))
        image.replaceSubrange(dynamic..<dynamic + 8, with: [0x7f, 0xff, 0xff, 0x6f, 0, 0, 0, 0])
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("vdso-\(UUID().uuidString).so")
        try Data(image).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let bytes = Self.firstBytes(
            of: ["clock_gettime", "__vdso_clock_gettime", "time", "__vdso_time", "getcpu"], in: file.path)
        #expect(bytes == [0, 0, 32, 32, nil])
    }

    /// The first byte of each function that the loader finds in a library; nothing where it cannot load it.
    private static func firstBytes(of names: [String], in path: String) -> [UInt8?] {
        // The loader copies the path, and its handle is used before it is closed.
        guard let library = unsafe dlopen(path, RTLD_NOW) else { return [] }
        defer { unsafe dlclose(library) }
        // A function of the image has at least one byte.
        return names.map { name in unsafe dlsym(library, name).map { unsafe $0.load(as: UInt8.self) } }
    }

    private static func dynamicEntry(_ tag: UInt64, in image: [UInt8]) -> Int? {
        func word(_ offset: Int) -> UInt64 {
            (0..<8).reduce(0) { $0 | UInt64(image[offset + $1]) << UInt64(8 * $1) }
        }
        let start = Int(word(64 + 56 + 8))
        return stride(from: start, to: start + 16 * 14, by: 16).first { word($0) == tag }
    }
}
