internal import Corpus
internal import Mustache

/// The templates, ready to be filled.
struct Pages {
    private let library: MustacheLibrary

    /// `links` are the pages that there are. Throws only if a template of this program is itself wrong.
    init(_ links: [PageLink] = [.overview, .calls]) throws(CorpusError) {
        var library = MustacheLibrary()
        do {
            for (name, text) in [
                ("head", LayoutTemplate.head(links)), ("foot", LayoutTemplate.foot),
                ("segments", LayoutTemplate.segments),
                ("overview", OverviewTemplate.text), ("calls", CallsTemplate.text),
                ("callRow", CallsTemplate.row), ("callSummary", CallsTemplate.summary), ("case", CaseTemplate.text),
                ("divergence", CaseTemplate.divergence), ("bench", BenchTemplate.text),
            ] {
                try library.register(text, named: name)
            }
        } catch {
            throw CorpusError(.store, "template", "is wrong: \(error)", remedy: "this is a bug of apus")
        }
        self.library = library
    }

    func overview(_ page: OverviewPage) -> String { render(page, "overview") }
    func calls(_ page: CallsPage) -> String { render(page, "calls") }
    func bench(_ page: BenchPage) -> String { render(page, "bench") }
    func item(_ page: CasePage) -> String { render(page, "case") }

    private func render(_ page: Any, _ name: String) -> String { library.render(page, withTemplate: name) ?? "" }
}
