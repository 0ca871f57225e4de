/// The names of ELF's numbers, as `elf(5)` has them. What has none is shown as a number.
enum ELFNames {
    static func type(_ number: UInt16) -> String {
        let names: [UInt16: String] = [0: "NONE", 1: "REL", 2: "EXEC", 3: "DYN", 4: "CORE"]
        return names[number] ?? hexadecimal(UInt64(number))
    }

    static func machine(_ number: UInt16) -> String {
        let names: [UInt16: String] = [
            0: "none", 2: "sparc", 3: "i386", 8: "mips", 20: "powerpc", 21: "powerpc64", 22: "s390", 40: "arm",
            62: "x86-64", 183: "aarch64", 243: "riscv", 247: "bpf", 258: "loongarch",
        ]
        return names[number] ?? String(number)
    }

    static func systemInterface(_ number: UInt8) -> String {
        let names: [UInt8: String] = [
            0: "System V", 2: "NetBSD", 3: "Linux", 6: "Solaris", 9: "FreeBSD", 12: "OpenBSD",
        ]
        return names[number] ?? String(number)
    }

    static func segment(_ number: UInt32) -> String {
        let names: [UInt32: String] = [
            0: "NULL", 1: "LOAD", 2: "DYNAMIC", 3: "INTERP", 4: "NOTE", 5: "SHLIB", 6: "PHDR", 7: "TLS",
            0x6474_e550: "GNU_EH_FRAME", 0x6474_e551: "GNU_STACK", 0x6474_e552: "GNU_RELRO",
            0x6474_e553: "GNU_PROPERTY",
        ]
        return names[number] ?? hexadecimal(UInt64(number))
    }

    static func symbolType(_ number: UInt8) -> String {
        let names: [UInt8: String] = [
            0: "NOTYPE", 1: "OBJECT", 2: "FUNC", 3: "SECTION", 4: "FILE", 5: "COMMON", 6: "TLS", 10: "GNU_IFUNC",
        ]
        return names[number] ?? String(number)
    }

    static func symbolBinding(_ number: UInt8) -> String {
        let names: [UInt8: String] = [0: "LOCAL", 1: "GLOBAL", 2: "WEAK", 10: "GNU_UNIQUE"]
        return names[number] ?? String(number)
    }

    /// With `0x` in front.
    static func hexadecimal(_ number: UInt64) -> String { "0x" + String(number, radix: 16) }

    /// What a note says: `Documentation` of the GNU ABI for the owners `GNU` and `CORE`.
    static func note(owner: String, type: UInt32, _ bytes: [UInt8]) -> String {
        func word(_ index: Int) -> UInt32? {
            guard bytes.count >= 4 * index + 4 else { return nil }
            return (0..<4).reduce(0) { $0 | UInt32(bytes[4 * index + $1]) << UInt32(8 * $1) }
        }
        let digits = bytes.prefix(64).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        switch (owner, type) {
        case ("GNU", 1):
            let systems: [UInt32: String] = [0: "Linux", 1: "Hurd", 2: "Solaris", 3: "FreeBSD"]
            guard let system = word(0), let major = word(1), let minor = word(2), let patch = word(3) else { break }
            return "ABI: \(systems[system] ?? "system \(system)") \(major).\(minor).\(patch)"
        case ("GNU", 3): return "build ID: \(digits)"
        case ("GNU", 5): return "properties: \(digits)"
        default: break
        }
        return digits
    }
}
