//! What a person sees of an export while it goes on: bars on a terminal, else lines.

use crate::api::bulk::ExportStatus;
use crate::api::bulk::download::DownloadEvent;
use crate::output::{Output, tell};
use crate::table::Characters;
use crate::text::one_line;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Shows events as they come.
pub(crate) struct ExportProgress {
    way: Way,
    state: Mutex<State>,
}

enum Way {
    Nothing,
    Lines,
    Bars { bars: MultiProgress, ascii: bool },
}

#[derive(Default)]
struct State {
    names: Vec<String>,
    finished: usize,
    running: HashMap<usize, ProgressBar>,
    whole: Option<ProgressBar>,
    last: String,
}

impl ExportProgress {
    /// In the way that the output allows.
    pub(crate) fn new(output: &Output) -> Self {
        let way = match (output.json, output.error_style.live) {
            (true, _) => Way::Nothing,
            (false, false) => Way::Lines,
            (false, true) => {
                Way::Bars { bars: MultiProgress::new(), ascii: output.error_style.characters == Characters::Ascii }
            }
        };
        Self { way, state: Mutex::default() }
    }

    // A panic in between leaves bars that are drawn wrong, no more.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows an event.
    pub(crate) fn show(&self, event: &DownloadEvent<'_>) {
        match &self.way {
            Way::Nothing => {}
            Way::Lines => {
                if let Some(line) = self.line(event) {
                    tell(&line);
                }
            }
            Way::Bars { bars, ascii } => self.draw(bars, *ascii, event),
        }
    }

    /// Takes the bars away.
    pub(crate) fn clear(&self) {
        if let Way::Bars { bars, .. } = &self.way {
            // A terminal that is gone needs no clearing.
            let _ = bars.clear();
        }
    }

    /// A line for events that are news; few enough for a log.
    fn line(&self, event: &DownloadEvent<'_>) -> Option<String> {
        let mut state = self.state();
        let line = match event {
            DownloadEvent::Polled { status, .. } => waiting(*status),
            DownloadEvent::Listed { files } => {
                state.names = files.iter().map(|(name, _)| name.clone()).collect();
                format!("The export is ready: {} files", files.len())
            }
            DownloadEvent::Finished { file, report } => {
                state.finished += 1;
                let (done, all) = (state.finished, state.names.len());
                format!("{done} of {all}: {}, {} resources, {} octets", state.name(*file), report.lines, report.octets)
            }
            DownloadEvent::Retrying { file, wait } => {
                format!("{} is asked for again in {} s", state.name(*file), wait.as_secs())
            }
            DownloadEvent::LinksRenewed => "The links had expired; there are new ones".to_owned(),
            _ => return None,
        };
        (line != state.last).then(|| line.clone_into(&mut state.last)).map(|()| line)
    }

    fn draw(&self, bars: &MultiProgress, ascii: bool, event: &DownloadEvent<'_>) {
        let mut state = self.state();
        match event {
            DownloadEvent::Polled { status, .. } => {
                let bar = state.whole.get_or_insert_with(|| spinner(bars, ascii));
                bar.set_message(waiting(*status));
                bar.tick();
            }
            DownloadEvent::Listed { files } => {
                state.names = files.iter().map(|(name, _)| name.clone()).collect();
                if let Some(bar) = state.whole.take() {
                    bar.finish_and_clear();
                }
                let length = u64::try_from(files.len()).unwrap_or(u64::MAX);
                let bar = bars.add(ProgressBar::new(length));
                bar.set_style(style("Files {pos}/{len} {wide_bar}", ascii));
                state.whole = Some(bar);
            }
            DownloadEvent::Began { file, from, announced } => {
                let name = state.name(*file);
                let bar = state.running.entry(*file).or_insert_with(|| bars.add(ProgressBar::no_length()));
                let shape = match announced {
                    Some(length) => {
                        bar.set_length(*length);
                        "  {msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}"
                    }
                    None => "  {msg} {spinner} {bytes} {bytes_per_sec}",
                };
                bar.set_style(style(shape, ascii));
                bar.set_message(name);
                bar.set_position(*from);
            }
            DownloadEvent::Advanced { file, octets } => {
                if let Some(bar) = state.running.get(file) {
                    bar.set_position(*octets);
                }
            }
            DownloadEvent::Retrying { file, wait } => {
                let text = format!("{} (again in {} s)", state.name(*file), wait.as_secs());
                if let Some(bar) = state.running.get(file) {
                    bar.set_message(text);
                }
            }
            DownloadEvent::Finished { file, .. } => {
                if let Some(bar) = state.running.remove(file) {
                    bar.finish_and_clear();
                }
                if let Some(bar) = &state.whole {
                    bar.inc(1);
                }
            }
            _ => {}
        }
    }
}

impl State {
    fn name(&self, file: usize) -> String {
        self.names.get(file).cloned().unwrap_or_default()
    }
}

fn waiting(status: Option<&ExportStatus>) -> String {
    match status {
        Some(ExportStatus::InProgress { progress: Some(progress), .. }) => {
            format!("The server prepares the export: {}", one_line(progress))
        }
        Some(ExportStatus::InProgress { .. }) => "The server prepares the export".to_owned(),
        Some(ExportStatus::Throttled { .. }) => "The server is asked too often; waiting longer".to_owned(),
        _ => "The server gives no answer just now; trying again".to_owned(),
    }
}

fn spinner(bars: &MultiProgress, ascii: bool) -> ProgressBar {
    let bar = bars.add(ProgressBar::new_spinner());
    bar.set_style(style("{spinner} {msg}", ascii));
    bar
}

fn style(shape: &str, ascii: bool) -> ProgressStyle {
    let style = ProgressStyle::with_template(shape).unwrap_or_else(|_| ProgressStyle::default_bar());
    if ascii { style.progress_chars("#>-").tick_chars("|/-\\ ") } else { style }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every shape of a bar is one that can be drawn.
    #[test]
    fn shapes_can_be_drawn() {
        for shape in [
            "Files {pos}/{len} {wide_bar}",
            "  {msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}",
            "{spinner} {msg}",
        ] {
            assert!(ProgressStyle::with_template(shape).is_ok(), "{shape}");
        }
    }

    /// In a log the same line does not come again and again.
    #[test]
    fn lines_are_news() {
        let progress = ExportProgress { way: Way::Lines, state: Mutex::default() };
        let status =
            ExportStatus::InProgress { progress: Some("70%\u{1b}[2J".to_owned()), retry_after: None, partial: None };
        let event = DownloadEvent::Polled { status: Some(&status), wait: std::time::Duration::ZERO };
        let line = progress.line(&event).unwrap();
        assert!(line.contains("70%") && !line.contains('\u{1b}'), "{line}");
        assert_eq!(progress.line(&event), None);
        let listed = [("Patient.0001.ndjson".to_owned(), Some(3))];
        assert_eq!(progress.line(&DownloadEvent::Listed { files: &listed }).unwrap(), "The export is ready: 1 files");
    }
}
