/// The spelling of C types: one space between words, `*` set off from the word before it.
package enum CType {
    /// A type in the one spelling that the table uses: `const char __user *`.
    package static func spelled(_ text: String) -> String {
        var words = words(of: text)
        // That the parameter itself is constant is of no concern to a caller.
        if words.last == "const" { words.removeLast() }
        if words.first == "const", words.last?.hasSuffix("*") == false, words.last?.hasPrefix("cap_user") == false {
            words.removeFirst()
        }
        return words.joined(separator: " ")
    }

    /// The words of a type or a declaration; stars that follow each other are one.
    static func words(of text: String) -> [String] {
        var words: [String] = []
        for word in text.replacing("*", with: " * ").split(whereSeparator: \.isWhitespace) {
            if word == "*", let last = words.last, last.hasSuffix("*") {
                words[words.count - 1] += "*"
            } else {
                words.append(String(word))
            }
        }
        return words
    }

    package static func isPointer(_ type: String) -> Bool {
        pointee(type) != nil
    }

    /// What a pointer points at (`struct stat` for `const struct stat __user *`); nil for other types.
    package static func pointee(_ type: String) -> String? {
        switch type.replacing("const ", with: "") {
        case "cap_user_header_t": return "struct __user_cap_header_struct"
        case "cap_user_data_t": return "struct __user_cap_data_struct"
        default: break
        }
        guard type.hasSuffix("*") else { return nil }
        return type.dropLast().split(separator: " ").filter { $0 != "const" && $0 != "__user" }.joined(separator: " ")
    }

    /// Whether the bytes behind a pointer are promised not to be written.
    package static func isConstant(_ type: String) -> Bool {
        type.hasPrefix("const ") || type.contains(" const ")
    }

    /// Types that only differ in spelling have the same canonical form: annotations go, `unsigned` is `unsigned int`,
    /// and the typedefs of plain integers give way to what they stand for on LP64.
    package static func canonical(_ type: String) -> String {
        var words = type.split(separator: " ").map(String.init).filter {
            !["__user", "const", "volatile"].contains($0)
        }
        if let index = words.firstIndex(of: "unsigned"), index + 1 == words.count || words[index + 1].hasPrefix("*") {
            words.insert("int", at: index + 1)
        }
        // BTF spells as the compiler does: `long unsigned int`.
        if words.count >= 2, words[0] == "long", words[1] == "unsigned" { words.swapAt(0, 1) }
        if let index = words.firstIndex(of: "long"), index + 1 < words.count, words[index + 1] == "int" {
            words.remove(at: index + 1)
        }
        return words.map { typedefs[$0] ?? $0 }.joined(separator: " ")
    }

    /// The width and sign of a type, or that it points somewhere: what matters to the calling convention.
    package static func shape(_ type: String) -> String {
        let canonical = canonical(type)
        if canonical.hasSuffix("*") { return "pointer" }
        return canonical
    }

    private static let typedefs: [String: String] = [
        "u8": "unsigned char", "__u8": "unsigned char", "u16": "unsigned short", "__u16": "unsigned short",
        "u32": "unsigned int", "__u32": "unsigned int", "s32": "int", "__s32": "int", "uint32_t": "unsigned int",
        "u64": "unsigned long", "__u64": "unsigned long", "s64": "long", "__s64": "long", "size_t": "unsigned long",
        "ssize_t": "long", "off_t": "long", "loff_t": "long", "aio_context_t": "unsigned long",
        "__kernel_size_t": "unsigned long", "uintptr_t": "unsigned long", "pid_t": "int", "uid_t": "unsigned int",
        "gid_t": "unsigned int", "qid_t": "unsigned int", "clockid_t": "int", "timer_t": "int", "mqd_t": "int",
        "key_t": "int", "key_serial_t": "int", "umode_t": "unsigned short", "rwf_t": "int", "__kernel_rwf_t": "int",
        "__kernel_time_t": "long", "__kernel_old_time_t": "long", "time_t": "long", "bool": "unsigned char",
        "old_uid_t": "unsigned short", "old_gid_t": "unsigned short", "old_sigset_t": "unsigned long",
    ]
}
