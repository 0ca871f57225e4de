/// `index.html`.
enum OverviewTemplate {
    static let text = """
        {{>head}}
        <h1>Compatibility report</h1>
        <p class="lead">{{verdict}}</p>
        <p>{{visible}}</p>
        <div class="bar" aria-hidden="true">{{#outcomes}}{{#isPresent}}<span class="{{name}}" style="flex-basis:{{share}}%"></span>\
        {{/isPresent}}{{/outcomes}}</div>
        <ul class="legend">
        {{#outcomes}}
        <li><span class="badge {{name}}">{{name}}</span> <b>{{count}}</b> <span class="quiet">{{meaning}}</span></li>
        {{/outcomes}}
        </ul>
        {{#hasSpeed}}
        <p><a href="bench.html">Speed</a>: {{speed}}</p>
        {{/hasSpeed}}

        {{#hasErrors}}
        <h2>Wrong manifests</h2>
        <ul>
        {{#errors}}
        <li><code>{{.}}</code></li>
        {{/errors}}
        </ul>
        {{/hasErrors}}

        <h2>Families</h2>
        <div class="scroll"><table class="numbers">
        <thead><tr><th scope="col">family</th><th scope="col">runs</th>{{#outcomeNames}}<th scope="col">{{.}}</th>{{/outcomeNames}}</tr></thead>
        <tbody>
        {{#families}}
        <tr><th scope="row">{{name}}</th><td>{{runs}}</td>{{#counts}}<td{{#isZero}} class="zero"{{/isZero}}>{{text}}</td>{{/counts}}</tr>
        {{/families}}
        </tbody>
        <tfoot>{{#total}}<tr><th scope="row">{{name}}</th><td>{{runs}}</td>{{#counts}}<td{{#isZero}} class="zero"{{/isZero}}>{{text}}</td>{{/counts}}</tr>{{/total}}</tfoot>
        </table></div>

        <h2>Divergences by class</h2>
        {{^hasKinds}}
        <p>None is open.</p>
        {{/hasKinds}}
        {{#kinds}}
        <details class="kind"{{#isOpen}} open{{/isOpen}}>
        <summary><b>{{name}}</b> <span class="quiet">{{count}}: {{meaning}}</span></summary>
        <div class="scroll"><table>
        <thead><tr><th scope="col">case</th><th scope="col">where</th><th scope="col">what</th></tr></thead>
        <tbody>
        {{#rows}}
        <tr><td>{{name}}<br>{{#variants}}<a class="variant" href="{{link}}">{{variant}}</a> {{/variants}}</td>\
        <td><code>{{place}}</code></td><td>{{explanation}}{{#more}} <span class="quiet">({{more}})</span>{{/more}}\
        <div class="pair"><span>native</span><span class="line native{{^hasNative}} none{{/hasNative}}">{{#native}}{{>segments}}{{/native}}</span>\
        <span>sandbox</span><span class="line sandbox{{^hasSandbox}} none{{/hasSandbox}}">{{#sandbox}}{{>segments}}{{/sandbox}}</span></div>\
        </td></tr>
        {{/rows}}
        </tbody>
        </table></div>
        </details>
        {{/kinds}}
        {{#hasExpected}}
        <details class="kind">
        <summary><b>Expected</b> <span class="quiet">divergences that <code>corpus/expectations</code> speaks of</span></summary>
        <div class="scroll"><table>
        <thead><tr><th scope="col">reason</th><th scope="col">divergence</th><th scope="col">runs</th><th scope="col">for example</th></tr></thead>
        <tbody>
        {{#expected}}
        <tr><td>{{heading}}</td><td><code>{{place}}</code></td><td>{{count}}</td><td>{{#example}}<a href="{{link}}">{{variant}}</a>{{/example}}</td></tr>
        {{/expected}}
        </tbody>
        </table></div>
        </details>
        {{/hasExpected}}
        {{#hasExplained}}
        <details class="kind">
        <summary><b>Explained</b> <span class="quiet">divergences that come from the environment, the clock or a race</span></summary>
        <div class="scroll"><table>
        <thead><tr><th scope="col">cause</th><th scope="col">divergence</th><th scope="col">what</th><th scope="col">runs</th><th scope="col">for example</th></tr></thead>
        <tbody>
        {{#explained}}
        <tr><td>{{heading}}</td><td><code>{{place}}</code></td><td>{{text}}</td><td>{{count}}</td><td>{{#example}}<a href="{{link}}">{{variant}}</a>{{/example}}</td></tr>
        {{/explained}}
        </tbody>
        </table></div>
        </details>
        {{/hasExplained}}

        <h2>System calls</h2>
        {{#calls}}
        {{>callSummary}}
        {{/calls}}
        <p><a href="syscalls.html">The whole table</a></p>

        {{#hasSkips}}
        <h2>Skipped</h2>
        <dl>
        {{#skips}}
        <dt>{{reason}}</dt><dd class="quiet">{{cases}}</dd>
        {{/skips}}
        </dl>
        {{/hasSkips}}

        {{#hasStale}}
        <h2>Stale expectations</h2>
        <p>They explained nothing although their cases ran: remove them from <code>corpus/expectations</code>.</p>
        <ul>
        {{#stale}}
        <li><code>{{place}}</code>: {{text}}</li>
        {{/stale}}
        </ul>
        {{/hasStale}}

        <h2>All runs</h2>
        <div class="scroll"><table>
        <thead><tr><th scope="col">case</th><th scope="col">outcome</th><th scope="col">what it shows</th></tr></thead>
        <tbody>
        {{#cases}}
        <tr><td><a href="{{link}}">{{title}}</a></td><td><span class="badge {{outcome}}">{{outcome}}</span></td><td>{{remark}}</td></tr>
        {{/cases}}
        </tbody>
        </table></div>
        <p class="quiet">The run took {{duration}}. Also here: <a href="report.md">report.md</a>, \
        <a href="results.json">results.json</a>, <a href="junit.xml">junit.xml</a>.</p>
        {{>foot}}
        """
}
