//! What a resource scope permits.

use super::error::{Fault, ScopeError, ScopeErrorKind};
use std::fmt;
use std::ops::{BitOr, BitOrAssign};
use std::str::FromStr;

/// A set of permissions, at least one: c(reate), r(ead), u(pdate), d(elete), s(earch).
///
/// It prints its letters in the only order that SMART allows. There is no empty set, as there is no scope for one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Permissions(u8);

/// The letters in the order of the specification; bit `1 << index` stands for each.
const LETTERS: [(char, u8); 5] = [('c', 1), ('r', 1 << 1), ('u', 1 << 2), ('d', 1 << 3), ('s', 1 << 4)];

const ANY: &str = "letters of `cruds`, in this order, or one of `read`, `write` and `*`";

impl Permissions {
    /// `c`: create.
    pub const CREATE: Self = Self(1);
    /// `r`: read, vread, and the history of an instance.
    pub const READ: Self = Self(1 << 1);
    /// `u`: update, also where it creates, and patch.
    pub const UPDATE: Self = Self(1 << 2);
    /// `d`: delete.
    pub const DELETE: Self = Self(1 << 3);
    /// `s`: search and history of a type and of the whole system.
    pub const SEARCH: Self = Self(1 << 4);
    /// `rs`, the `.read` of version 1.
    pub const READ_SEARCH: Self = Self::READ.union(Self::SEARCH);
    /// `cud`, the `.write` of version 1.
    pub const WRITE: Self = Self::CREATE.union(Self::UPDATE).union(Self::DELETE);
    /// `cruds`, the `.*` of version 1.
    pub const ALL: Self = Self::READ_SEARCH.union(Self::WRITE);

    /// Everything that either permits.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What both permit, if anything.
    pub const fn intersection(self, other: Self) -> Option<Self> {
        Self::from_bits(self.0 & other.0)
    }

    /// What this permits and the other does not, if anything.
    pub const fn without(self, other: Self) -> Option<Self> {
        Self::from_bits(self.0 & !other.0)
    }

    /// Whether this permits everything that the other does.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The letters, in order.
    pub fn letters(self) -> impl Iterator<Item = char> {
        LETTERS.into_iter().filter(move |(_, bit)| self.0 & bit != 0).map(|(letter, _)| letter)
    }

    /// The permissions of a version 1 word: `read`, `write` or `*`.
    pub fn from_v1_word(word: &str) -> Option<Self> {
        match word {
            "read" => Some(Self::READ_SEARCH),
            "write" => Some(Self::WRITE),
            "*" => Some(Self::ALL),
            _ => None,
        }
    }

    /// The version 1 word that means exactly this, if there is one.
    pub fn v1_word(self) -> Option<&'static str> {
        match self {
            Self::READ_SEARCH => Some("read"),
            Self::WRITE => Some("write"),
            Self::ALL => Some("*"),
            _ => None,
        }
    }

    /// The smallest set with a version 1 word that has all of these.
    pub(super) fn widened_to_v1(self) -> Self {
        let reads = self.intersection(Self::READ_SEARCH).map(|_| Self::READ_SEARCH);
        let writes = self.intersection(Self::WRITE).map(|_| Self::WRITE);
        match (reads, writes) {
            (Some(reads), None) => reads,
            (None, Some(writes)) => writes,
            _ => Self::ALL,
        }
    }

    const fn from_bits(bits: u8) -> Option<Self> {
        match bits & 0b1_1111 {
            0 => None,
            bits => Some(Self(bits)),
        }
    }

    /// Reads letters of `cruds` in this order.
    pub(super) fn parse_letters(text: &str) -> Result<Self, Fault> {
        let mut bits = 0_u8;
        for (offset, letter) in text.bytes().enumerate() {
            let bit = bit(letter);
            // Each further letter stands for a higher bit than all before it.
            if bit <= bits {
                return Err(Fault::new(ScopeErrorKind::Permissions, offset, expected(bits, bit != 0)));
            }
            bits |= bit;
        }
        Self::from_bits(bits).ok_or_else(|| Fault::new(ScopeErrorKind::Permissions, text.len(), ANY))
    }
}

/// The bit of a letter, or 0: as [`LETTERS`] has it.
const fn bit(letter: u8) -> u8 {
    match letter {
        b'c' => 1,
        b'r' => 1 << 1,
        b'u' => 1 << 2,
        b'd' => 1 << 3,
        b's' => 1 << 4,
        _ => 0,
    }
}

/// What may follow the letters in `bits`.
fn expected(bits: u8, letter_is_known: bool) -> String {
    if bits == 0 {
        return ANY.to_owned();
    }
    let following: Vec<String> =
        LETTERS.into_iter().filter(|(_, bit)| *bit > bits).map(|(letter, _)| format!("`{letter}`")).collect();
    let mut text =
        if following.is_empty() { "the end".to_owned() } else { format!("{} or the end", following.join(", ")) };
    if letter_is_known {
        text.push_str(": each letter of `cruds` comes once at most, in this order");
    }
    text
}

impl BitOr for Permissions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl BitOrAssign for Permissions {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.letters().try_for_each(|letter| fmt::Write::write_char(f, letter))
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permissions({self})")
    }
}

impl FromStr for Permissions {
    type Err = ScopeError;

    /// Reads version 2 letters: at least one of `cruds`, in this order. For words see [`from_v1_word`](Self::from_v1_word).
    fn from_str(letters: &str) -> Result<Self, Self::Err> {
        Self::parse_letters(letters).map_err(|fault| fault.of(letters))
    }
}
