/// One case in one of its variants: the unit of work and of the reports.
package struct CaseJob: Sendable, Hashable {
    package var subject: CorpusCase
    /// Nil for a command.
    package var variant: BuildVariant?

    package init(_ subject: CorpusCase, _ variant: BuildVariant?) {
        self.subject = subject
        self.variant = variant
    }

    package var variantName: String { variant?.rawValue ?? "command" }
    /// `files/pread@musl-static`, `programs/sort`.
    package var id: String { subject.id + (variant.map { "@\($0.rawValue)" } ?? "") }

    /// All the jobs of some cases in the wanted variants; commands have none and always are among them.
    package static func all(of cases: [CorpusCase], variants wanted: [BuildVariant]) -> [CaseJob] {
        cases.flatMap { subject -> [CaseJob] in
            guard case .source(_, let variants, _) = subject.subject else { return [CaseJob(subject, nil)] }
            return variants.filter(wanted.contains).map { CaseJob(subject, $0) }
        }
    }
}
