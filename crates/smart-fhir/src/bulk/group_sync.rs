//! Keeping up with a group whose members change.

use super::{ExportRequest, FhirInstant};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// What is known of a group after an export: its members, and the server's time. It serialises; keep it until the next time.
///
/// A group export with `_since` brings what has changed, and of members that came since it may bring the changes only. So three
/// exports are made each time (Bulk Data, group membership request pattern): the ids of the members now; everything of those who
/// are new; what has changed of all. What comes may overlap: a resource that comes again takes the place of the one before.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GroupSync {
    members: BTreeSet<String>,
    since: Option<FhirInstant>,
}

/// The exports that bring a copy of a group up to date.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GroupSyncPlan {
    /// Everything of the members who are new. None where nobody is.
    pub new_members: Option<ExportRequest>,
    /// What has changed since the last time. None at the first time, when everybody is new.
    pub changes: Option<ExportRequest>,
    /// Who is no member any more: what is had of them may have to be removed.
    pub gone: BTreeSet<String>,
}

impl GroupSync {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The export that lists the members: their ids alone.
    pub fn members_request(request: &ExportRequest) -> ExportRequest {
        let mut listing = request.clone();
        (listing.types, listing.elements) = (vec!["Patient".to_owned()], vec!["id".to_owned()]);
        (listing.type_filters, listing.patients, listing.associated) = (Vec::new(), Vec::new(), Vec::new());
        (listing.since, listing.until, listing.organize_by) = (None, None, None);
        listing
    }

    /// The exports to make next, for a group whose members are now these.
    pub fn plan(&self, request: &ExportRequest, members: &BTreeSet<String>) -> GroupSyncPlan {
        let new: Vec<String> = members.difference(&self.members).cloned().collect();
        let whole = ExportRequest { since: None, ..request.clone() };
        let new_members = match (&self.since, new.is_empty()) {
            (None, _) => Some(whole),
            (Some(_), true) => None,
            (Some(_), false) => Some(whole.patients(new)),
        };
        let changes = self.since.clone().map(|since| request.clone().since(since));
        GroupSyncPlan { new_members, changes, gone: self.members.difference(members).cloned().collect() }
    }

    /// Notes down that the exports of the plan are done: `transaction_time` is that of the first of the three, so that nothing
    /// that happened meanwhile is missed.
    pub fn done(&mut self, members: BTreeSet<String>, transaction_time: FhirInstant) {
        (self.members, self.since) = (members, Some(transaction_time));
    }

    /// The server's time of the last export.
    pub fn since(&self) -> Option<&FhirInstant> {
        self.since.as_ref()
    }
}

impl fmt::Debug for GroupSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupSync").field("members", &self.members.len()).field("since", &self.since).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smart_core::fhir_base::FhirBaseUrl;

    fn members(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    fn url(request: &ExportRequest) -> String {
        request.to_http(&FhirBaseUrl::parse("https://ehr.example/fhir").unwrap()).unwrap().uri().to_string()
    }

    fn body(request: &ExportRequest) -> String {
        let sent = request.to_http(&FhirBaseUrl::parse("https://ehr.example/fhir").unwrap()).unwrap();
        String::from_utf8(sent.body().to_vec()).unwrap()
    }

    /// BK-31, BK-32 (Bulk Data 3.0, group membership request pattern): everything of new members, changes since the server's own
    /// time of the rest, and who has left is told.
    #[test]
    fn a_growing_group_is_kept_up_with() {
        let request = ExportRequest::group("g1").types(["Patient", "Observation"]);
        let listing = url(&GroupSync::members_request(&request.clone().type_filter("Patient?gender=male")));
        assert!(listing.ends_with("/Group/g1/$export?_type=Patient&_elements=id"), "{listing}");

        let mut sync = GroupSync::new();
        let first = sync.plan(&request, &members(&["1", "2"]));
        assert!(first.changes.is_none() && first.gone.is_empty());
        assert!(!url(first.new_members.as_ref().unwrap()).contains("_since"));

        sync.done(members(&["1", "2"]), FhirInstant::parse("2026-01-31T08:00:00.123+01:00").unwrap());
        let text = serde_json::to_string(&sync).unwrap();
        let sync: GroupSync = serde_json::from_str(&text).unwrap();
        let second = sync.plan(&request, &members(&["2", "3"]));
        assert!(url(second.changes.as_ref().unwrap()).contains("_since=2026-01-31T08%3A00%3A00.123%2B01%3A00"));
        let new = body(second.new_members.as_ref().unwrap());
        assert!(new.contains("Patient/3") && !new.contains("Patient/2") && !new.contains("_since"), "{new}");
        assert_eq!(second.gone, members(&["1"]));

        let third = sync.plan(&request, &members(&["1", "2"]));
        assert!(third.new_members.is_none() && third.changes.is_some());
        assert!(!format!("{sync:?}").contains("\"1\""));
    }
}
