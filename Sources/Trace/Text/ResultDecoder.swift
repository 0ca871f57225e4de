internal import LinuxABI
internal import TraceModel

/// Says what a call's result means.
enum ResultDecoder {
    static func decode(
        _ result: CallResult, of call: SyscallDescription?, _ arguments: CallArguments
    ) -> DecodedResult {
        if let error = result.errorNumber {
            if let name = ErrnoText.internalName(error) {
                return DecodedResult(value: .scalar("?"), error: name, sentence: ErrnoText.sentence(error))
            }
            return DecodedResult(
                value: .scalar("-1"), error: Errno(rawValue: error).name, sentence: ErrnoText.sentence(error))
        }
        return DecodedResult(value: value(result.rawValue, call, arguments), error: nil, sentence: nil)
    }

    private static func value(_ raw: Int64, _ call: SyscallDescription?, _ arguments: CallArguments) -> Decoded {
        let bits = UInt64(bitPattern: raw)
        switch (call?.name, arguments[1] & 0xffff_ffff) {
        case ("fcntl", 0), ("fcntl", 1030): return .descriptor(Int32(truncatingIfNeeded: raw))
        case ("fcntl", 1): return .scalar(FlagLists.text("fd_flags", bits))
        case ("fcntl", 3): return .scalar(FlagLists.text("open_flags", bits))
        case ("fcntl", 9): return .process(Int32(truncatingIfNeeded: raw))
        case ("umask", _): return .octal(bits)
        case ("times", _), ("time", _): return .number(raw, .time)
        case ("rt_sigreturn", _): return .number(raw, .usage)
        case ("pidfd_open", _): return .descriptor(Int32(truncatingIfNeeded: raw))
        default: break
        }
        switch call?.result {
        case .fileDescriptor?: return .descriptor(Int32(truncatingIfNeeded: raw))
        case .processID?: return .process(Int32(truncatingIfNeeded: raw))
        case .address?: return .address(bits)
        default: return .number(raw)
        }
    }
}
