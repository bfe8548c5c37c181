//! What a session's renewals leave behind for the next.

use crate::delay::Delay;
use crate::record::SessionRecord;
use smart_store::{Holder, Version};

/// What only the renewing task touches.
pub(crate) struct Life {
    /// The version of the stored record that memory agrees with.
    pub(crate) version: Version,
    /// A renewed record that could not be stored yet. It holds the only good refresh token.
    pub(crate) unstored: Option<SessionRecord>,
    /// The lease that is kept until that record is stored: who got it before would present the old refresh token again.
    pub(crate) kept_lease: Option<Holder>,
    /// A renewed record that is stored, and whose ID token could not be judged yet.
    pub(crate) unconfirmed: Option<SessionRecord>,
    pub(crate) delay: Delay,
}

impl Life {
    pub(crate) fn new(version: Version) -> Self {
        Self { version, unstored: None, kept_lease: None, unconfirmed: None, delay: Delay::default() }
    }

    /// A renewed record that waits to be stored or judged, for one who ends the session.
    pub(crate) fn take_waiting(&mut self) -> Option<SessionRecord> {
        let unconfirmed = self.unconfirmed.take();
        self.unstored.take().or(unconfirmed)
    }

    /// The same, left as it is.
    pub(crate) fn waiting(&self) -> Option<&SessionRecord> {
        self.unstored.as_ref().or(self.unconfirmed.as_ref())
    }
}
