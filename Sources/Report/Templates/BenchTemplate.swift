/// `bench.html`.
enum BenchTemplate {
    static let text = """
        {{>head}}
        <h1>Speed</h1>
        <p class="lead">{{verdict}}</p>
        <p>{{conditions}}</p>
        <h2>Ratios to native</h2>
        <figure class="chart">
        {{{chart}}}
        </figure>
        <h2>Figures</h2>
        <div class="scroll"><table class="numbers bench">
        <thead><tr><th scope="col">operation</th>{{#header}}<th scope="col">{{.}}</th>{{/header}}</tr></thead>
        <tbody>
        {{#rows}}
        <tr><th scope="row">{{title}}</th>{{#cells}}<td class="{{style}}">{{text}}</td>{{/cells}}</tr>
        {{/rows}}
        </tbody>
        </table></div>
        {{#hasNotes}}
        <h2>Other runtimes</h2>
        <ul>
        {{#notes}}
        <li><b>{{name}}</b>: {{reason}}</li>
        {{/notes}}
        </ul>
        {{/hasNotes}}
        {{#hasSkips}}
        <h2>Skipped</h2>
        <ul>
        {{#skips}}
        <li><b>{{name}}</b>: {{reason}}</li>
        {{/skips}}
        </ul>
        {{/hasSkips}}
        {{#hasFailures}}
        <h2>Not measured</h2>
        <ul>
        {{#failures}}
        <li><b>{{name}}</b>: <code>{{reason}}</code></li>
        {{/failures}}
        </ul>
        {{/hasFailures}}
        {{>foot}}
        """
}
