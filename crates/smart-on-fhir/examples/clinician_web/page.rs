//! The pages. Everything that comes from elsewhere is escaped where it is put in.

use crate::chart::{Chart, Series};
use crate::record::{Entry, Missing, Part, Person, Record};
use crate::vitals::Vitals;
use smart_on_fhir::core::untrusted::html_escaped;
use std::fmt::Write as _;
use url::Url;

/// A whole page. `header` and `body` are markup.
fn page(title: &str, header: &str, body: &str) -> String {
    let title = html_escaped(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title>\
         <link rel=\"stylesheet\" href=\"/style.css\"></head>\n\
         <body><header class=\"top\"><span class=\"app\">Vital signs</span>{header}</header>\n{body}\n</body></html>\n"
    )
}

/// A page of few words.
fn words(title: &str, markup: &str) -> String {
    page(title, "", &format!("<main class=\"words\"><h1>{}</h1>{markup}</main>", html_escaped(title)))
}

/// The page without a record.
pub(crate) fn home(launcher: Option<&Url>) -> String {
    words("No record is open", &how_to_open(launcher))
}

/// The page after a logout.
pub(crate) fn signed_out(launcher: Option<&Url>) -> String {
    let markup =
        format!("<p>The record is closed, and this app has forgotten its access to it.</p>{}", how_to_open(launcher));
    words("You are signed out", &markup)
}

fn how_to_open(launcher: Option<&Url>) -> String {
    match launcher {
        Some(url) => format!(
            "<p>This app is opened from the EHR, with a patient.</p><p><a class=\"button\" href=\"{}\">Go to the sandbox's EHR</a></p>",
            html_escaped(url.as_str())
        ),
        None => "<p>Open a patient in your EHR, and start this app from there.</p>".to_owned(),
    }
}

/// A page that says what went wrong, and what to do. `again`: the path of the page that may be tried again.
pub(crate) fn problem(title: &str, text: &str, again: Option<&str>) -> String {
    let mut markup = format!("<p>{}</p>", html_escaped(text));
    if let Some(again) = again {
        let _ = write!(
            markup,
            "<p><a class=\"button\" href=\"{}\">Try again</a></p><p>If it happens again, open the patient anew from your EHR.</p>",
            html_escaped(again)
        );
    }
    words(title, &markup)
}

/// A patient's record. `session`: the name of the page's session.
pub(crate) fn patient(record: &Record, session: Option<&str>) -> String {
    let target = session.map_or_else(|| "/logout".to_owned(), |name| format!("/logout?smart_session={name}"));
    let header = format!(
        "<form method=\"post\" action=\"{}\"><button class=\"quiet\">Sign out</button></form>",
        html_escaped(&target)
    );
    let banner = if record.shows_banner { banner(&record.person) } else { String::new() };
    let body = format!(
        "{banner}<main class=\"record\">{}{}{}</main>\n<footer>Read from {} at {}</footer>",
        charts(&record.vitals),
        list("Problems", "active problems", &record.problems),
        list("Medicines", "active prescriptions", &record.medicines),
        html_escaped(&record.source),
        html_escaped(&record.read_at)
    );
    page(record.person.name.as_deref().unwrap_or("Patient"), &header, &body)
}

/// Whose record it is.
fn banner(person: &Person) -> String {
    let name = person.name.as_deref().unwrap_or("(the record has no name)");
    let born = match (&person.born, person.age) {
        (Some(born), Some(age)) => Some(format!("{born} ({age} y)")),
        (born, _) => born.clone(),
    };
    let mut facts = String::new();
    let known = [("Born", &born), ("Died", &person.died), ("Sex", &person.sex), ("Record number", &person.number)];
    for (label, value) in known {
        if let Some(value) = value {
            let _ = write!(facts, "<div><dt>{label}</dt><dd>{}</dd></div>", html_escaped(value));
        }
    }
    format!(
        "<section class=\"banner\" aria-label=\"Patient\"><h1>{}</h1><dl>{facts}</dl></section>\n",
        html_escaped(name)
    )
}

fn charts(vitals: &Part<Vitals>) -> String {
    let vitals = match vitals {
        Ok(vitals) => vitals,
        Err(missing) => return section("Vital signs", "", &not_read(missing, "vital signs")),
    };
    let pressure = Chart {
        id: "pressure",
        title: "Blood pressure",
        unit: "mmHg",
        decimals: 0,
        series: vec![
            Series { name: "Systolic", points: &vitals.systolic },
            Series { name: "Diastolic", points: &vitals.diastolic },
        ],
    };
    let weight = Chart {
        id: "weight",
        title: "Body weight",
        unit: "kg",
        decimals: 1,
        series: vec![Series { name: "Weight", points: &vitals.weight }],
    };
    let left_out = match vitals.left_out {
        0 => String::new(),
        count => format!(
            "<p class=\"note wide\">{count} values are not drawn: they are withdrawn, without a date, or in another unit.</p>"
        ),
    };
    format!("{}{}{left_out}", chart(&pressure), chart(&weight))
}

fn chart(chart: &Chart<'_>) -> String {
    let mut body =
        format!("<div class=\"chart\" role=\"region\" aria-label=\"Chart\" tabindex=\"0\">{}</div>", chart.svg());
    if chart.series.iter().any(|series| !series.points.is_empty()) {
        let _ = write!(body, "<details><summary>As a table</summary>{}</details>", chart.table());
    }
    section(chart.title, chart.unit, &body)
}

fn section(title: &str, unit: &str, body: &str) -> String {
    let unit =
        if unit.is_empty() { String::new() } else { format!(" <span class=\"unit\">{}</span>", html_escaped(unit)) };
    format!("<section class=\"card\"><h2>{}{unit}</h2>{body}</section>\n", html_escaped(title))
}

fn list(title: &str, what: &str, entries: &Part<Vec<Entry>>) -> String {
    let body = match entries {
        Err(missing) => not_read(missing, what),
        Ok(entries) if entries.is_empty() => format!("<p class=\"none\">The record has no {what}.</p>"),
        Ok(entries) => {
            let mut items = String::new();
            for entry in entries {
                let detail = entry.detail.as_deref().map(|detail| format!("<small>{}</small>", html_escaped(detail)));
                let since = entry.since.as_deref().map(|since| format!("<small>since {}</small>", html_escaped(since)));
                let (detail, since) = (detail.unwrap_or_default(), since.unwrap_or_default());
                let _ = writeln!(items, "<li><span>{}{detail}</span>{since}</li>", html_escaped(&entry.text));
            }
            format!("<ul class=\"entries\">{items}</ul>")
        }
    };
    section(title, "", &body)
}

/// Says that a part is unknown, and not empty.
fn not_read(missing: &Missing, what: &str) -> String {
    match missing {
        Missing::NotAllowed => format!(
            "<p class=\"warning\"><strong>Unknown.</strong> The EHR does not let this app read {what}. Look in the EHR itself.</p>"
        ),
        Missing::Failed => format!(
            "<p class=\"warning\"><strong>Unknown.</strong> The {what} could not be read. Load the page again, or look in the EHR itself.</p>"
        ),
    }
}
