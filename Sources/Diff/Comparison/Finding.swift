/// A place where a sandboxed thread leaves the native one, before it is classed.
struct Finding {
    enum What {
        /// Both have the event, but these fields of it differ.
        case changed([FieldDifference])
        /// Only the native thread has it.
        case missing
        /// Only the sandboxed thread has it.
        case extra
        /// Both have it, in different places: here natively, in `row` in the sandbox.
        case moved(row: Int)
        /// Both have the same signal, so many events later in the sandbox.
        case displaced(by: Int)
        /// The sandboxed thread ends here; the native one goes on.
        case cut
    }

    var row: Int
    var what: What
    /// How many rows it stands for.
    var count = 1
}

/// Finds where two threads differ beyond what the native runs allow.
struct ThreadFindings {
    let native: CanonicalThread
    let sandbox: CanonicalThread
    let rows: [ThreadAlignment.Row]
    let envelope: Envelope.Thread
    let interner: Interner

    /// How far apart two places may be for an event to count as moved.
    private static let nearby = 200
    /// More events in a row than this are one finding, whatever they are.
    private static let manyInARow = 8

    func all() -> [Finding] {
        guard !envelope.isOptional else { return [] }
        var findings: [Finding] = []
        for (index, row) in rows.enumerated() {
            switch (row.left, row.right) {
            case (let i?, let j?):
                let (a, b) = (native.events[i].shape, sandbox.events[j].shape)
                if row.displacement != 0 {
                    findings.append(Finding(row: index, what: .displaced(by: row.displacement)))
                }
                guard a != b else { continue }
                let masked = envelope.masked[i] ?? []
                let differences = FieldDifference.between(interner.shape(a), interner.shape(b)).filter {
                    !masked.contains($0.path)
                }
                if !differences.isEmpty { findings.append(Finding(row: index, what: .changed(differences))) }
            case (let i?, nil):
                let name = interner.shape(native.events[i].shape).name
                if !envelope.optional.contains(i), !envelope.unstable.contains(name) {
                    findings.append(Finding(row: index, what: .missing))
                }
            case (nil, let j?):
                let name = interner.shape(sandbox.events[j].shape).name
                if !envelope.unstable.contains(name) { findings.append(Finding(row: index, what: .extra)) }
            case (nil, nil): break
            }
        }
        return joined(cutTail(moved(findings)))
    }

    private func shape(_ finding: Finding) -> UInt32? {
        switch finding.what {
        case .missing: rows[finding.row].left.map { native.events[$0].shape }
        case .extra: rows[finding.row].right.map { sandbox.events[$0].shape }
        default: nil
        }
    }

    /// Makes one of an event that is missing in one place and too many in another.
    private func moved(_ findings: [Finding]) -> [Finding] {
        var extras: [UInt32: [Int]] = [:]
        for (index, finding) in findings.enumerated() {
            if case .extra = finding.what, let shape = shape(finding) { extras[shape, default: []].append(index) }
        }
        var result = findings
        var gone: Set<Int> = []
        for (index, finding) in findings.enumerated() {
            guard case .missing = finding.what, let shape = shape(finding),
                let place = extras[shape]?.first(where: {
                    !gone.contains($0) && abs(findings[$0].row - finding.row) <= Self.nearby
                })
            else { continue }
            gone.insert(place)
            result[index].what = .moved(row: findings[place].row)
        }
        return result.indices.filter { !gone.contains($0) }.map { result[$0] }
    }

    /// Makes one of everything that the native thread does after the sandboxed one's end.
    private func cutTail(_ findings: [Finding]) -> [Finding] {
        guard let last = rows.lastIndex(where: { $0.right != nil }), last < rows.count - 2 else {
            return findings
        }
        let tail = findings.filter { finding in
            if case .missing = finding.what { finding.row > last } else { false }
        }
        guard tail.count > 1 else { return findings }
        return findings.filter { $0.row <= last } + [Finding(row: tail[0].row, what: .cut, count: tail.count)]
    }

    /// Makes one of the same thing missing or too many several times in a row.
    private func joined(_ findings: [Finding]) -> [Finding] {
        var result: [Finding] = []
        var index = 0
        while index < findings.count {
            var run = [findings[index]]
            while index + run.count < findings.count, follows(findings[index + run.count], run[run.count - 1]) {
                run.append(findings[index + run.count])
            }
            index += run.count
            if run.count > Self.manyInARow {
                result.append(Finding(row: run[0].row, what: run[0].what, count: run.count))
                continue
            }
            for finding in run {
                if let last = result.indices.last, follows(finding, result[last]), name(finding) == name(result[last]) {
                    result[last].count += 1
                } else {
                    result.append(finding)
                }
            }
        }
        return result
    }

    private func follows(_ finding: Finding, _ other: Finding) -> Bool {
        switch (finding.what, other.what) {
        case (.missing, .missing), (.extra, .extra): finding.row == other.row + other.count
        default: false
        }
    }

    private func name(_ finding: Finding) -> UInt32? { shape(finding).map { interner.shape($0).name } }
}
