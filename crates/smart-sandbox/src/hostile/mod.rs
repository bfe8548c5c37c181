//! A server that errs and lies: each answer may be spoilt by a draw from a seeded list of faults.
//!
//! The sandbox does its work as always and spoils the answer afterwards, so that a lie costs what it costs with a real
//! server: a code that was redeemed, a refresh token that was rotated.

mod callback;
mod dice;
mod documents;
mod lie;
mod place;
mod wire;

pub use lie::Lie;

use crate::Sandbox;
use crate::shared::Shared;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use dice::Dice;
use place::Place;
use std::sync::{Arc, Mutex, PoisonError};

/// How a sandbox lies.
#[derive(Debug, Clone)]
pub struct Hostility {
    /// What is drawn follows from this, and from the order of the requests.
    pub seed: u64,
    /// Another origin, such as `http://127.0.0.1:4014`, that redirects, links and documents try to lure a client to.
    pub elsewhere: String,
    /// How many of 100 answers are spoilt.
    pub often: u8,
}

/// The draws of a hostile sandbox, and what came of them.
struct Hostile {
    dice: Dice,
    elsewhere: String,
    often: u8,
    told: Vec<Lie>,
}

/// A sandbox's honesty; honest at first.
#[derive(Default)]
pub(crate) struct Honesty(Mutex<Option<Hostile>>);

/// One lie that is to be told.
struct Draw {
    lie: Lie,
    elsewhere: String,
    /// What a lie draws further.
    dice: Dice,
}

impl Honesty {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Hostile>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_hostile(&self) -> bool {
        self.lock().is_some()
    }

    fn draw(&self, place: Place) -> Option<Draw> {
        let mut hostile = self.lock();
        let hostile = hostile.as_mut()?;
        if hostile.dice.below(100) >= u64::from(hostile.often) {
            return None;
        }
        let lies: Vec<Lie> = Lie::ALL.iter().copied().filter(|lie| place.takes(*lie)).collect();
        let lie = *hostile.dice.pick(&lies)?;
        hostile.told.push(lie);
        Some(Draw { lie, elsewhere: hostile.elsewhere.clone(), dice: hostile.dice.split() })
    }
}

impl Sandbox {
    /// Lies from now on.
    pub fn turn_hostile(&self, hostility: Hostility) {
        let Hostility { seed, elsewhere, often } = hostility;
        *self.shared.honesty.lock() = Some(Hostile { dice: Dice::new(seed), elsewhere, often, told: Vec::new() });
    }

    /// Tells the truth from now on.
    pub fn turn_honest(&self) {
        *self.shared.honesty.lock() = None;
    }

    /// The lies that were told since it turned hostile, in order.
    pub fn lies_told(&self) -> Vec<Lie> {
        self.shared.honesty.lock().as_ref().map(|hostile| hostile.told.clone()).unwrap_or_default()
    }
}

/// Answers, and spoils the answer if a lie is drawn for it.
pub(crate) async fn spoil(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    if !shared.honesty.is_hostile() {
        return next.run(request).await;
    }
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let place = Place::of(&shared, &path, &response);
    let Some(draw) = shared.honesty.draw(place) else { return response };
    if draw.lie.is_of_the_wire() {
        wire::spoil(draw, &path, response).await
    } else if place == Place::Callback {
        callback::spoil(&draw, response)
    } else {
        documents::spoil(draw, response).await
    }
}
