//! The report as a page, without scripts and without anything from elsewhere.

use super::markup::escaped;
use crate::run::{Ran, Results, Verdict};
use std::fmt::Write as _;

const STYLE: &str = "
:root { color-scheme: light dark; --good: #1a7f37; --bad: #cf222e; --quiet: #6e7781; --line: #d0d7de; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 0; }
.about, .ids, .reason, .server { color: var(--quiet); }
.bar { display: flex; height: .75rem; border-radius: .4rem; overflow: hidden; margin: 1rem 0; background: var(--line); }
.bar span { display: block; } .bar .passed { background: var(--good); } .bar .failed { background: var(--bad); }
table { border-collapse: collapse; width: 100%; }
td { border-bottom: 1px solid var(--line); padding: .4rem .5rem .4rem 0; vertical-align: top; }
td:first-child { white-space: nowrap; width: 5.5rem; font-weight: 600; }
.ids { font-size: .85rem; white-space: nowrap; text-align: right; width: 1%; }
.passed td:first-child { color: var(--good); } .failed td:first-child { color: var(--bad); }
.skipped td:first-child { color: var(--quiet); font-weight: 400; } .reason { font-size: .9rem; overflow-wrap: anywhere; }
";

/// A page that people read.
pub fn html(results: &Results) -> String {
    let (passed, failed, skipped) = (results.count("passed"), results.count("failed"), results.count("skipped"));
    let title = if failed == 0 { "Conformance: nothing failed" } else { "Conformance: something failed" };
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n\
         <p class=\"server\">{} &middot; {} &middot; {}</p>\n\
         <p><strong>{passed}</strong> passed, <strong>{failed}</strong> failed, <strong>{skipped}</strong> skipped</p>\n",
        escaped(&results.server),
        escaped(&results.fhir_base),
        escaped(&results.began),
    );
    let _ = writeln!(
        page,
        "<div class=\"bar\" role=\"img\" aria-label=\"{passed} of {} passed\"><span class=\"passed\" style=\"flex:{passed}\"></span>\
         <span class=\"failed\" style=\"flex:{failed}\"></span><span style=\"flex:{skipped}\"></span></div>",
        results.checks.len(),
    );
    for (name, about) in &results.suites {
        let _ = writeln!(
            page,
            "<h2 id=\"{0}\">{0}</h2>\n<div class=\"about\">{1}</div>\n<table>",
            escaped(name),
            escaped(about)
        );
        for ran in results.checks.iter().filter(|ran| ran.suite == *name) {
            page.push_str(&row(ran));
        }
        page.push_str("</table>\n");
    }
    page.push_str("</html>\n");
    page
}

fn row(ran: &Ran) -> String {
    let word = match ran.verdict {
        Verdict::Passed => "passed",
        Verdict::Failed(_) => "FAILED",
        Verdict::Skipped(_) => "skipped",
    };
    let reason = ran.verdict.reason().map(|reason| format!("<div class=\"reason\">{}</div>", escaped(reason)));
    format!(
        "<tr class=\"{}\"><td>{word}</td><td>{}{}</td><td class=\"ids\">{}</td></tr>\n",
        ran.verdict.word(),
        escaped(ran.name),
        reason.unwrap_or_default(),
        ran.ids.join(" "),
    )
}
