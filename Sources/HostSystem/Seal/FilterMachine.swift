/// Interprets a seccomp program as the host would, `seccomp(2)`: what it answers for a call. The tests of both filters use it,
/// and the kernel where it traces the stubs itself.
package struct FilterMachine {
    package enum Fault: Error { case instruction(UInt16), end, load(UInt32), word(UInt32) }

    package let program: [UInt64]

    package init(program: [UInt64]) { self.program = program }

    package func answer(
        _ number: UInt32, _ arguments: [UInt64], architecture: UInt32 = 0xc000_003e, from address: UInt64 = 0
    ) throws(Fault) -> UInt32 {
        var (accumulator, index) = (UInt32(0), UInt32(0))
        var words: [UInt32: UInt32] = [:]
        var next = 0
        func recall(_ word: UInt32) throws(Fault) -> UInt32 {
            // The host refuses programs that read what they have not written.
            guard word < 16, let value = words[word] else { throw Fault.word(word) }
            return value
        }
        while program.indices.contains(next) {
            let instruction = program[next]
            let (code, constant) = (UInt16(truncatingIfNeeded: instruction), UInt32(instruction >> 32))
            let (yes, no) = (Int(instruction >> 16 & 0xff), Int(instruction >> 24 & 0xff))
            next += 1
            switch code {
            case 0x20:
                switch constant {
                case 0: accumulator = number
                case 4: accumulator = architecture
                case 8: accumulator = UInt32(truncatingIfNeeded: address)
                case 12: accumulator = UInt32(address >> 32)
                case 16...60 where constant % 4 == 0 && arguments.count == 6:
                    let argument = arguments[Int(constant - 16) / 8]
                    accumulator = UInt32(truncatingIfNeeded: constant % 8 == 0 ? argument : argument >> 32)
                default: throw Fault.load(constant)
                }
            case 0x00: accumulator = constant
            case 0x02: words[constant] = accumulator
            case 0x05: next += Int(constant)
            case 0x06: return constant
            case 0x07: index = accumulator
            case 0x0c: accumulator &+= index
            case 0x15: next += accumulator == constant ? yes : no
            case 0x25: next += accumulator > constant ? yes : no
            case 0x35: next += accumulator >= constant ? yes : no
            case 0x3d: next += accumulator >= index ? yes : no
            case 0x45: next += accumulator & constant != 0 ? yes : no
            case 0x54: accumulator &= constant
            case 0x60: accumulator = try recall(constant)
            case 0x61: index = try recall(constant)
            default: throw Fault.instruction(code)
            }
        }
        throw Fault.end
    }
}
