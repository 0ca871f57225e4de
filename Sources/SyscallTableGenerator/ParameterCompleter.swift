/// Adds to a parameter's declaration what follows from its type, from the overlay's defaults and from the call's own line.
struct ParameterCompleter {
    let overlay: Overlay
    let structureSizes: [String: Int]
    let row: NumberFact
    let parameters: [Merger.Declared]

    /// The description, and whether it is a pointer of unknown direction.
    func complete(_ index: Int, _ own: Overlay.Hint?) throws(GeneratorError) -> (ParameterDescription, isGap: Bool) {
        let parameter = parameters[index]
        let type = parameter.cType.value
        let isPointer = CType.isPointer(type)
        // A default by name is for the register's own value, or for a pointer: `name *path` only speaks of pointers.
        let hints = [own, overlay.names[(isPointer ? "*" : "") + parameter.name.value], typeHint(type)].compactMap {
            $0
        }

        let role = hints.lazy.compactMap(\.role).first ?? (isPointer ? "struct" : "int")
        let roleSource: Source = hints.contains { $0.role != nil } ? .overlay : .type
        var direction = Sourced("value", .type)
        var isGap = false
        if isPointer, role != "address" {
            if let said = hints.lazy.compactMap(\.direction).first {
                direction = Sourced(said, .overlay)
            } else if CType.isConstant(type) {
                direction = Sourced("in", parameter.cType.source)
            } else {
                isGap = true
            }
        } else if !isPointer, let said = own?.direction {
            // A pointer in an integer's clothes.
            direction = Sourced(said, .overlay)
        }
        let extent = try extent(hints, type, direction.value, role)
        let swiftType = try swiftType(own, hints, type, role, extent.value)
        let flagSet = hints.lazy.compactMap(\.flagSet).first.map { Sourced($0, Source.overlay) }
        let description = ParameterDescription(
            name: parameter.name, cType: parameter.cType, swiftType: swiftType,
            role: Sourced(Vocabulary.roles[role] ?? role, roleSource), direction: direction, extent: extent,
            flagSet: flagSet)
        return (description, isGap)
    }

    private func typeHint(_ type: String) -> Overlay.Hint? {
        overlay.types[type] ?? overlay.types[type.replacing("const ", with: "")]
    }

    private func extent(
        _ hints: [Overlay.Hint], _ type: String, _ direction: String, _ role: String
    ) throws(GeneratorError) -> Sourced<ExtentDescription> {
        guard direction != "value" else { return Sourced(.none, .type) }
        guard let hint = hints.first(where: { $0.extent != nil }), let said = hint.extent else {
            if role == "path" || role == "text" { return Sourced(.string, .overlay) }
            guard let pointee = CType.pointee(type), let size = size(of: pointee) else { return Sourced(.none, .type) }
            return Sourced(.fixed(size.value), size.source)
        }
        let value: ExtentDescription
        switch (said.kind, said.argument) {
        case ("none", nil): value = .none
        case ("string", nil): value = .string
        case ("strings", nil): value = .stringVector
        case ("msghdr", nil): value = .messageHeader
        case ("fixed", let argument?):
            guard let size = Int(argument) ?? size(of: argument.replacing("_", with: " ", maxReplacements: 1))?.value
            else {
                throw fault(hint, "unknown size `\(argument)`")
            }
            value = .fixed(size)
        case ("bytes", let argument?): value = .bytes(try position(argument, hint))
        case ("iovec", let argument?): value = .ioVector(try position(argument, hint))
        case ("result", let argument?): value = .resultBytes(try position(argument, hint))
        case ("bits", let argument?): value = .bits(try position(argument, hint))
        case ("pages", let argument?): value = .pages(try position(argument, hint))
        case ("array", let argument?):
            value = .array(try element(type, hint), try position(argument, hint))
        case ("results", let argument?):
            value = .resultArray(try element(type, hint), try position(argument, hint))
        default: throw fault(hint, "unknown extent `\(said.kind)`")
        }
        return Sourced(value, .overlay)
    }

    private func position(_ name: String, _ hint: Overlay.Hint) throws(GeneratorError) -> Int {
        guard let index = parameters.firstIndex(where: { $0.name.value == name }) else {
            throw fault(hint, "\(row.name) has no parameter \(name) to count with")
        }
        return index
    }

    private func element(_ type: String, _ hint: Overlay.Hint) throws(GeneratorError) -> Int {
        guard let pointee = CType.pointee(type), let size = size(of: pointee) else {
            throw fault(hint, "the size of an element of `\(type)` (\(row.name)) is unknown: add a `size` line")
        }
        return size.value
    }

    /// Bytes behind a pointer to `type`. BTF was extracted on x86-64: elsewhere the overlay says what differs.
    private func size(of type: String) -> Sourced<Int>? {
        if let size = SwiftTypes.integerSize(type) { return Sourced(size, .type) }
        if let size = structureSizes[type] {
            let own = overlay.sizes[type]?[row.architecture]
            return own == nil || own == size ? Sourced(size, .btf) : own.map { Sourced($0, .overlay) }
        }
        return overlay.sizes[type]?[row.architecture].map { Sourced($0, .overlay) }
    }

    private func swiftType(
        _ own: Overlay.Hint?, _ hints: [Overlay.Hint], _ type: String, _ role: String, _ extent: ExtentDescription
    ) throws(GeneratorError) -> Sourced<String> {
        if let said = hints.lazy.compactMap(\.swiftType).first { return Sourced(said, .overlay) }
        if let pointee = CType.pointee(type) {
            return Sourced(SwiftTypes.pointer(to: pointee, extent: extent, layouts: overlay.layouts), .type)
        }
        switch role {
        case "fd": return Sourced("FileNumber", .overlay)
        case "pid": return Sourced("ProcessID", .overlay)
        case "signal": return Sourced("SignalNumber", .overlay)
        case "mode": return Sourced("FileMode", .overlay)
        default: break
        }
        if role == "flags", hints.lazy.compactMap(\.flagSet).first == "open_flags" {
            return Sourced("OpenFlags", .overlay)
        }
        guard let plain = SwiftTypes.value(of: type) else {
            throw GeneratorError(
                file: row.architecture.rawValue, reason: "\(row.name): no Swift type is known for `\(type)`")
        }
        return Sourced(plain, .type)
    }

    private func fault(_ hint: Overlay.Hint, _ reason: String) -> GeneratorError {
        GeneratorError(file: overlay.file, line: hint.line, reason: reason)
    }
}
