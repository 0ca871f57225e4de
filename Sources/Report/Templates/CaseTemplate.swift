/// A case's page.
enum CaseTemplate {
    static let divergence = """
        <section class="divergence{{#isExplained}} explained{{/isExplained}}" id="{{anchor}}">
        <h3><span class="kindname">{{kind}}</span> <code>{{place}}</code>{{#thread}} <span class="quiet">thread {{thread}}</span>{{/thread}}</h3>
        <p>{{explanation}}</p>
        <p class="quiet">{{meaning}}; cause: {{cause}}{{#positions}}; {{positions}}{{/positions}}</p>
        {{#expectation}}
        <p><span class="badge expected">expected</span> {{expectation}}</p>
        {{/expectation}}
        {{#hasLines}}
        {{^isFirst}}
        <details><summary>both sides</summary>
        {{/isFirst}}
        <div class="scroll"><table class="sides">
        <thead><tr><th scope="col" class="gutter"></th><th scope="col">native</th><th scope="col" class="gutter"></th><th scope="col">sandbox</th></tr></thead>
        <tbody>
        {{#lines}}
        <tr{{#differs}} class="differs"{{/differs}}><td class="gutter">{{#differs}}native{{/differs}}</td>\
        <td class="line native{{^hasNative}} none{{/hasNative}}">{{#native}}{{>segments}}{{/native}}</td>\
        <td class="gutter">{{#differs}}sandbox{{/differs}}</td>\
        <td class="line sandbox{{^hasSandbox}} none{{/hasSandbox}}">{{#sandbox}}{{>segments}}{{/sandbox}}</td></tr>
        {{/lines}}
        </tbody>
        </table></div>
        {{^isFirst}}
        </details>
        {{/isFirst}}
        {{/hasLines}}
        {{#hasValues}}
        <table class="values">
        <tr><th scope="row">native</th><td class="line native{{^hasNative}} none{{/hasNative}}">{{#native}}{{>segments}}{{/native}}</td></tr>
        <tr><th scope="row">sandbox</th><td class="line sandbox{{^hasSandbox}} none{{/hasSandbox}}">{{#sandbox}}{{>segments}}{{/sandbox}}</td></tr>
        </table>
        {{/hasValues}}
        </section>

        """

    static let text = """
        {{>head}}
        <h1>{{title}}</h1>
        <p class="lead"><span class="badge {{outcome}}">{{outcome}}</span> {{summary}}</p>
        {{#reason}}
        <pre class="reason">{{reason}}</pre>
        {{/reason}}
        <dl class="facts">
        <dt>source</dt><dd><code>{{file}}</code></dd>
        {{#command}}
        <dt>command</dt><dd><code>{{command}}</code></dd>
        {{/command}}
        {{#calls}}
        <dt>under test</dt><dd><code>{{calls}}</code></dd>
        {{/calls}}
        <dt>run again</dt><dd><code>{{again}}</code></dd>
        {{#compare}}
        <dt>whole traces</dt><dd><code>{{compare}}</code></dd>
        {{/compare}}
        </dl>

        {{#first}}
        <h2>Look here first</h2>
        {{>divergence}}
        {{/first}}

        {{#hasRuns}}
        <h2>Runs</h2>
        <div class="scroll"><table>
        <thead><tr><th scope="col">side</th><th scope="col">ending</th><th scope="col">time</th><th scope="col">output</th><th scope="col">trace</th></tr></thead>
        <tbody>
        {{#runs}}
        <tr><th scope="row">{{side}}</th><td>{{ending}}</td><td>{{duration}}</td><td>{{output}}</td><td>{{trace}}</td></tr>
        {{/runs}}
        </tbody>
        </table></div>
        {{/hasRuns}}

        {{#hasThreads}}
        <h2>Threads when time was up</h2>
        <div class="scroll"><table>
        <thead><tr><th scope="col">process</th><th scope="col">thread</th><th scope="col">name</th><th scope="col">state</th><th scope="col">doing</th></tr></thead>
        <tbody>
        {{#threads}}
        <tr><td>{{process}}</td><td>{{thread}}</td><td>{{name}}</td><td>{{state}}</td><td><code>{{place}}</code><pre>{{stack}}</pre></td></tr>
        {{/threads}}
        </tbody>
        </table></div>
        {{/hasThreads}}

        {{#hasOthers}}
        <h2>Other divergences</h2>
        {{#others}}
        {{>divergence}}
        {{/others}}
        {{/hasOthers}}
        {{#hidden}}
        <p class="quiet">{{hidden}} are counted, but not kept.</p>
        {{/hidden}}

        {{#hasOutputs}}
        <h2>Output</h2>
        {{#outputs}}
        <h3>{{name}}{{#isCut}} <span class="quiet">its start</span>{{/isCut}}</h3>
        <pre class="output">{{text}}</pre>
        {{/outputs}}
        {{/hasOutputs}}
        {{>foot}}
        """
}
