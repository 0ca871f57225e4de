import ELFImage
import LinuxABI
import Testing

@Suite("Plans of sound images")
struct LoadPlanTests {
    private func plan(_ image: ImageBuilder) throws -> LoadPlan {
        try Judgement.plans(image.bytes, interpreter: ImageBuilder.program(Code.exit42, at: 0).bytes).program
    }

    /// A program with data whose file part ends 16 bytes before a page does, and with something else in those.
    private func data(flags: UInt32, memory: UInt64) -> ImageBuilder {
        var image = ImageBuilder.program(Code.checkZeros)
        image.segments.append(
            ImageBuilder.Segment(flags: flags, offset: 0x1000, address: 0x40_1000, fileSize: 0xff0, memorySize: memory))
        image.contents.append((0x1ff0, Array(repeating: 0xaa, count: 16)))
        return image
    }

    @Test("a fixed program stands where it says, and its program headers are found in memory")
    func fixed() throws {
        let plan = try plan(.program(Code.exit42))
        #expect(plan.steps == [.file(address: 0x40_0000, length: 0x1000, offset: 0, protection: 5)])
        #expect(plan.bias == 0 && plan.entry == 0x40_0400)
        #expect(plan.programHeaders == 0x40_0040 && plan.programHeaderCount == 1)
        #expect(plan.span == 0x40_0000..<0x40_1000)
        #expect(plan.end == 0x40_040c)
        #expect(plan.interpreter == nil && !plan.isLoader && !plan.hasExecutableStack && plan.failure == nil)
    }

    @Test("the BSS in the last page is cleared, and what follows is memory like the heap's")
    func bss() throws {
        let plan = try plan(data(flags: 6, memory: 0x2100))
        #expect(
            plan.steps.dropFirst() == [
                .file(address: 0x40_1000, length: 0x1000, offset: 0x1000, protection: 3),
                .zero(address: 0x40_1ff0, length: 16), .anonymous(address: 0x40_2000, length: 0x2000, protection: 3),
            ])
        #expect(plan.end == 0x40_3100)
        #expect(try plan.steps == self.plan(data(flags: 6, memory: 0x2100)).steps)
    }

    @Test("a page that can't be written keeps what the file says; a page of memory alone is writable all the same")
    func readOnlyBSS() throws {
        let plan = try plan(data(flags: 4, memory: 0x1100))
        #expect(
            plan.steps.dropFirst() == [
                .file(address: 0x40_1000, length: 0x1000, offset: 0x1000, protection: 1),
                .anonymous(address: 0x40_2000, length: 0x1000, protection: 3),
            ])
    }

    @Test("the host clears the same bytes", arguments: [(6, 42), (4, 1)] as [(UInt32, Int32)])
    func nativeBSS(flags: UInt32, status: Int32) throws {
        let kernel = try NativeKernel()
        let path = try kernel.write(data(flags: flags, memory: 0x2100).bytes, as: "program")
        #expect(try kernel.run(path).outcome == .exited(status))
    }

    @Test("a program with an interpreter goes where programs go, one without where libraries go")
    func positionIndependent() throws {
        let program = try plan(.program(Code.exit42, at: 0, interpreter: "/i"))
        #expect(program.bias == 0x5555_5555_5000 && !program.isLoader)
        #expect(program.interpreter == Array("/i".utf8))
        #expect(program.entry == 0x5555_5555_5400 && program.programHeaders == 0x5555_5555_5040)
        let loader = try plan(.program(Code.exit42, at: 0))
        #expect(loader.bias == 0x7fff_7000_0000 - 0x1000 && loader.isLoader)
    }

    @Test("the largest alignment that a segment asks for moves the whole image")
    func alignment() throws {
        var image = ImageBuilder.program(Code.exit42, at: 0, interpreter: "/i")
        image.segments[1].alignment = 0x20_0000
        image.segments.append(ImageBuilder.Segment(flags: 6, address: 0x3000, memorySize: 8, alignment: 3 << 20))
        #expect(try plan(image).bias == 0x5555_5540_0000)
    }

    @Test("program headers outside of all segments stand nowhere: AT_PHDR is the bias alone, here as on the host")
    func headersOutside() throws {
        let kernel = try NativeKernel()
        for address: UInt64 in [0x40_0000, 0] {
            var image = ImageBuilder.program(Code.dumpStack, at: address)
            image.segments[0].offset = 0x1000
            image.segments[0].fileSize += 0x1000
            image.segments[0].memorySize += 0x1000
            image.contents = [(0x1000 + ImageBuilder.codeOffset, Code.dumpStack)]
            image.size = 0x3000
            let output = try kernel.run(try kernel.write(image.bytes, as: "program")).output
            let native = try #require(StackDump(output))
            let plan = try plan(image)
            #expect(plan.programHeaders == plan.bias)
            #expect(native.value(3) == (address == 0 ? (native.value(9) ?? 0) - UInt(image.entry) : 0))
        }
    }

    @Test("the last PT_GNU_STACK decides; without one the stack is not executable")
    func stack() throws {
        var image = ImageBuilder.program(Code.exit42)
        image.segments.append(ImageBuilder.Segment(type: 0x6474_e551, flags: 6))
        #expect(try !plan(image).hasExecutableStack)
        image.segments.append(ImageBuilder.Segment(type: 0x6474_e551, flags: 7))
        #expect(try plan(image).hasExecutableStack)
    }

    @Test("a place that can't be had is the plan's failure, not execve's")
    func noRoom() throws {
        let bytes = ImageBuilder.program(Code.exit42, at: 0).bytes
        let plan = try LoadPlan(of: BytesSource(bytes), taskSize: Judgement.taskSize) { _, _ throws(Errno) in
            throw .ENOMEM
        }
        #expect(plan.failure == .ENOMEM && plan.steps.isEmpty)
    }
}
