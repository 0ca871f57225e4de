import ELFImage
import Foundation
import Inspect
import LinuxABI
import Testing

@Suite("Every ELF file of /usr/bin")
struct EveryProgramTests {
    /// A file, read piece by piece as the kernel does.
    private struct FileSource: ImageSource {
        let handle: FileHandle

        func read(at offset: UInt64, count: Int) throws(Errno) -> [UInt8] {
            do {
                try handle.seek(toOffset: offset)
                return Array(try handle.read(upToCount: count) ?? Data())
            } catch {
                throw .EIO
            }
        }
    }

    @Test("the loader reads what libelf reads")
    func agreement() throws {
        let folder = "/usr/bin"
        var compared = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
            let path = "\(folder)/\(name)"
            guard let handle = FileHandle(forReadingAtPath: path) else { continue }
            defer { try? handle.close() }
            guard let magic = try? handle.read(upToCount: 4), Array(magic) == [0x7f, 0x45, 0x4c, 0x46] else { continue }
            let report = try ImageFile(path).report()
            guard report.header.machine == "x86-64", report.header.bits == 64 else { continue }
            compare(report, FileSource(handle: handle))
            compared += 1
        }
        #expect(compared > 20)
    }

    private func compare(_ report: ImageReport, _ source: FileSource) {
        do throws(Errno) {
            let header = try ELFHeader(try source.read(at: 0, count: 64))
            #expect(header.entry == report.header.entry, "\(report.file)")
            #expect(header.programHeaderOffset == report.header.programHeaderOffset, "\(report.file)")
            #expect((header.isPositionIndependent ? "DYN" : "EXEC") == report.header.type, "\(report.file)")
            let own = try ProgramHeader.all(of: header, in: source, unreadable: .ENOEXEC)
            #expect(own.map(\.type) == report.segments.map(\.typeNumber), "\(report.file)")
            #expect(own.map(\.flags) == report.segments.map(\.flags), "\(report.file)")
            #expect(own.map(\.offset) == report.segments.map(\.offset), "\(report.file)")
            #expect(own.map(\.virtualAddress) == report.segments.map(\.virtualAddress), "\(report.file)")
            #expect(own.map(\.fileSize) == report.segments.map(\.fileSize), "\(report.file)")
            #expect(own.map(\.memorySize) == report.segments.map(\.memorySize), "\(report.file)")
            #expect(own.map(\.alignment) == report.segments.map(\.alignment), "\(report.file)")

            let plan = try LoadPlan(of: source, taskSize: Judgement.taskSize) { _, _ in 0x5555_5540_0000 }
            #expect(plan.failure == nil, "\(report.file)")
            #expect(
                plan.interpreter.map { String(decoding: $0, as: UTF8.self) } == report.interpreter, "\(report.file)")
            let loads = report.segments.filter { $0.type == "LOAD" }
            let bias = UInt64(plan.bias)
            #expect(plan.entry == UInt(report.header.entry + bias), "\(report.file)")
            #expect(UInt64(plan.end) == loads.map { $0.virtualAddress + $0.memorySize + bias }.max(), "\(report.file)")
            // Every byte of every segment is covered by a step, with the segment's protection.
            for load in loads where load.fileSize > 0 {
                let covered = plan.steps.contains { step in
                    guard case .file(let address, let length, let offset, let protection) = step else { return false }
                    let start = load.virtualAddress + bias
                    return UInt64(address) <= start && start + load.fileSize <= UInt64(address + length)
                        && offset + (start - UInt64(address)) == load.offset
                        && protection == Int32((load.flags >> 2 & 1) | (load.flags & 2) | (load.flags & 1) << 2)
                }
                #expect(covered, "\(report.file): \(load)")
            }
        } catch {
            Issue.record("\(report.file): \(error)")
        }
    }
}
