//! An EHR launch that comes to this machine: for desktop apps and command lines that an EHR opens.

use crate::audit::AuditKind;
use crate::client::SmartClient;
use crate::error::Error;
use crate::launch::LoginCancel;
use crate::loopback::{LoopbackListener, PATH, is_for_us};
use crate::loopback_connections::Connections;
use crate::loopback_error::{LoopbackError, MAX_CONNECTIONS};
use crate::loopback_page as pages;
use crate::session::Session;
use crate::web::pages::{error_page, to_server};
use bytes::Bytes;
use http::{Method, Request, Response};
use smart_core::authorize::{AuthorizationRequest, Callback, PendingAuthorization};
use smart_core::launch::{AllowedIssuers, EhrLaunch};
use smart_core::redirect_uri::RedirectUri;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// The path that the EHR opens.
const LAUNCH_PATH: &str = "/launch";
/// How long a browser waits for an answer: discovery, or the code's exchange, with their retries.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(3);
/// How many launches may wait at a time: a person who presses the button again.
const MAX_WAITING: usize = 8;

/// Waits on a loopback address of this machine for an EHR to open the app, and for the browser to come back from signing in
/// (SMART App Launch 2.2, EHR launch; RFC 8252, section 7.3).
///
/// One launch, and then the port closes. The [launch URL](Self::launch_url) is what the EHR has to be told; it is on plain
/// http, which the person's own browser reaches and nobody else.
#[derive(Debug)]
pub struct LaunchReceiver {
    client: SmartClient,
    listener: LoopbackListener,
    allowed: AllowedIssuers,
    wait: Duration,
    cancel: LoginCancel,
}

/// A request of the browser that counts.
struct Asked {
    what: What,
    query: String,
    reply: oneshot::Sender<Response<Bytes>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Launch,
    Callback,
}

impl SmartClient {
    /// What waits on `listener` for one launch by one of the allowed servers.
    pub fn launch_receiver(&self, listener: LoopbackListener, allowed: AllowedIssuers) -> LaunchReceiver {
        let wait = self.inner.login_timeout;
        LaunchReceiver { client: self.clone(), listener, allowed, wait, cancel: LoginCancel::default() }
    }
}

impl LaunchReceiver {
    /// How long to wait for the EHR. Default: as long as a person may take to log in.
    pub fn with_wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// The URL that the EHR opens, with `iss` and `launch` in its query.
    pub fn launch_url(&self) -> String {
        let callback = self.redirect_uri().as_str();
        format!("{}{LAUNCH_PATH}", callback.strip_suffix(PATH).unwrap_or(callback))
    }

    /// The redirect URI, to be registered with the server.
    pub fn redirect_uri(&self) -> &RedirectUri {
        self.listener.redirect_uri()
    }

    /// What gives this launch up while it waits.
    pub fn cancel_handle(&self) -> LoginCancel {
        self.cancel.clone()
    }

    /// Waits for the launch and completes it. The page that the browser shows in the end says whether it worked.
    ///
    /// The first launch that may not be, and the first callback that does not fit, end it. Cancel-safe until the browser comes
    /// back; after that as [`SmartClient::complete`].
    ///
    /// # Errors
    /// [`Error::Core`] when the request is no launch, or by a server that may not launch the app: nothing was sent to it.
    /// [`Error::Loopback`] when nobody comes in time, [`Error::LoginCancelled`], and those of [`SmartClient::ehr`] and
    /// [`SmartClient::complete`].
    pub async fn receive(self) -> Result<Session, Error> {
        let Self { client, listener, allowed, wait, cancel } = self;
        let redirect_uri = listener.redirect_uri().clone();
        let (listener, authority) = listener.into_parts();
        let (sender, mut requests) = mpsc::channel(MAX_WAITING);
        let mut connections = Connections::new(ANSWER_TIMEOUT);
        let mut begun = Begun { client, allowed, redirect_uri, waiting: Vec::new() };
        let mut deadline = Instant::now() + wait;
        let mut accepted = 0;
        let outcome = loop {
            tokio::select! {
                biased;
                Some(asked) = requests.recv() => {
                    let Asked { what, query, reply } = asked;
                    let (response, outcome) = Box::pin(begun.answer(what, &query)).await;
                    // A browser that is gone gets no page.
                    let _ = reply.send(response);
                    if let Some(outcome) = outcome {
                        break outcome;
                    }
                    if what == What::Launch {
                        deadline = Instant::now() + begun.client.inner.login_timeout;
                    }
                }
                () = cancel.cancelled() => break begun.given_up(Error::LoginCancelled),
                () = tokio::time::sleep_until(deadline) => {
                    let late = if begun.waiting.is_empty() {
                        LoopbackError::NoLaunch(wait)
                    } else {
                        LoopbackError::Timeout(begun.client.inner.login_timeout)
                    };
                    break begun.given_up(late.into());
                }
                connection = listener.accept() => {
                    accepted += 1;
                    if accepted > MAX_CONNECTIONS {
                        break begun.given_up(LoopbackError::TooManyConnections.into());
                    }
                    // A connection that fails before it says anything asks for nothing.
                    let Ok((stream, _)) = connection else { continue };
                    let (sender, authority) = (sender.clone(), authority.clone());
                    connections.serve(stream, move |request| pass_on(&request, &authority, sender.clone()));
                }
            }
        };
        // Requests that wait in it are told that it is done.
        drop(requests);
        connections.finish().await;
        outcome
    }
}

/// The launches that wait for their callback.
struct Begun {
    client: SmartClient,
    allowed: AllowedIssuers,
    redirect_uri: RedirectUri,
    waiting: Vec<PendingAuthorization>,
}

impl Begun {
    /// The page for the browser and, when it is over, what it came to.
    async fn answer(&mut self, what: What, query: &str) -> (Response<Bytes>, Option<Result<Session, Error>>) {
        match what {
            What::Launch => match self.launch(query).await {
                Ok(request) => (to_server(&request, None), None),
                Err(error) => (error_page(&error), Some(self.given_up(error))),
            },
            What::Callback if self.waiting.is_empty() => (pages::no_sign_in(), None),
            What::Callback => {
                let callback = match Callback::from_query(query) {
                    Ok(callback) => callback,
                    Err(error) => return (pages::no_sign_in(), Some(self.given_up(error.into()))),
                };
                let is_error = callback.is_error();
                match self.complete(callback).await {
                    Ok(session) => (pages::signed_in(), Some(Ok(session))),
                    Err(error) if is_error => (pages::not_signed_in(), Some(Err(error))),
                    Err(error) => (error_page(&error), Some(Err(error))),
                }
            }
        }
    }

    async fn launch(&mut self, query: &str) -> Result<AuthorizationRequest, Error> {
        let launch = EhrLaunch::from_query(query, &self.allowed)?;
        let (request, pending) = self.client.ehr(&launch, &self.redirect_uri).await?;
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.remove(0);
        }
        self.waiting.push(pending);
        Ok(request)
    }

    async fn complete(&mut self, callback: Callback) -> Result<Session, Error> {
        let state = callback.lookup_key();
        let own = self.waiting.iter().position(|pending| Some(pending.lookup_key()) == state);
        // One that fits none is refused as the answer to the last.
        let at = own.unwrap_or(self.waiting.len().saturating_sub(1));
        if at >= self.waiting.len() {
            return Err(Error::NoPendingLogin);
        }
        let pending = self.waiting.swap_remove(at);
        self.client.complete_callback(pending, callback).await
    }

    /// The error, on record.
    fn given_up(&self, error: Error) -> Result<Session, Error> {
        let inner = &self.client.inner;
        match self.waiting.last() {
            Some(pending) => {
                let context = inner.audit_context(&pending.server().fhir_base);
                inner.record_failure(context.entry(AuditKind::AuthenticationFailure), &error);
            }
            None => inner.record_stray_callback(&error),
        }
        Err(error)
    }
}

/// Hands a request that counts to the receiver, and waits for its page.
fn pass_on<B>(
    request: &Request<B>,
    authority: &str,
    sender: mpsc::Sender<Asked>,
) -> impl Future<Output = Response<Bytes>> + use<B> {
    let what = match request.uri().path() {
        _ if !is_for_us(request, authority) => Err(pages::nothing_here()),
        LAUNCH_PATH | PATH if request.method() != Method::GET => Err(pages::not_this_way()),
        LAUNCH_PATH => Ok(What::Launch),
        PATH => Ok(What::Callback),
        _ => Err(pages::nothing_here()),
    };
    let query = request.uri().query().unwrap_or_default().to_owned();
    async move {
        let what = match what {
            Ok(what) => what,
            Err(response) => return response,
        };
        let (reply, answer) = oneshot::channel();
        if sender.send(Asked { what, query, reply }).await.is_err() {
            return pages::already_done();
        }
        answer.await.unwrap_or_else(|_| pages::already_done())
    }
}
