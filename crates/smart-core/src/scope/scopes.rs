//! A set of scopes.

use super::error::ScopeError;
use super::resource::ResourceScope;
use super::token::Scope;
use std::fmt;
use std::str::FromStr;

/// A set of scopes that keeps the order in which they came; the same text comes once.
///
/// It prints, and serialises, as one string with single spaces. Two sets are equal when they have the same texts in
/// any order (RFC 6749, section 3.3); for meaning see [`is_equivalent`](Self::is_equivalent).
#[derive(Clone, Default)]
pub struct Scopes(Vec<Scope>);

/// Up to this size duplicates are found by comparing each with each.
const SMALL: usize = 32;

impl Scopes {
    /// The empty set. It is legal: nothing was asked for, or nothing granted.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Reads what a server granted. It never fails: a scope that is not legal is kept as an opaque one and grants
    /// nothing. Any white space separates; an empty text means that nothing was granted.
    pub fn parse_granted(text: &str) -> Self {
        let mut list = Vec::with_capacity(expected_count(text));
        list.extend(text.split_ascii_whitespace().map(Scope::parse_leniently));
        Self(without_duplicates(list))
    }

    /// The scopes, in the order in which they came.
    pub fn iter(&self) -> std::slice::Iter<'_, Scope> {
        self.0.iter()
    }

    /// The scopes for resources, in the order in which they came.
    pub fn resources(&self) -> impl Iterator<Item = &ResourceScope> {
        self.0.iter().filter_map(Scope::as_resource)
    }

    /// Whether the set has a scope of just this text. For meaning see [`covers`](Self::covers).
    pub fn contains(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    /// Adds a scope at the end unless it is there already; says whether it was added.
    pub fn insert(&mut self, scope: Scope) -> bool {
        let new = !self.contains(&scope);
        if new {
            self.0.push(scope);
        }
        new
    }

    /// How many scopes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes in the order of their texts.
    fn sorted(&self) -> Vec<&Scope> {
        let mut sorted: Vec<&Scope> = self.iter().collect();
        sorted.sort_unstable();
        sorted
    }
}

/// A guess from the length of the text, bounded so that blanks alone reserve little.
fn expected_count(text: &str) -> usize {
    (text.len() / 16).clamp(1, 64)
}

fn without_duplicates(mut list: Vec<Scope>) -> Vec<Scope> {
    if list.len() <= SMALL {
        if !may_have_duplicates(&list) {
            return list;
        }
        let mut unique = 0;
        while let Some((before, [next, ..])) = list.split_at_checked(unique) {
            if before.contains(next) {
                list.remove(unique);
            } else {
                unique += 1;
            }
        }
        return list;
    }
    let mut order: Vec<usize> = (0..list.len()).collect();
    // Stable, so that of the same texts the first stays the first.
    order.sort_by(|a, b| list.get(*a).cmp(&list.get(*b)));
    let mut duplicate = vec![false; list.len()];
    for (a, b) in order.iter().zip(order.iter().skip(1)) {
        if let Some(flag) = duplicate.get_mut(*b) {
            *flag = list.get(*a) == list.get(*b);
        }
    }
    let mut flags = duplicate.into_iter();
    list.retain(|_| !flags.next().unwrap_or_default());
    list
}

/// A quick look at up to [`SMALL`] scopes, by a number for each: most sets have no duplicates.
fn may_have_duplicates(list: &[Scope]) -> bool {
    let mut seen = [0_u64; SMALL];
    // Most numbers differ in seven bits from all others, which then need not be compared.
    let mut sieve = 0_u128;
    for (index, scope) in list.iter().enumerate() {
        let number = fingerprint(scope.as_str().as_bytes());
        let hole = 1_u128 << (number.wrapping_mul(MIX) >> 57);
        if sieve & hole != 0 && seen.iter().take(index).any(|known| *known == number) {
            return true;
        }
        sieve |= hole;
        match seen.get_mut(index) {
            Some(place) => *place = number,
            None => return true,
        }
    }
    false
}

/// An odd factor, which spreads a number over all bits.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// A number that is the same for the same text and rarely so for two. The end of a scope tells it apart best.
fn fingerprint(text: &[u8]) -> u64 {
    let (start, end) = text.split_last_chunk::<8>().map_or((text, 0), |(start, end)| (start, u64::from_le_bytes(*end)));
    let before = match start.last_chunk::<8>() {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => start.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)),
    };
    // Mixed, so that the two parts do not cancel out.
    end ^ before.wrapping_mul(MIX) ^ text.len() as u64
}

impl FromStr for Scopes {
    type Err = ScopeError;

    /// Reads scopes strictly, as is right for what the app asks for; any white space separates.
    ///
    /// What a server granted is read by [`parse_granted`](Scopes::parse_granted).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut list = Vec::with_capacity(expected_count(text));
        for scope in text.split_ascii_whitespace() {
            list.push(scope.parse()?);
        }
        Ok(Self(without_duplicates(list)))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({:?})", self.to_string())
    }
}

impl PartialEq for Scopes {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || (self.len() == other.len() && self.sorted() == other.sorted())
    }
}

impl Eq for Scopes {}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(without_duplicates(scopes.into_iter().collect()))
    }
}

impl Extend<Scope> for Scopes {
    fn extend<I: IntoIterator<Item = Scope>>(&mut self, scopes: I) {
        let mut list = std::mem::take(&mut self.0);
        list.extend(scopes);
        self.0 = without_duplicates(list);
    }
}

impl From<Scope> for Scopes {
    fn from(scope: Scope) -> Self {
        Self(vec![scope])
    }
}

impl IntoIterator for Scopes {
    type Item = Scope;
    type IntoIter = std::vec::IntoIter<Scope>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Scopes {
    type Item = &'a Scope;
    type IntoIter = std::slice::Iter<'a, Scope>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl serde::Serialize for Scopes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Scopes {
    /// Reads one string, as leniently as [`parse_granted`](Scopes::parse_granted).
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Scopes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string of scopes separated by spaces")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Scopes, E> {
                Ok(Scopes::parse_granted(text))
            }
        }
        deserializer.deserialize_str(Text)
    }
}
