//! Taking the person to a URL.

use crate::api::Error;
use crate::output::Output;
use url::Url;

/// Opens the person's own browser, and prints the URL for the case that nothing is seen of it.
///
/// # Errors
/// [`Error::Browser`], when there is no browser to open.
pub(crate) async fn open(url: Url, output: &Output) -> Result<(), Error> {
    output.note("Your browser opens for the login. If it does not, open this URL by hand:");
    output.note(url.as_str());
    let failed = |reason: String| Error::Browser(reason);
    match tokio::task::spawn_blocking(move || webbrowser::open(url.as_str())).await {
        Ok(opened) => opened.map_err(|e| failed(e.to_string())),
        Err(_) => Err(failed("the attempt failed".to_owned())),
    }
}
