internal import Kernel
internal import LinuxABI
internal import Platform

/// What the stub copies next to each call, from the one table: buffers whose length a register says, structures and
/// strings that go in. Everything else the kernel fetches itself.
enum PayloadRules {
    static func install(in platform: TrapPlatform, for numbers: some Sequence<Int>) {
        let table = SyscallTable.x86_64
        for number in numbers {
            guard let call = table[number] else { continue }
            let given: [TrapPlatform.PayloadRule] =
                switch call.name {
                case "rt_sigreturn": [.stack(size: SignalFrameLayout.returnSize)]
                case "exit", "exit_group": [.robustList(size: GuestThread.robustHeadSize)]
                default: rules(of: call)
                }
            platform.setRules(given, for: number)
            platform.setLocalAnswer(LocalAnswer.allCases.first { $0.call == number }?.rawValue, of: number)
        }
    }

    static func rules(of call: SyscallDescription) -> [TrapPlatform.PayloadRule] {
        call.parameters.enumerated().compactMap { index, parameter -> TrapPlatform.PayloadRule? in
            guard parameter.direction == .in || parameter.direction == .both else { return nil }
            switch parameter.extent {
            case .fixed(let size): return .fixed(pointer: index, size: size)
            case .bytes(let counter): return counted(call, pointer: index, counter: counter, elementSize: 1)
            case .array(let size, let counter):
                return counted(call, pointer: index, counter: counter, elementSize: size)
            case .ioVector(let counter): return counted(call, pointer: index, counter: counter, elementSize: 16)
            case .string: return .string(pointer: index)
            default: return nil
            }
        }
    }

    /// Only a count that stands in a register itself can be used before the kernel looks.
    private static func counted(
        _ call: SyscallDescription, pointer: Int, counter: Int, elementSize: Int
    ) -> TrapPlatform.PayloadRule? {
        guard counter < call.parameters.count, call.parameters[counter].direction == .value, elementSize > 0 else {
            return nil
        }
        return .counted(pointer: pointer, counter: counter, elementSize: elementSize)
    }
}
