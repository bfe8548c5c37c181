//! The exit codes: one table, shown by `smart help exit-codes` and used for every error.

/// Why the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ExitCode {
    /// All is well.
    Ok,
    /// Something on this machine failed, or `smart` itself.
    Internal,
    /// The command line is wrong.
    Usage,
    /// There was no HTTP answer.
    UnreachableHost,
    /// Something answered, and it is no FHIR server.
    NotFhirBase,
    /// The server's SMART documents cannot be used.
    Discovery,
    /// Plain http.
    InsecureHttp,
    /// The person said no.
    Denied,
    /// The browser did not bring a callback that may be believed.
    CallbackRefused,
    /// The authorization server refused, or its tokens are not what they have to be.
    TokenRefused,
    /// The FHIR server refused a request.
    FhirError,
    /// There is no session.
    NeedsLogin,
    /// An audit trail is not as it was written.
    AuditBroken,
    /// A logout that the server did not take part in.
    NotRevoked,
    /// An export that came in part.
    PartialExport,
}

impl ExitCode {
    /// All of them, by number.
    pub(crate) const ALL: [Self; 15] = [
        Self::Ok,
        Self::Internal,
        Self::Usage,
        Self::UnreachableHost,
        Self::NotFhirBase,
        Self::Discovery,
        Self::InsecureHttp,
        Self::Denied,
        Self::CallbackRefused,
        Self::TokenRefused,
        Self::FhirError,
        Self::NeedsLogin,
        Self::AuditBroken,
        Self::NotRevoked,
        Self::PartialExport,
    ];

    /// The number. It does not change from version to version.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Internal => 1,
            Self::Usage => 2,
            Self::UnreachableHost => 3,
            Self::NotFhirBase => 4,
            Self::Discovery => 5,
            Self::InsecureHttp => 6,
            Self::Denied => 7,
            Self::CallbackRefused => 8,
            Self::TokenRefused => 9,
            Self::FhirError => 10,
            Self::NeedsLogin => 11,
            Self::AuditBroken => 12,
            Self::NotRevoked => 13,
            Self::PartialExport => 14,
        }
    }

    /// The name: `code` in the errors of `--json`. It does not change from version to version.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Internal => "internal",
            Self::Usage => "usage",
            Self::UnreachableHost => "unreachable-host",
            Self::NotFhirBase => "not-a-fhir-base",
            Self::Discovery => "discovery",
            Self::InsecureHttp => "insecure-http",
            Self::Denied => "denied",
            Self::CallbackRefused => "callback-refused",
            Self::TokenRefused => "token-refused",
            Self::FhirError => "fhir-error",
            Self::NeedsLogin => "needs-login",
            Self::AuditBroken => "audit-broken",
            Self::NotRevoked => "not-revoked",
            Self::PartialExport => "partial-export",
        }
    }

    /// What it means.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "Everything worked.",
            Self::Internal => "This machine (storage, port, output) or smart failed.",
            Self::Usage => "The command line is wrong.",
            Self::UnreachableHost => "No HTTP answer: name, network, TLS or time-out.",
            Self::NotFhirBase => "What answered is not the base of a FHIR server.",
            Self::Discovery => "SMART documents of no use, such as without S256.",
            Self::InsecureHttp => "Plain http to another machine; nothing was sent.",
            Self::Denied => "The person said no at consent.",
            Self::CallbackRefused => "No callback, or one with another state or issuer.",
            Self::TokenRefused => "The login or its tokens were refused.",
            Self::FhirError => "The FHIR server refused, or sent something else.",
            Self::NeedsLogin => "There is no usable session.",
            Self::AuditBroken => "An audit trail was changed, or a part is missing.",
            Self::NotRevoked => "Logged out here; the server did not revoke the tokens.",
            Self::PartialExport => "Files came; the server could not export everything.",
        }
    }

    /// What the person can do next, where the error itself knows nothing better.
    pub(crate) const fn next_step(self) -> &'static str {
        match self {
            Self::Ok => "Nothing has to be done.",
            Self::Internal => {
                "Run the command again with -v to see more, and report it if it looks like a fault of smart."
            }
            Self::Usage => "See `smart help`, or `smart help COMMAND`.",
            Self::UnreachableHost => {
                "Check the spelling of the URL, the network and that the server runs, then try again."
            }
            Self::NotFhirBase => {
                "Check the base URL: it often ends in /fhir, /r4 or /R4; the page that people see is not it."
            }
            Self::Discovery => "Run `smart discover URL` to see the findings, and tell the server's operator.",
            Self::InsecureHttp => {
                "Use the https URL of the server; plain http is accepted on 127.0.0.1, [::1] and localhost only."
            }
            Self::Denied => "Run the command again and allow the access, or ask for fewer scopes with --scopes.",
            Self::CallbackRefused => "Begin the login anew, and use only the browser window that it opens.",
            Self::TokenRefused => {
                "Check the client id and the redirect URI that are registered at the server, then log in again."
            }
            Self::FhirError => "Check the path, and that the granted scopes cover it.",
            Self::NeedsLogin => "Run `smart login URL`.",
            Self::AuditBroken => "Keep the files as they are, as evidence, and find out who could write them.",
            Self::NotRevoked => {
                "Tell the server's operator where the tokens may be in other hands; else wait until they end."
            }
            Self::PartialExport => "Look into the files export-errors.*.ndjson: they say what is missing.",
        }
    }
}

fn line(code: ExitCode) -> String {
    format!("{:>4}  {:<17} {}\n", code.number(), code.name(), code.meaning())
}

/// The table as plain text, for the help.
pub(crate) fn table_text() -> String {
    let mut text = String::from("Exit codes of smart, and their names in the errors of --json:\n\n");
    text.extend(ExitCode::ALL.map(line));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Each code has a number and a name of its own, in the order of the table.
    #[test]
    fn numbers_and_names_are_unique_and_in_order() {
        let names: HashSet<_> = ExitCode::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), ExitCode::ALL.len());
        for (at, code) in (0_u8..).zip(ExitCode::ALL) {
            assert_eq!(code.number(), at, "{code:?}");
        }
    }

    /// Scripts rely on these numbers.
    #[test]
    fn documented_numbers_do_not_move() {
        assert_eq!(ExitCode::Usage.number(), 2);
        assert_eq!(ExitCode::UnreachableHost.number(), 3);
        assert_eq!(ExitCode::NeedsLogin.number(), 11);
        assert_eq!(ExitCode::AuditBroken.number(), 12);
        assert_eq!(ExitCode::NotRevoked.number(), 13);
        assert_eq!(ExitCode::PartialExport.number(), 14);
    }

    /// The table names every code with its meaning, and every code has a next step.
    #[test]
    fn table_names_every_code() {
        let table = table_text();
        for code in ExitCode::ALL {
            assert!(table.contains(code.name()) && table.contains(code.meaning()), "{code:?}");
            assert!(code.meaning().len() <= 54, "{code:?} does not fit 80 columns");
            assert!(code.next_step().ends_with('.'), "{code:?}");
        }
    }
}
