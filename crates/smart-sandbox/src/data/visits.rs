//! When a patient came.

use super::calendar::{at, day, days_between, later, working_day};
use super::history::{Course, History};
use super::noise::noise;
use jiff::civil::Date;

/// One visit.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) index: usize,
    pub(super) date: Date,
    /// How far between the first and the last visit it is, from 0 to 1.
    progress: f64,
    /// Minutes after midnight at which it began.
    start: u32,
}

impl Visit {
    /// An instant so many minutes after the start of the visit.
    pub(super) fn at(&self, minutes: u32) -> String {
        at(self.date, self.start + minutes)
    }

    /// The id of its encounter.
    pub(super) fn encounter_id(&self, patient: &History) -> String {
        format!("{}-visit-{:02}", patient.id, self.index + 1)
    }

    /// The value of a course at this visit.
    pub(super) fn value(&self, patient: &History, series: &str, course: Course) -> f64 {
        course.from + (course.to - course.from) * self.progress + course.spread * noise(patient.id, series, self.index)
    }
}

/// The visits of a patient, in order.
pub(super) fn visits(patient: &History) -> Vec<Visit> {
    let (first, last) = (day(patient.visits.first), day(patient.visits.last));
    let every = patient.visits.every_days.max(1);
    let whole = f64::from(days_between(first, last).max(1));
    let mut all = Vec::new();
    let mut date = first;
    while date <= last {
        let index = all.len();
        let start = [510, 555, 600, 645, 795, 840, 885].get(index % 7).copied().unwrap_or(540);
        let progress = f64::from(days_between(first, date)) / whole;
        all.push(Visit { index, date: working_day(date), progress, start });
        date = later(date, every);
    }
    all
}
