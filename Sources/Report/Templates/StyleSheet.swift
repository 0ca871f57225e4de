/// `style.css`: the system's own fonts, light and dark, colours whose contrast is at least 4.5 to 1.
enum StyleSheet {
    static let text = """
        :root {
          color-scheme: light dark;
          --ground: #ffffff; --panel: #f5f6f8; --text: #1c2126; --quiet: #5a636d; --line: #d9dee3; --link: #0a58a8;
          --pass: #1a6b37; --expected: #7a5200; --fail: #b3261e; --unstable: #9a4a00; --invalid: #6b4fa0; --skipped: #5a636d; --broken: #8c1d5b;
          --native: #e3f0e6; --sandbox: #fbe6e4; --native-mark: #b5dcc0; --sandbox-mark: #f3bdb8;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --ground: #14181c; --panel: #1d2227; --text: #e3e7eb; --quiet: #9aa5b0; --line: #343c44; --link: #7db8f5;
            --pass: #6fce8e; --expected: #e5b454; --fail: #ff8a80; --unstable: #ffab70; --invalid: #bda4f0; --skipped: #9aa5b0; --broken: #f08cc0;
            --native: #17301f; --sandbox: #3a1d1c; --native-mark: #2a5a3a; --sandbox-mark: #6e2f2c;
          }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--ground); color: var(--text);
          font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
        nav { display: flex; gap: 1.25rem; align-items: baseline; padding: .75rem 1.5rem; border-bottom: 1px solid var(--line); }
        nav .brand { font-weight: 700; color: var(--text); text-decoration: none; margin-right: .5rem; }
        main { max-width: 76rem; margin: 0 auto; padding: 1rem 1.5rem 3rem; }
        footer { max-width: 76rem; margin: 0 auto; padding: 1rem 1.5rem; border-top: 1px solid var(--line);
          color: var(--quiet); font-size: .875rem; }
        h1 { font-size: 1.75rem; line-height: 1.25; margin: 1rem 0 .5rem; overflow-wrap: anywhere; }
        h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
        h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
        h3 .quiet { font-weight: 400; }
        a { color: var(--link); }
        a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
        summary { cursor: pointer; padding: .25rem 0; }
        details.kind { border-bottom: 1px solid var(--line); padding: .25rem 0; }
        details.kind[open] { padding-bottom: 1rem; }
        .divergence details summary { color: var(--quiet); font-size: .875rem; }
        .lead { font-size: 1.125rem; margin: .25rem 0 1.25rem; }
        .quiet { color: var(--quiet); }
        code, pre, .line { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
          font-size: .8125rem; }
        code { overflow-wrap: anywhere; }
        pre { margin: .25rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
        pre.output, pre.reason { background: var(--panel); border: 1px solid var(--line); border-radius: 6px;
          padding: .75rem 1rem; max-height: 30rem; overflow: auto; }
        .bar { display: flex; height: .75rem; border-radius: 6px; overflow: hidden; background: var(--panel); gap: 2px; }
        .bar span { flex: 0 1 auto; min-width: 3px; background: currentColor; }
        .pass { color: var(--pass); } .expected { color: var(--expected); } .fail { color: var(--fail); }
        .unstable { color: var(--unstable); }
        .invalid { color: var(--invalid); } .skipped { color: var(--skipped); } .broken { color: var(--broken); }
        .full { color: var(--pass); } .partial { color: var(--expected); } .refused { color: var(--invalid); }
        .none.badge { color: var(--fail); } .absent { color: var(--skipped); }
        .legend { list-style: none; padding: 0; margin: .75rem 0; display: flex; flex-wrap: wrap; gap: .25rem 1.75rem; }
        .badge { display: inline-block; min-width: 4.5rem; padding: 0 .5rem; border: 1px solid currentColor;
          border-radius: 999px; font-size: .8125rem; line-height: 1.5; text-align: center; white-space: nowrap; }
        .lead .badge { font-size: .9375rem; vertical-align: .05em; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; margin: .25rem 0 .75rem; }
        th, td { padding: .3rem .75rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
        thead th { font-size: .875rem; font-weight: 600; color: var(--quiet); }
        tbody th { font-weight: 500; }
        tfoot th, tfoot td { font-weight: 700; border-bottom: 0; }
        table.numbers td, table.numbers thead th { text-align: right; padding: .3rem 0 .3rem 1.5rem;
          font-variant-numeric: tabular-nums; }
        table.numbers thead th:first-child, table.numbers td.word { text-align: left; }
        table.numbers thead th:first-child { padding-left: 0; }
        table.numbers.calls thead th:nth-child(3) { text-align: left; }
        figure.chart { margin: 0; overflow-x: auto; } figure.chart svg { min-width: 44rem; max-width: 60rem; }
        table.bench td, table.bench thead th { padding-left: .9rem; white-space: nowrap; }
        td.zero, tr.unused td, tr.unused th { color: var(--quiet); }
        td.zero { opacity: .75; }
        .divergence { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .25rem 1rem .75rem;
          margin: .75rem 0; }
        .divergence h3 { margin: .75rem 0 .25rem; } .divergence p { margin: .25rem 0; }
        .divergence:target { border-color: var(--link); box-shadow: 0 0 0 1px var(--link); }
        .kindname { color: var(--fail); } .explained .kindname { color: var(--quiet); }
        table.sides { width: 100%; table-layout: fixed; min-width: 48rem; background: var(--ground);
          border: 1px solid var(--line); margin-top: .75rem; }
        table.sides th, table.sides td { border: 0; padding: .1rem .6rem; }
        table.sides thead th { padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
        table.sides .gutter { width: 5rem; font-size: .75rem; line-height: 1.7; color: var(--quiet); text-align: right;
          border-left: 1px solid var(--line); user-select: none; }
        .pair { display: grid; grid-template-columns: max-content 1fr; margin: .25rem 0; }
        .pair span:nth-child(odd) { font-size: .75rem; line-height: 1.7; color: var(--quiet); text-align: right;
          padding-right: .6rem; }
        .pair .line { padding: 0 .6rem; min-height: 1.2rem; }
        .pair .native { background: var(--native); } .pair .sandbox { background: var(--sandbox); }
        a.variant { font-size: .8125rem; margin-right: .4rem; white-space: nowrap; }
        .line { white-space: pre-wrap; overflow-wrap: anywhere; }
        tr.differs .native, table.values .native { background: var(--native); }
        tr.differs .sandbox, table.values .sandbox { background: var(--sandbox); }
        .line.none { background: repeating-linear-gradient(-45deg, transparent 0 6px, var(--line) 6px 7px) !important; }
        mark { color: inherit; border-radius: 2px; }
        .native mark { background: var(--native-mark); } .sandbox mark { background: var(--sandbox-mark); }
        table.values { margin-top: .5rem; width: 100%; background: var(--ground); border: 1px solid var(--line); }
        table.values th { width: 5rem; font-size: .75rem; color: var(--quiet); text-align: right; padding: .1rem .6rem; }
        table.values td { padding: .1rem .6rem; } table.values td, table.values th { border: 0; }
        dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 1rem 0; }
        dt { color: var(--quiet); } dl.facts dd { margin: 0; } dd { margin: 0 0 .75rem; }
        @media print { nav { display: none; } .scroll { overflow: visible; } }

        """
}
