/// What every page begins and ends with.
enum LayoutTemplate {
    static let head = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>{{title}}</title>
        <link rel="stylesheet" href="{{root}}style.css">
        </head>
        <body>
        <nav aria-label="Pages"><a class="brand" href="{{root}}index.html">Apus</a> <a href="{{root}}index.html">Overview</a> \
        <a href="{{root}}syscalls.html">System calls</a></nav>
        <main>

        """

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
