//! Where sessions and waiting logins are kept, as the app does it.

/// The app's store: the Keychain, the Keystore, a database. It keeps small blobs under names, both of which say nothing to it.
///
/// # What it has to promise
/// 1. **Secrecy.** The blobs hold refresh tokens in the clear. Keep them where the platform keeps secrets, or encrypted with a key that it keeps;
///    never in a backup that leaves the device, in a log or in a preference file. Names are letters, digits and `-`, at most 80, and give nothing
///    away.
/// 2. **Compare and swap.** [`compare_and_swap`](Self::compare_and_swap) looks and writes as one step: of any number of calls for a name at the
///    same time, by any number of threads or processes that share the store, each sees the outcome of the one before. A lock around both, or a
///    transaction, does it. Two that both believe they have won lose a refresh token, and with it the person's login.
/// 3. **Durability.** When a write has returned, it is kept: also when the app is killed right after.
/// 4. **Honesty.** [`get`](Self::get) gives the octets of the last write, all of them, or an error; never older ones, and never `None` for a
///    blob that is there and cannot be read just now (a locked device): that is [`StoreFailure::Unavailable`], with `is_retryable`.
/// 5. **Size.** At least 64 KiB for a blob.
/// 6. **Time.** A call takes seconds at most. After 30 seconds the library takes it for failed, and asks again what has become of it.
///
/// Calls come from any thread, several at a time, and are not cancelled: each is waited for in a task of its own.
#[uniffi::export(with_foreign)]
#[async_trait::async_trait]
pub trait AppStore: Send + Sync {
    /// The blob under a name. `None`: there is none.
    ///
    /// # Errors
    /// [`StoreFailure`].
    async fn get(&self, name: String) -> Result<Option<Vec<u8>>, StoreFailure>;

    /// Puts `new` in the place of `expected`, if exactly that is there; `None` stands for nothing being there, so that it creates and removes
    /// as well. Gives whether it did.
    ///
    /// # Errors
    /// [`StoreFailure`]: whether it was done is unknown.
    async fn compare_and_swap(
        &self,
        name: String,
        expected: Option<Vec<u8>>,
        new: Option<Vec<u8>>,
    ) -> Result<bool, StoreFailure>;

    /// The names of all blobs that the library has put there, in any order.
    ///
    /// # Errors
    /// [`StoreFailure`].
    async fn names(&self) -> Result<Vec<String>, StoreFailure>;
}

/// The app's store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum StoreFailure {
    /// It cannot be reached, read or written.
    #[error("{reason}")]
    Unavailable {
        /// Why, for whoever runs the app. Not what is in the blob: it comes to stand in errors and logs.
        reason: String,
        /// Whether the same call may work a little later, as when the device is unlocked.
        is_retryable: bool,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for StoreFailure {
    /// What was thrown does not come to stand in our errors: nobody has said that it may be shown.
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unavailable {
            reason: "the app's store threw something else than a StoreFailure".to_owned(),
            is_retryable: false,
        }
    }
}
