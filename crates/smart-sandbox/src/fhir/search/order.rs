//! In which order matches come.

use super::Found;
use super::dates::Range;
use super::matching::values;
use super::parameter::{Kind, Parameter};
use serde_json::Value;
use std::cmp::Ordering;

/// One parameter of `_sort`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    pub(crate) parameter: &'static Parameter,
    pub(crate) descending: bool,
}

/// What is compared.
#[derive(Debug, PartialEq, PartialOrd)]
enum Key {
    Date(i128),
    Number(f64),
    Text(String),
}

/// Sorts by the first order, then the second, and so on. What lacks a value comes last, either way.
pub(crate) fn sort(found: &mut Vec<Found<'_>>, orders: &[Order]) {
    if orders.is_empty() {
        return;
    }
    let keyed =
        found.drain(..).map(|it| (orders.iter().map(|order| key(it.content(), *order)).collect::<Vec<_>>(), it));
    let mut keyed: Vec<_> = keyed.collect();
    keyed.sort_by(|(a, _), (b, _)| {
        let each = orders.iter().zip(a.iter().zip(b));
        each.map(|(order, (a, b))| compare(a.as_ref(), b.as_ref(), order.descending))
            .fold(Ordering::Equal, Ordering::then)
    });
    found.extend(keyed.into_iter().map(|(_, it)| it));
}

fn compare(a: Option<&Key>, b: Option<&Key>, descending: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => {
            let ordering = a.partial_cmp(b).unwrap_or(Ordering::Equal);
            if descending { ordering.reverse() } else { ordering }
        }
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

/// Of several values the one that comes first, or last where the order is descending.
fn key(resource: &Value, order: Order) -> Option<Key> {
    let keys = values(resource, order.parameter).into_iter().filter_map(|value| one_key(value, order.parameter.kind));
    keys.reduce(|best, key| if (key < best) == order.descending { best } else { key })
}

fn one_key(value: &Value, kind: Kind) -> Option<Key> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    match kind {
        Kind::Date => Range::of(value).map(|range| Key::Date(range.from)),
        Kind::Quantity => value.get("value").and_then(Value::as_f64).map(Key::Number),
        _ => {
            let coding = || value.pointer("/coding/0/code").and_then(Value::as_str);
            let named = || text("family").or(text("text")).or(text("city"));
            let found = value.as_str().or_else(|| text("reference")).or_else(coding).or_else(named);
            let found = found.or_else(|| text("code")).or_else(|| text("value"));
            found.map(|text| Key::Text(text.to_lowercase()))
        }
    }
}
