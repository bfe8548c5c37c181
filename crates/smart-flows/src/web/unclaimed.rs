//! Logins whose browser may be gone.

use super::app::WebApp;
use crate::error::Error;
use crate::session::Session;
use bytes::Bytes;
use http::Response;
use smart_store::{Expected, Key};

/// A login whose answer is on its way to the browser. When it is dropped before, the session is logged out.
pub(super) struct Unclaimed {
    app: WebApp,
    opened: Option<(Key, Session, Response<Bytes>)>,
}

impl Unclaimed {
    /// `key` is that of the browser's record of the session.
    pub(super) fn new(app: WebApp, key: Key, session: Session, response: Response<Bytes>) -> Self {
        Self { app, opened: Some((key, session, response)) }
    }

    /// The session and the answer, for the browser that is still there.
    pub(super) fn claim(mut self) -> Result<(Session, Response<Bytes>), Error> {
        let opened = self.opened.take().ok_or(Error::Internal("a login was claimed before"))?;
        Ok((opened.1, opened.2))
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        let (Some((key, session, _)), Ok(runtime)) = (self.opened.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let app = self.app.clone();
        runtime.spawn(async move {
            session.logout().await;
            if let Err(error) = app.store().remove(&key, Expected::Any).await {
                tracing::warn!(%error, "the name of a session that nobody has could not be removed from the store");
            }
        });
    }
}
