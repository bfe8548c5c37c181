//! Signatures through one of two libraries, behind one face. With both features on, josekit wins.
//!
//! Each backend has the same names: `VerifyingKey`, `Signatory`, `generate` and `public_point`.

#[cfg(feature = "josekit")]
mod josekit;
#[cfg(feature = "josekit")]
pub(crate) use josekit::{Signatory, VerifyingKey, generate, public_point};

#[cfg(all(feature = "ring", not(feature = "josekit")))]
mod ring;
#[cfg(all(feature = "ring", not(feature = "josekit")))]
pub(crate) use ring::{Signatory, VerifyingKey, generate, public_point};

#[cfg(not(any(feature = "josekit", feature = "ring")))]
compile_error!("smart-jwt needs one of its features `josekit` (the default, with OpenSSL) and `ring`");

use crate::curve::Curve;

/// The numbers of a public key, judged already: sizes are right and a point lies on its curve.
pub(crate) enum PublicNumbers {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    Ec { curve: Curve, x: Vec<u8>, y: Vec<u8> },
}
