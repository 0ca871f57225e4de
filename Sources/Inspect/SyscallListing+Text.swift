internal import LinuxABI

extension SyscallListing {
    /// Columns for a terminal, with the summary at the end.
    package var table: String {
        let width = rows.map(\.name.count).max() ?? 4
        func line(_ number: String, _ name: String, _ support: String, _ rest: String) -> String {
            let cells = [
                String(repeating: " ", count: max(0, 4 - number.count)) + number,
                name + String(repeating: " ", count: max(0, width - name.count)),
                support + String(repeating: " ", count: max(0, 7 - support.count)), rest,
            ]
            return cells.joined(separator: "  ") + "\n"
        }
        var text = line("nr", "name", "support", "parameters -> result")
        for row in rows {
            let call = "(\(row.signature)) -> \(row.result)"
            text += line(
                "\(row.number)", row.name, row.support.rawValue, call + (row.note.isEmpty ? "" : "  # " + row.note))
        }
        return text + summary + "\n"
    }

    /// RFC 4180, with a header.
    package var csv: String {
        func quoted(_ text: String) -> String {
            guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
            return "\"" + text.replacing("\"", with: "\"\"") + "\""
        }
        var text = "architecture,number,name,in_linux,support,note,result,parameters\r\n"
        for row in rows {
            let fields = [
                architecture.rawValue, "\(row.number)", row.name, row.isInLinux ? "yes" : "no", row.support.rawValue,
                row.note, row.result, row.signature,
            ]
            text += fields.map(quoted).joined(separator: ",") + "\r\n"
        }
        return text
    }

    /// A table for documents.
    package var markdown: String {
        func escaped(_ text: String) -> String { text.replacing("\\", with: "\\\\").replacing("|", with: "\\|") }
        var text = "| nr | call | support | note |\n|---:|---|---|---|\n"
        for row in rows {
            let call = "`\(row.name)(\(row.signature))`"
            text += "| \(row.number) | \(escaped(call)) | \(row.support.rawValue) | \(escaped(row.note)) |\n"
        }
        return text + "\n\(summary)\n"
    }
}
