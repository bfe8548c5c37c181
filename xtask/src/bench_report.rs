//! What benches measured, as a table and as JSON.

use crate::error::TaskError;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// One thing that was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The bench.
    pub bench: String,
    /// What was measured.
    pub name: String,
    /// How much it is.
    pub value: f64,
    /// Of what: `x` is a share of another's speed.
    pub unit: String,
    /// The least that it has to be. Without it the row is for information.
    pub reach: Option<f64>,
    /// Whether it is as much.
    pub is_ok: bool,
    /// One line about it.
    pub remark: String,
}

/// All rows, and the benches that failed otherwise.
#[derive(Debug, Clone, Default)]
pub struct BenchReport {
    rows: Vec<Row>,
    failed: Vec<String>,
}

impl Row {
    /// Reads what a bench prints.
    pub fn read(json: &str) -> Option<Self> {
        let row: Value = serde_json::from_str(json).ok()?;
        let text = |name: &str| row.get(name)?.as_str().map(str::to_owned);
        Some(Self {
            bench: text("bench")?,
            name: text("name")?,
            value: row.get("value")?.as_f64()?,
            unit: text("unit")?,
            reach: row.get("reach")?.as_f64(),
            is_ok: row.get("ok")?.as_bool()?,
            remark: text("remark")?,
        })
    }

    fn amount(&self, value: f64) -> String {
        if self.unit == "x" { format!("{value:.3} x") } else { format!("{value:.0} {}", self.unit) }
    }

    fn verdict(&self) -> &'static str {
        match (self.reach, self.is_ok) {
            (None, _) => "",
            (Some(_), true) => "ok",
            (Some(_), false) => "MISSED",
        }
    }
}

impl BenchReport {
    /// Adds what a bench measured and how it ended. A bench fails when it misses a goal, which its rows say already.
    pub fn add(&mut self, bench: &str, rows: Vec<Row>, result: Result<(), TaskError>) {
        match result {
            Err(error) if rows.iter().all(|row| row.is_ok) => self.failed.push(format!("{bench}: {error}")),
            _ if rows.is_empty() => self.failed.push(format!("{bench}: it measured nothing")),
            _ => {}
        }
        self.rows.extend(rows);
    }

    /// Whether every goal was reached and no bench failed.
    pub fn is_ok(&self) -> bool {
        self.failed.is_empty() && self.rows.iter().all(|row| row.is_ok)
    }

    /// A table of the rows; its last line counts the goals.
    pub fn table(&self) -> String {
        let heads = ["bench", "what", "measured", "reach", "result"].map(str::to_owned);
        let cells = self.rows.iter().map(|row| {
            let reach = row.reach.map(|reach| row.amount(reach)).unwrap_or_default();
            [row.bench.clone(), row.name.clone(), row.amount(row.value), reach, row.verdict().to_owned()]
        });
        let lines: Vec<[String; 5]> = std::iter::once(heads).chain(cells).collect();
        let mut widths = [0; 5];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = cell.chars().count().max(*width);
            }
        }
        let remarks = std::iter::once("").chain(self.rows.iter().map(|row| row.remark.as_str()));
        let mut table = String::new();
        for (line, remark) in lines.iter().zip(remarks) {
            table.push('\n');
            for (width, cell) in widths.into_iter().zip(line) {
                let _ = write!(table, "{cell:width$}  ");
            }
            table.push_str(remark);
            table.truncate(table.trim_end().len());
        }
        table.push('\n');
        for failed in &self.failed {
            let _ = writeln!(table, "\nfailed: {failed}");
        }
        let (reached, missed) = self.goals();
        let _ = write!(table, "\n{reached} goals reached, {missed} missed");
        table
    }

    fn goals(&self) -> (usize, usize) {
        let goals = self.rows.iter().filter(|row| row.reach.is_some());
        let reached = goals.clone().filter(|row| row.is_ok).count();
        (reached, goals.count() - reached)
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({
                "bench": row.bench, "name": row.name, "value": row.value, "unit": row.unit, "reach": row.reach,
                "ok": row.is_ok, "remark": row.remark,
            })
        });
        let (reached, missed) = self.goals();
        json!({
            "ok": self.is_ok(), "goals": {"reached": reached, "missed": missed}, "failed": self.failed,
            "rows": rows.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: &str, reach: &str, ok: bool) -> Row {
        let json = format!(
            r#"{{"bench":"b","name":"ours by theirs","value":{value},"unit":"x","reach":{reach},"ok":{ok},"remark":"1 ns"}}"#
        );
        Row::read(&json).unwrap()
    }

    fn failure() -> Result<(), TaskError> {
        Err(TaskError::Failed { command: "cargo bench".to_owned() })
    }

    #[test]
    fn goals_that_are_reached_are_told() {
        let mut report = BenchReport::default();
        report.add("b", vec![row("0.95", "0.9", true), row("0.2", "null", true)], Ok(()));
        assert!(report.is_ok());
        let table = report.table();
        assert!(table.contains("\nb      ours by theirs  0.950 x   0.900 x  ok      1 ns\n"), "{table}");
        assert!(table.contains("\nb      ours by theirs  0.200 x                    1 ns\n"), "{table}");
        assert_eq!(table.lines().last(), Some("1 goals reached, 0 missed"));
        assert_eq!(report.json()["rows"][1]["reach"], Value::Null);
    }

    #[test]
    fn one_missed_goal_fails_all() {
        let mut report = BenchReport::default();
        report.add("b", vec![row("0.95", "0.9", true), row("0.89", "0.9", false)], failure());
        assert!(!report.is_ok());
        assert!(report.table().contains("MISSED"));
        assert_eq!(report.json()["goals"]["missed"], 1);
        assert!(report.json()["failed"].as_array().unwrap().is_empty(), "it is told once");
    }

    #[test]
    fn a_bench_that_breaks_or_measures_nothing_fails() {
        let broken = [(vec![row("1.0", "null", true)], failure()), (Vec::new(), Ok(())), (Vec::new(), failure())];
        for (rows, result) in broken {
            let mut report = BenchReport::default();
            report.add("b", rows, result);
            assert!(!report.is_ok());
            assert!(report.table().contains("failed: b: "));
        }
        assert_eq!(Row::read("{}"), None);
    }
}
