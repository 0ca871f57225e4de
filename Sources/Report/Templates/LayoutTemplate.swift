/// A page that the others lead to.
struct PageLink {
    let file: String
    let title: String

    static let overview = PageLink(file: "index.html", title: "Overview")
    static let calls = PageLink(file: "syscalls.html", title: "System calls")
    static let bench = PageLink(file: "bench.html", title: "Speed")
}

/// What every page begins and ends with.
enum LayoutTemplate {
    static func head(_ links: [PageLink]) -> String {
        let first = links.first?.file ?? ""
        let items = links.map { "<a href=\"{{root}}\($0.file)\">\($0.title)</a>" }.joined(separator: " ")
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{{title}}</title>
            <link rel="stylesheet" href="{{root}}style.css">
            </head>
            <body>
            <nav aria-label="Pages"><a class="brand" href="{{root}}\(first)">Apus</a> \(items)</nav>
            <main>

            """
    }

    static let foot = """
        </main>
        <footer>{{date}} · {{host}}</footer>
        </body>
        </html>

        """

    /// A line with what differs marked.
    static let segments = """
        {{#isChanged}}<mark>{{text}}</mark>{{/isChanged}}{{^isChanged}}{{text}}{{/isChanged}}
        """
}
