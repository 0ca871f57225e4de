import ELFImage
import LinuxABI

/// What the loader makes of a program and its interpreter, as execve's caller sees it.
enum Judgement: Equatable, Sendable {
    case refused(Errno)
    /// Past the point of no return: SIGSEGV.
    case dies
    case starts

    /// The host's addresses end here; those of the sandbox a little lower.
    static let taskSize: UInt = 0x7fff_ffff_f000

    /// Plans for places like Linux's, for a program and the interpreter that it names, if the test offers it.
    static func plans(
        _ bytes: [UInt8], interpreter: [UInt8]? = nil, at path: [UInt8]? = nil
    ) throws(Errno) -> (program: LoadPlan, interpreter: LoadPlan?) {
        let program = try LoadPlan(of: BytesSource(bytes), taskSize: taskSize) { span, hasInterpreter throws(Errno) in
            guard hasInterpreter else { return try library(span) }
            return 0x5555_5555_5000
        }
        guard let name = program.interpreter else { return (program, nil) }
        guard let interpreter, name == path ?? name else { throw .ENOENT }
        return (
            program,
            try LoadPlan(interpreter: BytesSource(interpreter), taskSize: taskSize) { span throws(Errno) in
                try library(span)
            }
        )
    }

    private static func library(_ span: UInt) throws(Errno) -> UInt {
        guard span < 0x7fff_0000_0000 else { throw .ENOMEM }
        return (0x7fff_7000_0000 - span) & ~4095
    }

    /// - Parameters:
    ///   - bytes: the program.
    ///   - interpreter: what stands at `path`, or wherever the program looks for it.
    ///   - path: the only place where there is an interpreter.
    init(_ bytes: [UInt8], interpreter: [UInt8]? = nil, at path: [UInt8]? = nil) {
        do throws(Errno) {
            let plans = try Judgement.plans(bytes, interpreter: interpreter, at: path)
            let failure = plans.program.failure ?? plans.interpreter?.failure
            self = failure == nil ? .starts : .dies
        } catch {
            self = .refused(error)
        }
    }
}
