//! Whether an app's store keeps what it promises, as far as that can be seen from outside.

use crate::app_store::{AppStore, StoreFailure};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// How long each call may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How many write at the same time.
const WRITERS: u8 = 20;
/// What a store has to take.
const LARGE: usize = 64 * 1024;

/// Checks an app's store: for its tests, not for its start. It writes a few blobs whose names begin with `check-`, and removes them.
///
/// Gives a sentence for each promise of [`AppStore`] that was seen to be broken; none means that nothing was found. That it keeps secrets, and
/// that what was written outlives the app, cannot be seen from here.
#[uniffi::export(async_runtime = "tokio")]
pub async fn check_store(store: Arc<dyn AppStore>) -> Vec<String> {
    let check = Check { store };
    let mut broken = Vec::new();
    for (name, outcome) in [
        ("a blob that was never written", check.absent().await),
        ("writing and reading", check.round_trip().await),
        ("a large blob", check.large().await),
        ("a wrong belief", check.wrong_beliefs().await),
        ("removal", check.removal().await),
        ("writers at the same time", check.one_writer_wins().await),
        ("names", check.names().await),
    ] {
        if let Err(reason) = outcome {
            broken.push(format!("{name}: {reason}"));
        }
    }
    if let Err(reason) = check.clean_up().await {
        broken.push(format!("cleaning up: {reason}"));
    }
    broken
}

struct Check {
    store: Arc<dyn AppStore>,
}

/// What a check came to; the error is the rest of a sentence.
type Checked = Result<(), String>;

fn ensure(holds: bool, reason: &str) -> Checked {
    if holds { Ok(()) } else { Err(reason.to_owned()) }
}

impl Check {
    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        answer(self.store.get(name.to_owned())).await
    }

    async fn swap(&self, name: &str, expected: Option<&[u8]>, new: Option<&[u8]>) -> Result<bool, String> {
        let [expected, new] = [expected, new].map(|octets| octets.map(<[u8]>::to_vec));
        answer(self.store.compare_and_swap(name.to_owned(), expected, new)).await
    }

    async fn absent(&self) -> Checked {
        ensure(self.get("check-absent").await?.is_none(), "it has to be none")
    }

    async fn round_trip(&self) -> Checked {
        let octets: Vec<u8> = (0..=255).collect();
        ensure(self.swap("check-octets", None, Some(&octets)).await?, "it was not created although there was none")?;
        ensure(self.get("check-octets").await? == Some(octets), "other octets came back than were written")?;
        ensure(self.swap("check-empty", None, Some(b"")).await?, "an empty blob was not created")?;
        ensure(
            self.get("check-empty").await?.is_some_and(|found| found.is_empty()),
            "an empty blob is not the same as none",
        )
    }

    async fn large(&self) -> Checked {
        let octets = vec![0xa5; LARGE];
        ensure(self.swap("check-large", None, Some(&octets)).await?, "it was not created")?;
        ensure(self.get("check-large").await? == Some(octets), "other octets came back than were written")
    }

    async fn wrong_beliefs(&self) -> Checked {
        let name = "check-belief";
        ensure(self.swap(name, None, Some(b"one")).await?, "it was not created")?;
        ensure(!self.swap(name, None, Some(b"two")).await?, "it was created although there was one")?;
        ensure(!self.swap(name, Some(b"other"), Some(b"two")).await?, "it was replaced although another was there")?;
        ensure(!self.swap(name, Some(b"other"), None).await?, "it was removed although another was there")?;
        ensure(!self.swap("check-nothing", Some(b"x"), Some(b"y")).await?, "nothing was replaced, and called a blob")?;
        ensure(self.get(name).await? == Some(b"one".to_vec()), "a refused write has changed it")?;
        ensure(
            self.swap(name, Some(b"one"), Some(b"two")).await?,
            "it was not replaced although the belief was right",
        )?;
        ensure(self.get(name).await? == Some(b"two".to_vec()), "the old octets are still there")
    }

    async fn removal(&self) -> Checked {
        let name = "check-removal";
        ensure(self.swap(name, None, Some(b"one")).await?, "it was not created")?;
        ensure(self.swap(name, Some(b"one"), None).await?, "it was not removed")?;
        ensure(self.get(name).await?.is_none(), "it is still there")?;
        ensure(!self.swap(name, Some(b"one"), None).await?, "it was removed twice")
    }

    async fn one_writer_wins(&self) -> Checked {
        let name = "check-writers";
        ensure(self.swap(name, None, Some(b"start")).await?, "it was not created")?;
        let writes: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let store = self.store.clone();
                tokio::spawn(async move {
                    store.compare_and_swap(name.to_owned(), Some(b"start".to_vec()), Some(vec![writer])).await
                })
            })
            .collect();
        let mut winners = Vec::new();
        for (writer, write) in (0..WRITERS).zip(writes) {
            let outcome = answer(async { write.await.unwrap_or_else(|_| Err(stopped())) }).await?;
            if outcome {
                winners.push(vec![writer]);
            }
        }
        ensure(
            winners.len() == 1,
            &format!("{} of {WRITERS} with the same belief were told that they won", winners.len()),
        )?;
        ensure(self.get(name).await? == winners.pop(), "the octets are not those of the one that won")
    }

    async fn names(&self) -> Checked {
        let names = answer(self.store.names()).await?;
        let has = |name: &str| names.iter().any(|found| found == name);
        ensure(has("check-belief") && has("check-octets"), "one that is there is missing")?;
        ensure(!has("check-removal") && !has("check-absent"), "one that is not there is listed")
    }

    async fn clean_up(&self) -> Checked {
        for name in answer(self.store.names()).await?.iter().filter(|name| name.starts_with("check-")) {
            if let Some(octets) = self.get(name).await? {
                self.swap(name, Some(&octets), None).await?;
            }
        }
        Ok(())
    }
}

fn stopped() -> StoreFailure {
    StoreFailure::Unavailable { reason: "the call was stopped".to_owned(), is_retryable: false }
}

async fn answer<T>(call: impl Future<Output = Result<T, StoreFailure>>) -> Result<T, String> {
    match tokio::time::timeout(LIMIT, call).await {
        Ok(answer) => answer.map_err(|failure| failure.to_string()),
        Err(_) => Err(format!("no answer within {} seconds", LIMIT.as_secs())),
    }
}
