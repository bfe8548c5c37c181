//! The app of a page: begins logins, completes them, and finds sessions again.

use crate::error::PageError;
use crate::launch::Start;
use crate::module::page_url;
use crate::options::AppOptions;
use crate::page_session::PageSession;
use crate::store::BrowserStore;
use smart_core::authorize::AuthorizationRequest;
use smart_core::scope::Scope;
use smart_flows::{App, BrowserId, SmartClient};
use smart_store::Key;
use std::sync::Arc;
use wasm_bindgen::prelude::wasm_bindgen;

/// The app of a page.
#[wasm_bindgen]
pub struct PageApp {
    options: AppOptions,
    client: SmartClient,
}

/// A login that has begun.
#[wasm_bindgen(getter_with_clone)]
pub struct Begun {
    /// Where the browser has to go.
    pub url: String,
    /// The id of the tab, or of the popup's opener, in which the login began: who has it can complete the login.
    pub tab: String,
}

#[wasm_bindgen]
impl PageApp {
    /// Reads the page's options.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &str) -> Result<PageApp, PageError> {
        let options = AppOptions::parse(options)?;
        let app = App::public(options.client_id.as_str()).with_scopes(options.scopes.clone());
        let mut builder = SmartClient::builder(app).store(Arc::new(BrowserStore::new(options.database.clone())));
        if options.url_policy == smart_core::url_policy::UrlPolicy::AllowLoopbackHttp {
            builder = builder.allow_loopback_http();
        }
        Ok(Self { client: builder.build(), options })
    }

    /// Begins the login that the page's URL and options ask for. `tab`: the id that this tab has from an earlier login.
    pub async fn begin(&self, page: String, tab: Option<String>) -> Result<Begun, PageError> {
        let redirect_uri = &self.options.redirect_uri;
        let (request, pending): (AuthorizationRequest, _) = match self.options.start(&page_url(&page)?)? {
            Start::Ehr(launch) => self.client.ehr(&launch, redirect_uri).await?,
            Start::Standalone(base) => {
                // One page may be for both kinds of launch, and this scope is an EHR's.
                let scopes = self.options.scopes.iter().filter(|scope| **scope != Scope::LAUNCH).cloned().collect();
                self.client.standalone(base.as_str()).await?.with_scopes(scopes).authorize(redirect_uri)?
            }
        };
        let tab = match tab {
            Some(tab) => BrowserId::from_exposed(tab),
            None => self.client.new_browser_id()?,
        };
        self.client.keep_pending(&tab, &pending).await?;
        Ok(Begun { url: request.url().into(), tab: tab.expose_secret().to_owned() })
    }

    /// Completes the login that a callback's URL belongs to, if it began in this tab. It is consumed by that.
    pub async fn complete(&self, tab: String, callback: String) -> Result<PageSession, PageError> {
        let url = page_url(&callback)?;
        let session = self.client.complete_kept_url(&BrowserId::from_exposed(tab), &url).await?;
        Ok(PageSession::new(session))
    }

    /// The stored session with this id, as after a reload. `undefined`: there is none.
    pub async fn restore(&self, id: String) -> Result<Option<PageSession>, PageError> {
        let keys = self.client.sessions(None).await?;
        let Some(key) = keys.into_iter().find(|key| key.id() == id) else { return Ok(None) };
        Ok(self.client.restore(&key).await?.map(PageSession::new))
    }

    /// The ids of this app's sessions in this browser.
    pub async fn sessions(&self) -> Result<Vec<String>, PageError> {
        Ok(self.client.sessions(None).await?.iter().map(Key::id).map(str::to_owned).collect())
    }
}
