package import HostSystem
internal import LinuxABI
internal import Stub

/// The functions of the host's vDSO that the guest's leads to: where they lie in every stub, which keeps a copy of it.
package struct HostClocks {
    /// Addresses in the guest, in the order of `names`; 0 for what the host does not have.
    let addresses: [UInt64]
    /// What a stub has to move into its area.
    let parts: apus_host_vdso

    static let names = ["clock_gettime", "gettimeofday", "time", "getcpu", "clock_getres"]

    /// Nil where the host's vDSO is none that a stub could keep.
    package init?(_ vdso: HostVDSO) {
        guard let first = vdso.parts.first?.range.lowerBound, let image = vdso.parts.last?.range,
            image.upperBound - first <= UInt(APUS_STUB_HOST_VDSO_SIZE), vdso.parts.count <= Int(APUS_HOST_VDSO_PARTS)
        else { return nil }
        let base = UInt64(APUS_STUB_HOST_VDSO) + UInt64(image.lowerBound - first)
        let functions = DynamicSymbols(vdso.image)
        addresses = HostClocks.names.map { name in
            functions.offset(of: "__vdso_" + name).map { base + UInt64($0) } ?? 0
        }
        guard addresses.contains(where: { $0 != 0 }) else { return nil }
        var parts = apus_host_vdso()
        for part in vdso.parts {
            // The shim writes to the structure only.
            unsafe apus_host_vdso_add(&parts, UInt64(part.range.lowerBound), UInt64(part.range.count))
        }
        self.parts = parts
    }
}

/// The functions that an ELF image in memory offers, found as `vdso(7)` says. Any bytes will do: what makes no sense offers
/// nothing.
struct DynamicSymbols {
    private let image: [UInt8]
    private var bias: UInt64 = 0
    private var entries: [UInt64: UInt64] = [:]

    init(_ image: [UInt8]) {
        self.image = image
        guard image.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]) else { return }
        let headers = read(UInt64.self, at: 32)
        let count = min(UInt64(read(UInt16.self, at: 56)), 64)
        var dynamic: UInt64?
        for index in 0..<count {
            let header = headers &+ index * 56
            let address = read(UInt64.self, at: header &+ 16)
            switch read(UInt32.self, at: header) {
            case 1: bias = address &- read(UInt64.self, at: header &+ 8)
            case 2: dynamic = address
            default: break
            }
        }
        guard let dynamic else { return }
        for index in 0..<64 as Range<UInt64> {
            let entry = dynamic &- bias &+ index * 16
            let tag = read(UInt64.self, at: entry)
            guard tag != 0 else { break }
            entries[tag] = read(UInt64.self, at: entry &+ 8)
        }
    }

    /// Where in the image a function begins.
    func offset(of name: String) -> Int? {
        // DT_STRTAB, DT_SYMTAB
        guard let strings = entries[5], let symbols = entries[6] else { return nil }
        // DT_HASH tells how many symbols there are; without it the strings come right behind them.
        let count = entries[4].map { UInt64(read(UInt32.self, at: $0 &- bias &+ 4)) } ?? (strings &- symbols) / 24
        let wanted = Array(name.utf8) + [0]
        for index in 0..<min(count, 1024) {
            let symbol = symbols &- bias &+ index * 24
            // A function (STT_FUNC) that is defined here.
            guard read(UInt8.self, at: symbol &+ 4) & 15 == 2, read(UInt16.self, at: symbol &+ 6) != 0 else { continue }
            let place = strings &- bias &+ UInt64(read(UInt32.self, at: symbol))
            guard place < UInt64(image.count), image[Int(place)...].starts(with: wanted) else { continue }
            let value = read(UInt64.self, at: symbol &+ 8) &- bias
            return value < UInt64(image.count) ? Int(value) : nil
        }
        return nil
    }

    /// Zero where the image has no such bytes.
    private func read<T: FixedWidthInteger>(_: T.Type, at offset: UInt64) -> T {
        let size = UInt64(T.bitWidth / 8)
        guard UInt64(image.count) >= size, offset <= UInt64(image.count) - size else { return 0 }
        var value: T = 0
        for byte in image[Int(offset)..<Int(offset + size)].reversed() {
            value = value << 8 | T(truncatingIfNeeded: byte)
        }
        return value
    }
}

extension TrapPlatform {
    /// The code of the guest's vDSO, and where in it each function lies.
    package static var vdsoCode: (bytes: [UInt8], functions: [(name: String, range: Range<Int>)]) {
        // The section lies in this program's image, as long as it runs.
        let bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: apus_vdso_code(), count: apus_vdso_code_size()))
        let functions = HostClocks.names.indices.map { index in
            (
                HostClocks.names[index],
                apus_vdso_function(Int32(index))..<apus_vdso_function(Int32(index) + 1)
            )
        }
        return (bytes, functions)
    }

    /// Tells the stubs where the functions of the guest's vDSO go on.
    func publish(_ clocks: HostClocks?) {
        for index in HostClocks.names.indices {
            config.store(clocks?.addresses[index] ?? 0, at: TrapPlatform.vdsoTable + 8 * index)
        }
    }

    private static let vdsoTable = Int(APUS_STUB_CONFIG_SIZE) - MemoryLayout<apus_vdso_table>.size

    /// From now on `getcpu` of the vDSO is a call: the host's knows nothing of the processors that guests are bound to.
    package func askForProcessor() {
        config.store(UInt64(0), at: TrapPlatform.vdsoTable + 8 * Int(APUS_VDSO_GETCPU))
    }
}
