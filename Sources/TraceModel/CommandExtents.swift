internal import LinuxABI

/// What the table can't say: how many bytes stand behind an argument whose meaning a command number decides.
///
/// The sizes are those of the x86-64, aarch64 and riscv64 ABIs, which agree here. An unknown command captures nothing.
enum CommandExtents {
    /// The direction and extent of a parameter of one call.
    static func shape(
        of parameter: ParameterDescription, at index: Int, in call: SyscallDescription, _ arguments: CallArguments
    ) -> (direction: Direction, extent: Extent) {
        let command = UInt32(truncatingIfNeeded: arguments[1])
        switch (call.name, index) {
        case ("ioctl", 2): return ioctl(command)
        case ("fcntl", 2): return fcntl(command)
        case ("prctl", 1): return prctl(UInt32(truncatingIfNeeded: arguments[0]))
        case ("arch_prctl", 1): return command >= 0x1003 && command <= 0x1004 ? (.out, .fixed(8)) : (.value, .none)
        case ("futex", 3):
            // Only the waiting operations have a timeout there; for the others it is a number.
            let operation = command & 0x7f
            return [0, 6, 9, 11, 13].contains(operation) ? (.in, .fixed(16)) : (.value, .none)
        default: return (parameter.direction, parameter.extent)
        }
    }

    private static func ioctl(_ command: UInt32) -> (Direction, Extent) {
        switch command {
        case 0x5401: return (.out, .fixed(36))  // TCGETS
        case 0x5402...0x5404: return (.in, .fixed(36))  // TCSETS, TCSETSW, TCSETSF
        case 0x540F, 0x5411, 0x541B, 0x5429: return (.out, .fixed(4))  // TIOCGPGRP, TIOCOUTQ, FIONREAD, TIOCGSID
        case 0x5410, 0x5421, 0x5452: return (.in, .fixed(4))  // TIOCSPGRP, FIONBIO, FIOASYNC
        case 0x5413: return (.out, .fixed(8))  // TIOCGWINSZ
        case 0x5414: return (.in, .fixed(8))  // TIOCSWINSZ
        default: break
        }
        // Newer commands carry direction (two bits) and size (fourteen) themselves: `_IOC` of asm-generic/ioctl.h.
        let size = Int(command >> 16 & 0x3fff)
        return switch command >> 30 {
        case 1 where size > 0: (.in, .fixed(size))
        case 2 where size > 0: (.out, .fixed(size))
        case 3 where size > 0: (.both, .fixed(size))
        default: (.value, .none)
        }
    }

    private static func fcntl(_ command: UInt32) -> (Direction, Extent) {
        switch command {
        case 5, 36: (.both, .fixed(32))  // F_GETLK, F_OFD_GETLK
        case 6, 7, 37, 38: (.in, .fixed(32))  // F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW
        case 15: (.in, .fixed(8))  // F_SETOWN_EX
        case 16: (.out, .fixed(8))  // F_GETOWN_EX
        default: (.value, .none)
        }
    }

    private static func prctl(_ option: UInt32) -> (Direction, Extent) {
        switch option {
        case 2, 37: (.out, .fixed(4))  // PR_GET_PDEATHSIG, PR_GET_CHILD_SUBREAPER
        case 40: (.out, .fixed(8))  // PR_GET_TID_ADDRESS
        case 15: (.in, .string)  // PR_SET_NAME
        case 16: (.out, .fixed(16))  // PR_GET_NAME
        default: (.value, .none)
        }
    }
}
