//! Asking for more scopes later, without starting over.

use crate::client::SmartClient;
use crate::error::Error;
use crate::events::EndReason;
use crate::launch::StandaloneLaunch;
use crate::session::Session;
use smart_core::authorize::{AuthorizationRequest, Callback, PendingAuthorization};
use smart_core::discovery::Flow;
use smart_core::redirect_uri::RedirectUri;
use smart_core::scope::{Scope, Scopes};

/// A login that asks for more than a session has. When it is [completed](Self::complete), a session with more takes the place
/// of the first; if it is given up, the first is as it was.
#[derive(Debug)]
pub struct StepUp {
    session: Session,
    launch: StandaloneLaunch,
}

impl Session {
    /// Begins a login that asks for `scopes` besides those that were asked for before. The launch context is asked for anew:
    /// `launch/patient` where the session has a patient.
    ///
    /// # Errors
    /// [`Error::Core`] for illegal scopes; [`Error::SessionOver`], [`Error::SessionLocked`]; those of
    /// [`SmartClient::standalone`].
    pub async fn step_up(&self, scopes: &str) -> Result<StepUp, Error> {
        let more: Scopes = scopes.parse()?;
        let live = self.inner.usable()?;
        let client: &SmartClient = &self.inner.client;
        client.check_launches()?;
        let server = client.inner.discover(live.record.fhir_base.clone()).await?;
        client.inner.check_flow(&server, Flow::StandaloneLaunch)?;
        // The EHR's launch is over: its context has to be asked for in the way of a standalone launch.
        let mut wanted: Scopes =
            live.record.requested.iter().filter(|scope| **scope != Scope::LAUNCH).cloned().collect();
        if live.record.context.patient.is_some() {
            wanted.insert(Scope::LAUNCH_PATIENT);
        }
        let launch = StandaloneLaunch::new(client.clone(), server).with_scopes(wanted.union(&more));
        Ok(StepUp { session: self.clone(), launch })
    }
}

impl StepUp {
    /// The login, for those who open a browser themselves.
    pub fn launch(&self) -> &StandaloneLaunch {
        &self.launch
    }

    /// The authorization request and its pending half.
    ///
    /// # Errors
    /// As for [`StandaloneLaunch::authorize`].
    pub fn authorize(&self, redirect_uri: &RedirectUri) -> Result<(AuthorizationRequest, PendingAuthorization), Error> {
        self.launch.authorize(redirect_uri)
    }

    /// Completes it with the callback's URL or query: the new session takes the place of the first, which is logged out.
    ///
    /// # Errors
    /// [`Error::StepUpMismatch`] when another person logged in, or another patient was chosen: the new tokens are revoked and
    /// the first session is as it was. Those of [`SmartClient::complete`].
    pub async fn complete(self, pending: PendingAuthorization, callback: &str) -> Result<Session, Error> {
        let callback = Callback::from_url_or_query(callback)?;
        let client = self.session.inner.client.clone();
        let stepped_up = client.complete_callback(pending, callback).await?;
        self.replace_by(stepped_up).await
    }

    /// Opens the person's own browser and waits on a loopback redirect.
    ///
    /// # Errors
    /// As for [`complete`](Self::complete) and [`StandaloneLaunch::open_browser`].
    #[cfg(all(feature = "browser", not(target_arch = "wasm32")))]
    pub async fn open_browser(self) -> Result<Session, Error> {
        let stepped_up = self.launch.clone().open_browser().await?;
        self.replace_by(stepped_up).await
    }

    /// Takes a session that came out of [`launch`](Self::launch).
    ///
    /// # Errors
    /// [`Error::StepUpMismatch`]; [`Error::SessionOver`] when the first session has ended meanwhile. The new tokens are revoked.
    pub async fn replace_by(self, stepped_up: Session) -> Result<Session, Error> {
        let refused = match self.mismatch(&stepped_up) {
            Ok(None) => None,
            Ok(Some(what)) => Some(Error::StepUpMismatch { fhir_base: self.session.fhir_base().to_string(), what }),
            // One of the two has ended meanwhile.
            Err(error) => Some(error),
        };
        if let Some(error) = refused {
            stepped_up.logout().await;
            return Err(error);
        }
        let report = self.session.end_with(EndReason::Replaced).await;
        if let Err(error) = report.revoked {
            tracing::debug!(%error, "the tokens of a session that was replaced could not be revoked");
        }
        if let Err(error) = report.wiped {
            tracing::warn!(%error, "a session that was replaced could not be removed from the store");
        }
        Ok(stepped_up)
    }

    /// What is not the same in both sessions, and has to be.
    fn mismatch(&self, stepped_up: &Session) -> Result<Option<&'static str>, Error> {
        let (before, after) = (self.session.inner.live()?, stepped_up.inner.live()?);
        let person = |record: &crate::record::SessionRecord| {
            record.user.as_ref().map(|user| (user.issuer.clone(), user.subject.clone()))
        };
        let patient = |record: &crate::record::SessionRecord| record.context.patient.clone();
        Ok(if before.record.fhir_base != after.record.fhir_base {
            Some("server")
        } else if person(&before.record) != person(&after.record) {
            Some("person")
        } else if patient(&before.record).is_some() && patient(&before.record) != patient(&after.record) {
            Some("patient")
        } else {
            None
        })
    }
}
