/// `syscalls.html`, and what the overview shows of it.
enum CallsTemplate {
    static let summary = """
        {{^isKnown}}
        <p>The sandbox could not be asked what it implements.</p>
        {{/isKnown}}
        <div class="scroll"><table class="numbers">
        <thead><tr><th scope="col">support</th><th scope="col">calls</th><th scope="col">made by the corpus</th></tr></thead>
        <tbody>
        {{#statuses}}
        <tr><th scope="row">{{name}}</th><td>{{count}}</td><td>{{exercised}}</td></tr>
        {{/statuses}}
        </tbody>
        </table></div>
        {{#hasWanted}}
        <h3>Wanted <span class="quiet">made natively by programs of the corpus, and not implemented</span></h3>
        <div class="scroll"><table class="numbers calls">
        <thead><tr><th scope="col">call</th><th scope="col">number</th><th scope="col">support</th><th scope="col">cases</th>\
        <th scope="col">native</th><th scope="col">sandbox</th><th scope="col">diverged</th></tr></thead>
        <tbody>
        {{#wanted}}
        {{>callRow}}
        {{/wanted}}
        </tbody>
        </table></div>
        {{/hasWanted}}

        """

    static let row = """
        <tr{{#isQuiet}} class="unused"{{/isQuiet}}><th scope="row">{{name}}</th><td>{{number}}</td>\
        <td class="word"><span class="badge {{style}}">{{status}}</span> <span class="quiet">{{note}}</span></td>\
        <td>{{cases}}</td><td>{{native}}</td><td>{{sandbox}}</td><td>{{divergences}}</td></tr>

        """

    static let text = """
        {{>head}}
        <h1>System calls</h1>
        <p class="lead">Every system call of x86-64, what the sandbox makes of it, and how often the corpus makes it: “cases” \
        name it as under test, “native” and “sandbox” count calls in one run of each case.</p>
        {{#calls}}
        {{>callSummary}}
        {{/calls}}
        <h2>All calls</h2>
        <div class="scroll"><table class="numbers calls">
        <thead><tr><th scope="col">call</th><th scope="col">number</th><th scope="col">support</th><th scope="col">cases</th>\
        <th scope="col">native</th><th scope="col">sandbox</th><th scope="col">diverged</th></tr></thead>
        <tbody>
        {{#rows}}
        {{>callRow}}
        {{/rows}}
        </tbody>
        </table></div>
        {{>foot}}
        """
}
