//! The generated data: lines of one length, so that any part of a file is made without what comes before it.

/// The types of the files, in turn.
const TYPES: [&str; 6] = ["Observation", "Patient", "Condition", "Encounter", "MedicationRequest", "Immunization"];
/// Digits of a number in a line.
const DIGITS: usize = 12;
/// What stands where a number goes.
const ID: &[u8; DIGITS] = b"############";
const VALUE: &[u8; DIGITS] = b"@@@@@@@@@@@@";

/// A file of one type.
#[derive(Debug, Clone)]
pub(super) struct Content {
    seed: u64,
    number: u32,
    template: Vec<u8>,
    /// Where the line's own number goes.
    ids: Vec<usize>,
    /// Where numbers go that depend on the seed.
    values: Vec<usize>,
    lines: u64,
}

/// The type of a file.
pub(super) fn type_of(number: u32) -> &'static str {
    let count = u32::try_from(TYPES.len()).unwrap_or(1);
    usize::try_from(number % count).ok().and_then(|at| TYPES.get(at)).copied().unwrap_or("Observation")
}

impl Content {
    /// A file with as many whole lines as fit, one at least.
    pub(super) fn new(seed: u64, number: u32, size: u64) -> Self {
        let name = type_of(number);
        let text = "This resource was made by a machine, about nobody. ".repeat(4);
        let (id, value) = ("#".repeat(DIGITS), "@".repeat(DIGITS));
        let subject = format!(r#""subject":{{"reference":"Patient/p{value}"}},"#);
        let body = match name {
            "Patient" => format!(
                r#""active":true,"name":[{{"family":"Family{value}","given":["Given{value}"]}}],"gender":"unknown","#
            ),
            "Observation" => format!(
                r#""status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"85354-9"}}]}},{subject}"valueString":"{value}","effectiveDateTime":"2025-06-01T08:00:00Z","#
            ),
            "MedicationRequest" => format!(
                r#""status":"active","intent":"order",{subject}"medicationCodeableConcept":{{"text":"{value}"}},"#
            ),
            "Encounter" => format!(r#""status":"finished","class":{{"code":"AMB"}},{subject}"#),
            "Immunization" => format!(
                r#""status":"completed","vaccineCode":{{"text":"{value}"}},"patient":{{"reference":"Patient/p{value}"}},"occurrenceString":"{value}","#
            ),
            _ => format!(r#""code":{{"text":"{value}"}},{subject}"#),
        };
        let line = format!(
            "{{\"resourceType\":\"{name}\",\"id\":\"f{number:03}-{id}\",\"meta\":{{\"versionId\":\"1\",\"lastUpdated\":\"2025-12-01T08:00:00Z\"}},{body}\"text\":{{\"status\":\"generated\",\"div\":\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">{text}{value}</div>\"}}}}\n"
        );
        let template = line.into_bytes();
        let places = |mark: &[u8]| {
            let windows = template.windows(mark.len()).enumerate();
            windows.filter(|(_, window)| *window == mark).map(|(at, _)| at).collect::<Vec<_>>()
        };
        let (ids, values) = (places(ID), places(VALUE));
        let length = u64::try_from(template.len()).unwrap_or(u64::MAX);
        Self { seed, number, template, ids, values, lines: (size / length).max(1) }
    }

    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    fn line_length(&self) -> u64 {
        u64::try_from(self.template.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn octets(&self) -> u64 {
        self.lines.saturating_mul(self.line_length())
    }

    /// A tag of this version of the file.
    pub(super) fn tag(&self) -> String {
        format!("\"{:x}-{}-{}\"", self.seed, self.number, self.lines)
    }

    /// The octets from `from` on, about `most` of them; none at the end.
    pub(super) fn piece(&self, from: u64, most: usize) -> Vec<u8> {
        let length = self.line_length();
        let (mut line, skip) = (from / length, usize::try_from(from % length).unwrap_or(0));
        let mut piece = Vec::with_capacity(most.min(1 << 20) + self.template.len() * 2);
        while line < self.lines && piece.len() < most.saturating_add(skip) {
            self.write_line(&mut piece, line);
            line += 1;
        }
        piece.drain(..skip.min(piece.len()));
        piece
    }

    fn write_line(&self, out: &mut Vec<u8>, line: u64) {
        let start = out.len();
        out.extend_from_slice(&self.template);
        let mut put = |at: usize, number: u64| {
            let digits = out.get_mut(start + at..start + at + DIGITS).unwrap_or_default();
            let mut rest = number;
            for digit in digits.iter_mut().rev() {
                *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
                rest /= 10;
            }
        };
        for at in &self.ids {
            put(*at, line);
        }
        let mut mixed = self.seed ^ (u64::from(self.number) << 48) ^ line;
        for at in &self.values {
            mixed = mix(mixed);
            put(*at, mixed);
        }
    }
}

/// A number that looks random (the finaliser of SplitMix64).
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::HashSet;

    /// Each line is a resource of the file's type with an id of its own, and the same seed gives the same octets.
    #[test]
    fn lines_are_resources() {
        for number in 0..7 {
            let content = Content::new(5, number, 40_000);
            let whole = content.piece(0, usize::MAX / 2);
            assert_eq!(u64::try_from(whole.len()).unwrap(), content.octets());
            let lines: Vec<Value> = whole
                .split(|octet| *octet == b'\n')
                .filter(|line| !line.is_empty())
                .map(|line| serde_json::from_slice(line).unwrap())
                .collect();
            assert_eq!(u64::try_from(lines.len()).unwrap(), content.lines());
            assert!(lines.iter().all(|line| line["resourceType"] == type_of(number)));
            let ids: HashSet<String> = lines.iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect();
            assert_eq!(ids.len(), lines.len());
            assert_ne!(Content::new(6, number, 40_000).piece(0, usize::MAX / 2), whole);
        }
    }

    /// A part of a file is that part of the whole, wherever it begins.
    #[test]
    fn parts_are_parts_of_the_whole() {
        let content = Content::new(5, 1, 20_000);
        let whole = content.piece(0, usize::MAX / 2);
        for from in (0..=whole.len()).step_by(97).chain([whole.len()]) {
            let piece = content.piece(u64::try_from(from).unwrap(), 1000);
            assert_eq!(piece, whole[from..(from + piece.len())]);
            assert!(!piece.is_empty() || from == whole.len());
        }
        assert_eq!(Content::new(5, 1, 0).lines(), 1);
    }
}
