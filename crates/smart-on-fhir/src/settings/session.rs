//! The time-outs of sessions, as settings.

use super::Problem;
use serde::{Deserialize, Serialize};
use smart_flows::SessionPolicy;
use std::time::Duration;

/// What happens when the person has done nothing for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Idle {
    /// The session ends. The default.
    #[default]
    End,
    /// The session is locked.
    Lock,
}

/// The time-outs of sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SessionSettings {
    /// How long the person may do nothing, in seconds. Default: any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_seconds: Option<u64>,
    /// How long a session lasts whatever the person does, in seconds. Default: as long as the server renews it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absolute_seconds: Option<u64>,
    /// How long ahead of either end a watched session warns, in seconds. Default: 300, or half of the shorter limit where that is less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning_seconds: Option<u64>,
    /// What happens after too long without the person: `end` or `lock`. Default: `end`.
    #[serde(default)]
    pub on_idle: Idle,
}

impl SessionSettings {
    /// These limits.
    pub fn new(idle_seconds: Option<u64>, absolute_seconds: Option<u64>) -> Self {
        Self { idle_seconds, absolute_seconds, ..Self::default() }
    }

    fn shortest(&self) -> Option<u64> {
        self.idle_seconds.into_iter().chain(self.absolute_seconds).min()
    }

    pub(super) fn policy(&self) -> SessionPolicy {
        let mut policy = SessionPolicy::none();
        policy.idle = self.idle_seconds.map(Duration::from_secs);
        policy.absolute = self.absolute_seconds.map(Duration::from_secs);
        let usual = policy.warning.as_secs();
        let warning = self.warning_seconds.unwrap_or_else(|| self.shortest().map_or(usual, |s| usual.min(s / 2)));
        policy.warning = Duration::from_secs(warning);
        match self.on_idle {
            Idle::End => policy,
            Idle::Lock => policy.locking(),
        }
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut say = |member: &str, reason: &str| problems.push(Problem::new(format!("session.{member}"), reason));
        for (member, limit) in [("idle_seconds", self.idle_seconds), ("absolute_seconds", self.absolute_seconds)] {
            if limit == Some(0) {
                say(member, "it has to be at least 1; leave it out for no limit");
            }
        }
        if let (Some(idle), Some(absolute)) = (self.idle_seconds, self.absolute_seconds)
            && idle > absolute
        {
            say("idle_seconds", "it is longer than absolute_seconds, and would never count");
        }
        match (self.warning_seconds, self.shortest()) {
            (Some(warning), Some(limit)) if warning >= limit => {
                say("warning_seconds", "it has to be shorter than the limits that it warns of");
            }
            (Some(_), None) => say("warning_seconds", "there is no limit that it could warn of"),
            _ => {}
        }
        if self.on_idle == Idle::Lock && self.idle_seconds.is_none() {
            say("on_idle", "`lock` needs idle_seconds");
        }
        problems
    }
}
