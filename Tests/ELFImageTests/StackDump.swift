import LinuxABI

/// A first stack, as `Code.dumpStack` writes it: the stack pointer, then everything from there to the stack's top.
struct StackDump {
    let pointer: UInt
    /// From the stack pointer to the top.
    let bytes: [UInt8]
    private(set) var argumentPointers: [UInt] = []
    private(set) var environmentPointers: [UInt] = []
    /// In order, without `AT_NULL`.
    private(set) var vector: [(key: UInt64, value: UInt)] = []

    var top: UInt { pointer + UInt(bytes.count) }
    var arguments: [[UInt8]] { argumentPointers.map(string) }
    var environment: [[UInt8]] { environmentPointers.map(string) }

    /// Nil if the bytes are no stack.
    init?(_ dump: [UInt8]) {
        guard dump.count > 8 + 64 else { return nil }
        var reader = ByteReader(dump)
        pointer = reader.take()
        bytes = Array(dump[8...])
        let count: UInt = reader.take()
        guard count < 1 << 16 else { return nil }
        for _ in 0..<count { argumentPointers.append(reader.take()) }
        guard reader.take(UInt.self) == 0 else { return nil }
        while case let next:UInt = reader.take(), next != 0 { environmentPointers.append(next) }
        while reader.remaining >= 16 {
            let key: UInt64 = reader.take()
            let value: UInt = reader.take()
            if key == 0 { return }
            vector.append((key, value))
        }
        return nil
    }

    func string(at address: UInt) -> [UInt8] {
        guard address >= pointer, address < top else { return [] }
        return Array(bytes[Int(address - pointer)...].prefix { $0 != 0 })
    }

    func value(_ key: UInt64) -> UInt? { vector.first { $0.key == key }?.value }
}
