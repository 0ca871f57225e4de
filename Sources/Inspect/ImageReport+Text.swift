extension ImageReport {
    /// The report as text, a section a paragraph.
    /// - Parameter listsSymbols: each symbol instead of their number.
    /// - Returns: lines, each with its end.
    package func text(listsSymbols: Bool) -> String {
        var lines = ["\(file): ELF \(header.bits) \(header.type) \(header.machine), \(size) bytes"]
        lines.append("  \(header.byteOrder), \(header.systemInterface), entry \(ELFNames.hexadecimal(header.entry))")
        lines.append(
            "  \(header.programHeaderCount) program headers at \(header.programHeaderOffset), "
                + "\(header.sectionHeaderCount) sections at \(header.sectionHeaderOffset)")
        if let interpreter { lines.append("interpreter: \(interpreter)") }
        if let name { lines.append("name: \(name)") }
        if let searchPath { lines.append("search path: \(searchPath)") }
        if !needed.isEmpty { lines.append("needed: " + needed.joined(separator: " ")) }
        lines.append("")
        lines += segmentLines
        if !notes.isEmpty { lines += ["", "notes"] + notes.map { "  \($0.owner) \($0.type)  \($0.text)" } }
        for (title, list) in [("dynamic symbols", dynamicSymbols), ("symbols", symbols)] {
            lines.append("")
            let defined = list.filter(\.isDefined).count
            lines.append("\(title): \(list.count), \(defined) defined" + (list.isEmpty ? " (none or stripped)" : ""))
            if listsSymbols { lines += list.map(\.line) }
        }
        if !complaints.isEmpty { lines += ["", "could not be read"] + complaints.map { "  \($0)" } }
        return lines.joined(separator: "\n") + "\n"
    }

    private var segmentLines: [String] {
        let header = ["segment", "flags", "offset", "address", "in file", "in memory", "align"]
        let rows = segments.map { segment in
            [segment.type, segment.flagText]
                + [
                    segment.offset, segment.virtualAddress, segment.fileSize, segment.memorySize, segment.alignment,
                ].map(ELFNames.hexadecimal)
        }
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        return ([header] + rows).map { row in
            zip(row, widths).enumerated().map { index, cell in
                let pad = String(repeating: " ", count: cell.1 - cell.0.count)
                // Names to the left, numbers to the right.
                return index < 2 ? cell.0 + pad : pad + cell.0
            }.joined(separator: "  ")
        }
    }
}

extension ImageReport.Segment {
    /// `R-X`.
    package var flagText: String {
        (flags & 4 != 0 ? "R" : "-") + (flags & 2 != 0 ? "W" : "-") + (flags & 1 != 0 ? "X" : "-")
    }
}

extension ImageReport.Symbol {
    fileprivate var line: String {
        "  \(isDefined ? ELFNames.hexadecimal(value) : "undefined")  \(size)  \(binding) \(type)  \(name)"
    }
}
