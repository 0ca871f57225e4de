internal import Kernel
internal import LinuxABI
internal import Platform

/// What the stub copies next to each call, from the one table: buffers whose length a register says, structures and
/// strings that go in. Everything else the kernel fetches itself.
enum PayloadRules {
    /// For the numbers that the kernel has handlers for.
    static func install(_ calls: [CallExtents], in platform: TrapPlatform, where isHandled: (Int) -> Bool) {
        var answers: [Int: Int] = [:]
        for answer in LocalAnswer.allCases { answers[answer.call] = answer.rawValue }
        for call in calls where isHandled(call.number) {
            let given: [TrapPlatform.PayloadRule] =
                switch call.number {
                case Linux.rt_sigreturn.number: [.stack(size: SignalFrameLayout.returnSize)]
                case Linux.exit.number, Linux.exit_group.number: [.robustList(size: GuestThread.robustHeadSize)]
                default: rules(of: call)
                }
            platform.setRules(given, for: call.number)
            platform.setLocalAnswer(answers[call.number], of: call.number)
        }
    }

    static func rules(of call: CallExtents) -> [TrapPlatform.PayloadRule] {
        call.parameters.enumerated().compactMap { index, parameter -> TrapPlatform.PayloadRule? in
            guard parameter.direction == .in || parameter.direction == .both else { return nil }
            switch parameter.extent {
            case .fixed(let size): return .fixed(pointer: index, size: size)
            case .bytes(let counter): return counted(call, pointer: index, counter: counter, elementSize: 1)
            case .array(let size, let counter):
                return counted(call, pointer: index, counter: counter, elementSize: size)
            case .ioVector(let counter): return counted(call, pointer: index, counter: counter, elementSize: 16)
            case .string:
                let count = call.parameters.count
                return .string(pointer: index, spare: count < 6 ? count : 0)
            default: return nil
            }
        }
    }

    /// Only a count that stands in a register itself can be used before the kernel looks.
    private static func counted(
        _ call: CallExtents, pointer: Int, counter: Int, elementSize: Int
    ) -> TrapPlatform.PayloadRule? {
        guard counter < call.parameters.count, call.parameters[counter].direction == .value, elementSize > 0 else {
            return nil
        }
        return .counted(pointer: pointer, counter: counter, elementSize: elementSize)
    }
}
