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

mod app;
mod authorize;
mod client;
mod error;
mod freshness;
mod id_token;
mod launch;
mod logout;
mod loopback;
mod record;
mod renewal;
mod session;
mod system;

pub use app::App;
pub use client::{SmartClient, SmartClientBuilder};
pub use error::Error;
pub use launch::StandaloneLaunch;
pub use logout::LogoutReport;
pub use loopback::{LoopbackError, LoopbackListener};
pub use record::{SessionEndpoints, SessionUser};
pub use session::Session;
pub use system::{SystemClock, SystemRandom};
