//! SMART App Launch flows and sessions: standalone and EHR launch, tokens that renew themselves, revocation and
//! introspection.
//!
//! ```no_run
//! use smart_flows::{App, SmartClient};
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let app = App::public("my-client").scopes("launch/patient openid fhirUser offline_access patient/*.rs")?;
//! let smart = SmartClient::new(app);
//! let session = smart.standalone("https://ehr.example/fhir").await?.open_browser().await?;
//! println!("the record of patient {} is open", session.patient()?);
//! # Ok(())
//! # }
//! ```

mod activity;
mod app;
pub mod audit;
mod audited;
#[cfg(not(target_arch = "wasm32"))]
mod authenticate;
mod authorize;
mod backend;
mod client;
mod client_auth;
mod client_keys;
mod delay;
mod error;
mod events;
mod freshness;
mod grants;
mod id_token;
mod issuer_keys;
mod launch;
#[cfg(not(target_arch = "wasm32"))]
mod launch_in_browser;
#[cfg(not(target_arch = "wasm32"))]
mod launch_receiver;
mod life;
mod logout;
#[cfg(not(target_arch = "wasm32"))]
mod loopback;
#[cfg(not(target_arch = "wasm32"))]
mod loopback_connections;
mod loopback_error;
#[cfg(not(target_arch = "wasm32"))]
mod loopback_page;
mod pending_logins;
mod permission_policy;
mod record;
mod registry;
mod renewal;
mod revocation;
mod server_rules;
mod session;
mod session_policy;
mod session_time;
mod slots;
mod step_up;
mod system;
mod task;
mod userinfo;
mod watch;
#[cfg(not(target_arch = "wasm32"))]
pub mod web;

pub use app::{App, AssertionAudience};
pub use client::{SmartClient, SmartClientBuilder};
pub use client_keys::ClientKeys;
pub use error::Error;
pub use events::{EndReason, Events, SessionEvent};
pub use launch::{LoginCancel, StandaloneLaunch};
#[cfg(not(target_arch = "wasm32"))]
pub use launch_receiver::LaunchReceiver;
pub use logout::LogoutReport;
#[cfg(not(target_arch = "wasm32"))]
pub use loopback::LoopbackListener;
pub use loopback_error::LoopbackError;
pub use pending_logins::BrowserId;
pub use permission_policy::PermissionPolicy;
pub use record::{SessionEndpoints, SessionUser};
pub use registry::DiscoveryCache;
pub use session::Session;
pub use session_policy::{OnIdle, SessionPolicy, Timeout};
pub use step_up::StepUp;
pub use system::{SystemClock, SystemRandom, SystemUptime, Uptime};
pub use watch::SessionWatch;
