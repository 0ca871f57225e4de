extension Decoded {
    /// As strace prints it; buffers and strings are cut after `limit` bytes.
    package func text(limit: Int) -> String {
        switch self {
        case .scalar(let text, _): return text
        case .bytes(let bytes, let fullLength, _):
            return Quoting.quoted(bytes, limit: limit, isWhole: UInt64(bytes.count) >= fullLength)
        case .structure(let fields):
            return "{" + fields.map { "\($0.name)=\($0.value.text(limit: limit))" }.joined(separator: ", ") + "}"
        case .list(let elements, let isCut):
            let shown = elements.prefix(limit)
            let dots = isCut || shown.count < elements.count ? ["..."] : []
            return "[" + (shown.map { $0.text(limit: limit) } + dots).joined(separator: ", ") + "]"
        }
    }

    /// Hands out every value in it with the path that leads to it: `statbuf.st_size`, `argv[1]`.
    package func flatten(_ path: String, _ visit: (String, Decoded) -> Void) {
        switch self {
        case .scalar, .bytes: visit(path, self)
        case .structure(let fields):
            for field in fields { field.value.flatten(path + "." + field.name, visit) }
        case .list(let elements, let isCut):
            for (index, element) in elements.enumerated() { element.flatten("\(path)[\(index)]", visit) }
            visit(path + ".count", .scalar("\(elements.count)\(isCut ? "+" : "")"))
        }
    }
}

extension DecodedCall {
    /// As strace prints it, without the thread.
    package func text(limit: Int) -> String {
        let list = arguments.map { argument in
            guard let output = argument.output else { return argument.value.text(limit: limit) }
            if case .scalar(_, .address) = argument.value { return output.text(limit: limit) }
            let before = argument.value.text(limit: limit)
            let after = output.text(limit: limit)
            if before == after { return before }
            if case .scalar = argument.value { return "[\(before) => \(after)]" }
            return before + " => " + after
        }
        let line = name + "(" + list.joined(separator: ", ") + ")"
        guard let result else { return line }
        return line + String(repeating: " ", count: max(0, 39 - line.count)) + " = " + result.text(limit: limit)
    }
}

extension DecodedResult {
    package func text(limit: Int) -> String {
        guard let error else { return value.text(limit: limit) }
        return value.text(limit: limit) + " " + error + (sentence.map { " (\($0))" } ?? "")
    }
}
