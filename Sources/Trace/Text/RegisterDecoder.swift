internal import LinuxABI
internal import TraceModel

/// Says what a register alone means, by its parameter's role.
struct RegisterDecoder {
    let call: String
    let arguments: CallArguments

    func decode(_ parameter: ParameterDescription, _ index: Int) -> Decoded {
        let raw = arguments[index]
        let low = Int32(truncatingIfNeeded: raw)
        if let special = special(index, raw) { return special }
        if let set = parameter.flagSet { return flags(set, parameter, raw) }
        if parameter.cType.contains("*") { return .address(raw) }
        switch parameter.role {
        case .fileDescriptor: return .descriptor(low)
        case .processID: return .process(low)
        case .address: return .address(raw)
        case .signal: return .signal(low)
        case .mode: return .octal(raw & 0xffff)
        case .flags: return .hex(raw & mask(parameter.cType))
        case .offset: return .number(Int64(bitPattern: raw))
        case .userID, .groupID: return .number(Int32(truncatingIfNeeded: raw))
        default: return number(parameter.cType, raw)
        }
    }

    /// Parameters whose meaning another one decides.
    private func special(_ index: Int, _ raw: UInt64) -> Decoded? {
        switch (call, index) {
        case ("fcntl", 2): control(raw)
        case ("ioctl", 2): raw < 4096 ? .number(raw) : .address(raw)
        case ("prctl", 1): raw < 4096 ? .number(raw) : .address(raw)
        case ("futex", 3): FutexOperation(arguments[1]).hasCount ? .number(raw) : .address(raw)
        case ("futex", 5): .hex(raw & 0xffff_ffff)
        case ("getsockopt", 2), ("setsockopt", 2):
            arguments[1] == 1 ? .flags("socket_option", raw) : .number(raw)
        case ("exit", 0), ("exit_group", 0): .number(Int32(truncatingIfNeeded: raw))
        case ("mmap", 5), ("pread64", 3), ("pwrite64", 3): raw < 4096 ? .number(raw) : .hex(raw)
        case ("personality", 0) where raw & 0xffff_ffff == 0xffff_ffff: .scalar("0xffffffff")
        case ("umask", 0): .octal(raw & 0xffff)
        default: nil
        }
    }

    private func control(_ raw: UInt64) -> Decoded {
        switch arguments[1] & 0xffff_ffff {
        case 0, 1030: .number(raw)
        case 2: .flags("fd_flags", raw)
        case 4: .flags("open_flags", raw)
        case 5, 6, 7, 15, 16, 36, 37, 38: .address(raw)
        case 8: .process(Int32(truncatingIfNeeded: raw))
        case 10: .signal(Int32(truncatingIfNeeded: raw))
        default: raw < 4096 ? .number(raw) : .hex(raw)
        }
    }

    private func flags(_ name: String, _ parameter: ParameterDescription, _ raw: UInt64) -> Decoded {
        // Descriptor-making calls without an access mode would all read `O_RDONLY`.
        let set = name == "open_flags" && !["open", "openat", "mq_open", "open_by_handle_at"].contains(call)
        var value = raw & mask(parameter.cType)
        // Enumerations of signed values (`RUSAGE_CHILDREN` is -1) are named in full width.
        let isSigned = parameter.cType == "int" || parameter.cType == "clockid_t"
        if isSigned, FlagLists.set(name)?.isEnumeration == true {
            value = UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: raw)))
        }
        return .flags(set ? "descriptor_flags" : name, value)
    }

    private func mask(_ type: String) -> UInt64 {
        switch type {
        case "int", "unsigned int", "unsigned", "u32", "clockid_t", "pid_t": 0xffff_ffff
        case "umode_t": 0xffff
        default: .max
        }
    }

    private func number(_ type: String, _ raw: UInt64) -> Decoded {
        switch type {
        case "int", "pid_t", "clockid_t", "key_t": .number(Int32(truncatingIfNeeded: raw))
        case "unsigned int", "unsigned", "u32", "uid_t", "gid_t": .number(UInt32(truncatingIfNeeded: raw))
        case "long", "off_t", "loff_t": .number(Int64(bitPattern: raw))
        default: .number(raw)
        }
    }
}
