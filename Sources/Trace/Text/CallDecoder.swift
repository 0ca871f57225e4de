package import LinuxABI
package import TraceModel

/// Takes calls apart by the one table.
package struct CallDecoder: Sendable {
    package let table: SyscallTable

    package init(table: SyscallTable = .x86_64) { self.table = table }

    /// The name of a call; numbers that no table knows are named by themselves.
    package func name(of number: Int) -> String {
        if number >= TracedCall.foreignBase { return "int80_\(number - TracedCall.foreignBase)" }
        // The kernel looks at the low half of the register only.
        let low = UInt64(UInt32(truncatingIfNeeded: number))
        return table[number]?.name ?? "syscall_\(FlagSet.hexadecimal(low))"
    }

    /// A call with what went in and came out; `result` is nil for one that has not returned.
    package func decode(_ call: TracedCall, result: CallResult?) -> DecodedCall {
        guard let description = table[call.number] else {
            let arguments = (0..<6).map { index in
                DecodedArgument(name: "arg\(index)", value: .hex(call.arguments[index]))
            }
            return DecodedCall(
                name: name(of: call.number), arguments: arguments,
                result: result.map { ResultDecoder.decode($0, of: nil, call.arguments) })
        }
        var arguments: [DecodedArgument] = []
        for (index, parameter) in description.parameters.enumerated() where index < 6 {
            guard isGiven(parameter, index, description.name, call.arguments) else { continue }
            let payloads = call.payloads.filter { Int($0.parameter) == index }
            let value =
                input(parameter, index, description, call, payloads.filter { !$0.isOutput })
            let vector = payloads.first { !$0.isOutput && $0.part == .vector }
            let isWritten = result.map { writes(description.name, $0) } ?? false
            let output = PayloadDecoder(call: description.name, isOutput: true, arguments: call.arguments).decode(
                parameter, isWritten ? payloads.filter(\.isOutput) : [], vector: vector)
            arguments.append(DecodedArgument(name: parameter.name, value: value, output: output))
        }
        return DecodedCall(
            name: description.name, arguments: arguments,
            result: result.map { ResultDecoder.decode($0, of: description, call.arguments) })
    }

    private func input(
        _ parameter: ParameterDescription, _ index: Int, _ description: SyscallDescription, _ call: TracedCall,
        _ payloads: [TracePayload]
    ) -> Decoded {
        let decoder = PayloadDecoder(call: description.name, isOutput: false, arguments: call.arguments)
        // An `iovec` array that is only filled by the call is shown with what came out.
        let isFilled = payloads.allSatisfy { $0.part == .vector } && parameter.direction == .out
        if !isFilled, let value = decoder.decode(parameter, payloads, vector: payloads.first { $0.part == .vector }) {
            return value
        }
        return RegisterDecoder(call: description.name, arguments: call.arguments).decode(parameter, index)
    }

    /// Whether a call that succeeded has written to its buffers at all.
    private func writes(_ name: String, _ result: CallResult) -> Bool {
        switch name {
        // What is left of a sleep is told only when it was interrupted.
        case "nanosleep", "clock_nanosleep": false
        // WNOHANG, and no child had ended.
        case "wait4": result.rawValue != 0
        default: true
        }
    }

    /// Whether the call looks at a parameter at all: what is left in its register otherwise is noise.
    private func isGiven(
        _ parameter: ParameterDescription, _ index: Int, _ name: String, _ arguments: CallArguments
    ) -> Bool {
        switch (name, index) {
        case ("open", 2): arguments[1] & 0o100 != 0 || arguments[1] & 0o20200000 == 0o20200000
        case ("openat", 3): arguments[2] & 0o100 != 0 || arguments[2] & 0o20200000 == 0o20200000
        case ("mremap", 4): arguments[3] & 6 != 0
        case ("fcntl", 2): ![1, 3, 9, 11, 1025, 1032, 1034].contains(arguments[1] & 0xffff_ffff)
        case ("futex", 3...5): FutexOperation(arguments[1]).uses(index)
        case ("clone", 2): arguments[0] & 0x0010_1000 != 0
        case ("clone", 3): arguments[0] & 0x0120_0000 != 0
        case ("clone", 4): arguments[0] & 0x0008_0000 != 0
        case ("prctl", 1...4): index <= prctlParameters(arguments[0])
        case ("ioctl", 2): ![0x540c, 0x540d, 0x5422, 0x5450, 0x5451].contains(arguments[1] & 0xffff_ffff)
        default: true
        }
    }

    /// How many arguments follow the option.
    private func prctlParameters(_ option: UInt64) -> Int {
        switch option {
        case 3, 7, 21, 27, 30, 39: 0
        case 1, 2, 4, 8, 15, 16, 23, 24, 25, 29, 36, 37, 40: 1
        default: 4
        }
    }
}

/// Which registers a futex operation reads.
struct FutexOperation {
    private let command: UInt64

    init(_ operation: UInt64) { command = operation & 0x7f }

    func uses(_ index: Int) -> Bool {
        switch index {
        case 3: [0, 3, 4, 5, 6, 9, 11, 12, 13].contains(command)
        case 4: [3, 4, 5, 11, 12].contains(command)
        default: [4, 5, 9, 10, 12].contains(command)
        }
    }

    /// Whether the fourth argument is a number rather than a timeout.
    var hasCount: Bool { [3, 4, 5, 12].contains(command) }
}
