//! Boxed futures and streams, `Send` wherever threads exist.

use futures_core::Stream;
use std::future::Future;
use std::pin::Pin;

/// A boxed future. It is `Send`, except on wasm32, where there is one thread and the browser's futures are not.
#[cfg(not(target_arch = "wasm32"))]
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A boxed future. It is `Send`, except on wasm32, where there is one thread and the browser's futures are not.
#[cfg(target_arch = "wasm32")]
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A boxed stream, `Send` as [`BoxFuture`] is.
#[cfg(not(target_arch = "wasm32"))]
pub type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = T> + Send + 'a>>;

/// A boxed stream, `Send` as [`BoxFuture`] is.
#[cfg(target_arch = "wasm32")]
pub type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = T> + 'a>>;
