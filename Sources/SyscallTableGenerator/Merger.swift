package import Foundation

/// Merges facts and overlay into the one table.
///
/// Each field takes the value of the source that is believed most (`Source`'s order). Where two sources differ, both are
/// listed; the overlay may settle the matter with a `signature` line. Nothing is made up: a pointer without a known
/// direction is a gap, a C type without a Swift type is an error.
package struct Merger {
    let facts: Facts
    let overlay: Overlay
    private let signatures: [Source: [String: [SignatureFact]]]
    private var disagreements: [Disagreement] = []
    private var gaps: [String] = []

    package static func merge(_ facts: Facts, _ overlay: Overlay) throws(GeneratorError) -> Table {
        var merger = Merger(facts: facts, overlay: overlay)
        var calls: [CallDescription] = []
        for number in facts.numbers { calls.append(try merger.describe(number)) }
        try merger.checkOverlayNames(calls)
        merger.compareSizes()
        calls.sort { ($0.architecture, $0.number) < ($1.architecture, $1.number) }
        return Table(
            versions: facts.versions, calls: calls,
            disagreements: merger.disagreements.sorted { ($0.entry, $0.field) < ($1.entry, $1.field) },
            gaps: merger.gaps.sorted())
    }

    /// The table that a data folder gives: `sources/` and `overlay.txt`.
    package static func table(of folder: URL) throws -> Table {
        let facts = try FactsFiles(folder: folder.appendingPathComponent("sources")).read()
        let file = folder.appendingPathComponent("overlay.txt")
        guard let bytes = FileManager.default.contents(atPath: file.path) else {
            throw GeneratorError(file: file.path, reason: "can't be read: is \(folder.path) the data folder?")
        }
        return try merge(facts, Overlay(parsing: String(decoding: bytes, as: UTF8.self), file: "overlay.txt"))
    }

    private init(facts: Facts, overlay: Overlay) {
        self.facts = facts
        self.overlay = overlay
        signatures = facts.signatures.mapValues { Dictionary(grouping: $0, by: \.entry) }
    }

    private mutating func describe(_ row: NumberFact) throws(GeneratorError) -> CallDescription {
        let absence = absence(of: row)
        let parameters = try settledParameters(row)
        let call = overlay.calls["\(row.name)@\(row.architecture.rawValue)"] ?? overlay.calls[row.name]
        if let stranger = call?.hints.first(where: { hint in !parameters.contains { $0.name.value == hint.name } }) {
            let known = parameters.map(\.name.value).joined(separator: ", ")
            throw GeneratorError(
                file: overlay.file, line: stranger.hint.line,
                reason: "\(row.name) has no parameter \(stranger.name) on \(row.architecture.rawValue), but: \(known)")
        }
        let completer = ParameterCompleter(
            overlay: overlay, structureSizes: facts.structureSizes, row: row, parameters: parameters)
        var described: [ParameterDescription] = []
        for (index, parameter) in parameters.enumerated() {
            let hint = call?.hints.first { $0.name == parameter.name.value }?.hint
            let (description, isGap) = try completer.complete(index, hint)
            described.append(description)
            if isGap, absence == nil {
                gaps.append(
                    "\(row.architecture.rawValue) \(row.name) \(parameter.name.value): \(parameter.cType.value)")
            }
        }
        if call?.result == nil, absence == nil {
            gaps.append("\(row.architecture.rawValue) \(row.name): result")
        }
        return CallDescription(
            architecture: row.architecture, number: row.number, abi: row.abi, name: row.name, entry: row.entry,
            isInLinux: absence == nil, absence: absence, parameters: described,
            result: Sourced(Vocabulary.results[call?.result ?? "value"] ?? "value", .overlay))
    }

    /// Why Linux answers the number with ENOSYS, if it does.
    private func absence(of row: NumberFact) -> String? {
        guard let entry = row.entry else { return "no entry point" }
        if entry == "sys_ni_syscall" { return "sys_ni_syscall" }
        let known = signatures[.definition]?[function(entry, row.architecture)] ?? []
        return known.contains { $0.holds(for: row.architecture) }
            ? nil : "no definition of \(entry) for \(row.architecture.rawValue)"
    }

    /// arm64 renames one entry with a macro (`arch/arm64/kernel/sys.c`).
    private func function(_ entry: String, _ architecture: Architecture) -> String {
        let own = "sys_\(architecture.sourceFolder)_" + entry.dropFirst("sys_".count)
        return signatures[.definition]?[own] == nil ? entry : own
    }

    /// A parameter while its declaration is being settled.
    struct Declared {
        var name: Sourced<String>
        var cType: Sourced<String>
    }

    private mutating func settledParameters(_ row: NumberFact) throws(GeneratorError) -> [Declared] {
        let key = "\(row.name)@\(row.architecture.rawValue)"
        let own = overlay.signatures[key] ?? overlay.signatures[row.name]
        var candidates: [(source: Source, parameters: [ParameterFact])] = []
        if let own { candidates.append((.overlay, own.parameters)) }
        if let entry = row.entry, entry != "sys_ni_syscall" {
            for source in [Source.definition, .prototype, .tracefs, .btf] {
                if row.architecture != .x86_64, source == .tracefs || source == .btf { continue }
                let known = signatures[source]?[function(entry, row.architecture)] ?? signatures[source]?[entry] ?? []
                for signature in known.filter({ $0.holds(for: row.architecture) }) {
                    candidates.append((source, signature.parameters))
                }
            }
        }
        guard let first = candidates.first else { return [] }
        if let entry = row.entry { compare(candidates, entry, row.architecture) }
        return first.parameters.enumerated().map { index, parameter in
            let same = candidates.filter { $0.parameters.count == first.parameters.count }
            let named = same.first { $0.parameters[index].name != nil }
            return Declared(
                name: Sourced(named?.parameters[index].name ?? "argument\(index)", named?.source ?? first.source),
                cType: Sourced(parameter.type, first.source))
        }
    }

    private mutating func compare(
        _ candidates: [(source: Source, parameters: [ParameterFact])], _ entry: String, _ architecture: Architecture
    ) {
        guard let first = candidates.first else { return }
        let others = candidates.dropFirst()
        let count = first.parameters.count
        if others.contains(where: { $0.parameters.count != count }) {
            note(
                entry, architecture, "parameter count", false,
                candidates.map { Sourced("\($0.parameters.count)", $0.source) })
        }
        let comparable = candidates.filter { $0.parameters.count == count }
        for index in 0..<count {
            let types = comparable.map { Sourced($0.parameters[index].type, $0.source) }
            let shapes = Set(types.map { CType.canonical($0.value) })
            if shapes.count > 1 {
                let isSpelling = Set(types.map { CType.shape($0.value) }).count == 1
                note(entry, architecture, "type of parameter \(index)", isSpelling, types)
            }
            let names = comparable.compactMap { candidate in
                candidate.parameters[index].name.map { Sourced($0, candidate.source) }
            }
            if Set(names.map(\.value)).count > 1 {
                note(entry, architecture, "name of parameter \(index)", true, names)
            }
        }
    }

    /// The overlay has the last word on a size; where BTF says another, both are listed.
    private mutating func compareSizes() {
        for (name, own) in overlay.sizes {
            guard let known = facts.structureSizes[name], let said = own[.x86_64], said != known else { continue }
            note(name, .x86_64, "size", false, [Sourced("\(said)", .overlay), Sourced("\(known)", .btf)])
        }
    }

    private mutating func note(
        _ entry: String, _ architecture: Architecture, _ field: String, _ isSpelling: Bool, _ values: [Sourced<String>]
    ) {
        let settled = values.first?.source ?? .overlay
        if let index = disagreements.firstIndex(where: {
            $0.entry == entry && $0.field == field && $0.values == values
        }) {
            disagreements[index].architectures.append(architecture)
            return
        }
        disagreements.append(
            Disagreement(
                entry: entry, architectures: [architecture], field: field, isSpelling: isSpelling, values: values,
                settledBy: settled))
    }

    /// A line of the overlay for a call that no table has is a mistake.
    private func checkOverlayNames(_ calls: [CallDescription]) throws(GeneratorError) {
        var known = Set(calls.map(\.name))
        known.formUnion(calls.map { "\($0.name)@\($0.architecture.rawValue)" })
        let lines = overlay.calls.map { ($0.key, $0.value.line) } + overlay.signatures.map { ($0.key, $0.value.line) }
        for (name, line) in lines.sorted(by: { $0.1 < $1.1 }) where !known.contains(name) {
            throw GeneratorError(file: overlay.file, line: line, reason: "no table has a call \(name)")
        }
    }
}
