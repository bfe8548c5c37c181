//! Where the platform keeps an application's data.

use crate::error::StoreError;
use std::env;
use std::path::PathBuf;

/// The folder for the data of the application `app` of the present user. It is not made.
///
/// Linux and other Unix: `$XDG_DATA_HOME/<app>`, by default `~/.local/share/<app>` (XDG Base Directory Specification).
/// macOS and iOS: `~/Library/Application Support/<app>`. Windows: `%LOCALAPPDATA%\<app>`, which does not roam to other
/// machines.
///
/// # Errors
/// [`StoreError::Unavailable`] when `app` is not of 1 to 64 ASCII letters, digits, `.`, `_`, `-`, beginning with a letter
/// or digit, or the user has no home folder: give a folder of your own then.
pub fn user_data_folder(app: &str) -> Result<PathBuf, StoreError> {
    let unavailable = |reason: &str| StoreError::Unavailable {
        place: format!("the data folder of `{}`", app.escape_debug()),
        reason: reason.to_owned(),
        retryable: false,
    };
    let plain = app.len() <= 64
        && app.starts_with(|c: char| c.is_ascii_alphanumeric())
        && app.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if !plain {
        return Err(unavailable("the application's name is not a plain file name; use letters, digits, `.`, `_`, `-`"));
    }
    let base = if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else if cfg!(target_vendor = "apple") {
        env::home_dir().map(|home| home.join("Library/Application Support"))
    } else {
        absolute("XDG_DATA_HOME").or_else(|| env::home_dir().map(|home| home.join(".local/share")))
    };
    let base = base.filter(|base| base.is_absolute());
    Ok(base.ok_or_else(|| unavailable("the user has no home folder; name a folder yourself"))?.join(app))
}

/// The specification has relative paths ignored.
fn absolute(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SE-03 (SMART, App protection): data goes to the user's own folder, and an application's name cannot lead out of it.
    #[test]
    fn user_data_is_the_users_own_folder() {
        let folder = user_data_folder("my-app").unwrap();
        assert!(folder.is_absolute() && folder.ends_with("my-app"), "{}", folder.display());
        for wrong in ["", "..", ".hidden", "a/b", "a\\b", "/etc", "a\0", "caf\u{e9}", &"a".repeat(65)] {
            assert!(user_data_folder(wrong).is_err(), "{wrong:?}");
        }
    }
}
