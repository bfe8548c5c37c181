//! Which FHIR servers may launch the app. The `iss` of a launch comes from whoever made the link.

use crate::fhir_base::FhirBaseUrl;
use crate::url_policy::UrlPolicy;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use url::{Host, Url};

/// The FHIR base URLs that may launch the app (SMART, App protection: counterfeit servers; requirement LA-03).
///
/// There is no default: an app names its servers, or says in so many words that any may launch it.
#[derive(Clone)]
pub struct AllowedIssuers(Rule);

#[derive(Clone)]
enum Rule {
    Listed(Vec<FhirBaseUrl>),
    Accepted(Arc<dyn Fn(&FhirBaseUrl) -> bool + Send + Sync>),
    Any { private_addresses: bool },
}

/// Why an `iss` was refused before any request was made to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssuerRefused {
    /// It is not on the list.
    #[error("the launch names the FHIR server `{iss}`, which is not one of the allowed issuers")]
    NotListed {
        /// The `iss` as it came.
        iss: String,
    },
    /// Any server is allowed, but this one is on this machine or a private network.
    #[error(
        "the launch names the FHIR server `{iss}` on a loopback, link-local or private address; \
         list it, or allow private addresses, if that is meant"
    )]
    PrivateAddress {
        /// The `iss` as it came.
        iss: String,
    },
}

impl AllowedIssuers {
    /// These servers and no others. They are compared normalised: case of the host, default port and trailing slash
    /// make no difference.
    pub fn only(bases: impl IntoIterator<Item = FhirBaseUrl>) -> Self {
        Self(Rule::Listed(bases.into_iter().collect()))
    }

    /// Those https servers that the app's own check accepts, for apps whose servers are in a register of their own. It
    /// is asked before any request is made; compare by `==`, which knows what spellings mean the same.
    pub fn accepted_by(check: impl Fn(&FhirBaseUrl) -> bool + Send + Sync + 'static) -> Self {
        Self(Rule::Accepted(Arc::new(check)))
    }

    /// Any https server on a public address. Whoever can make the person follow a link can then choose the server
    /// that the app talks to: use it for tools and demos, not for an app with health data of its own.
    ///
    /// Host names are not resolved here: a name that resolves to a private address is for the transport to refuse.
    pub fn dangerous_any() -> Self {
        Self(Rule::Any { private_addresses: false })
    }

    /// Any server at all, loopback, link-local and private addresses and plain http on loopback included.
    pub fn dangerous_any_with_private_addresses() -> Self {
        Self(Rule::Any { private_addresses: true })
    }

    /// Whether any server may launch, so that it is nobody's word that a server is the right one.
    pub fn is_any(&self) -> bool {
        matches!(self.0, Rule::Any { .. })
    }

    /// Decides about an `iss`.
    ///
    /// # Errors
    /// [`IssuerRefused`].
    pub fn check(&self, iss: &FhirBaseUrl) -> Result<(), IssuerRefused> {
        match &self.0 {
            Rule::Listed(bases) if bases.contains(iss) => Ok(()),
            Rule::Accepted(check) if check(iss) => Ok(()),
            Rule::Listed(_) | Rule::Accepted(_) => Err(IssuerRefused::NotListed { iss: iss.as_str().to_owned() }),
            Rule::Any { private_addresses: false } if is_private(iss.url()) => {
                Err(IssuerRefused::PrivateAddress { iss: iss.as_str().to_owned() })
            }
            Rule::Any { .. } => Ok(()),
        }
    }

    /// The URL policy for what the launch names: http on loopback only where a listed base has it or all is allowed.
    pub(crate) fn url_policy(&self) -> UrlPolicy {
        let loopback_http = match &self.0 {
            Rule::Listed(bases) => bases.iter().any(|base| base.url().scheme() == "http"),
            Rule::Accepted(_) => false,
            Rule::Any { private_addresses } => *private_addresses,
        };
        if loopback_http { UrlPolicy::AllowLoopbackHttp } else { UrlPolicy::HttpsOnly }
    }
}

impl std::fmt::Debug for AllowedIssuers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Rule::Listed(bases) => f.debug_tuple("Listed").field(bases).finish(),
            Rule::Accepted(_) => f.write_str("Accepted(..)"),
            Rule::Any { private_addresses } => {
                f.debug_struct("Any").field("private_addresses", private_addresses).finish()
            }
        }
    }
}

fn is_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost"
                || [".localhost", ".local", ".internal", ".home.arpa"].iter().any(|end| name.ends_with(end))
                || !name.contains('.')
        }
        Some(Host::Ipv4(address)) => is_private_address(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => is_private_address(IpAddr::V6(address)),
        None => true,
    }
}

/// Whether an address is loopback, link-local, private, unspecified, shared (RFC 6598), multicast, broadcast, or of the
/// other blocks that are not reached from the internet (RFC 6890).
pub fn is_private_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => {
            let [first, second, third, _] = a.octets();
            a.is_loopback()
                || a.is_private()
                || a.is_link_local()
                || a.is_unspecified()
                || a.is_broadcast()
                || a.is_multicast()
                || first == 0
                || first >= 240
                || (first == 100 && (64..128).contains(&second))
                || (first == 198 && (18..20).contains(&second))
                || (first, second, third) == (192, 0, 0)
        }
        IpAddr::V6(a) => embedded_v4(a).map_or_else(
            || {
                let [first, ..] = a.segments();
                a.is_loopback()
                    || a.is_unspecified()
                    || a.is_multicast()
                    || (first & 0xfe00) == 0xfc00
                    || (first & 0xffc0) == 0xfe80
                    || (first & 0xffc0) == 0xfec0
            },
            |v4| is_private_address(IpAddr::V4(v4)),
        ),
    }
}

/// The IPv4 address inside a mapped (`::ffff:0:0/96`), compatible (`::/96`), NAT64 (`64:ff9b::/96`, `64:ff9b:1::/48`) or
/// 6to4 (`2002::/16`) address.
fn embedded_v4(address: Ipv6Addr) -> Option<std::net::Ipv4Addr> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, _, _, _, high, low]
        | [0x2002, high, low, ..] => Some((u32::from(high) << 16 | u32::from(low)).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(given: &str) -> FhirBaseUrl {
        FhirBaseUrl::parse_with(given, UrlPolicy::AllowLoopbackHttp).unwrap()
    }

    /// LA-03, F-23, D-21 (SMART, App protection; RFC 9700 4.9.1): only listed servers, compared normalised.
    #[test]
    fn unlisted_issuer_is_refused() {
        let allowed = AllowedIssuers::only([base("https://ehr.example/r4")]);
        assert!(allowed.check(&base("https://EHR.example:443/r4/")).is_ok());
        for other in
            ["https://ehr.example/r4x", "https://evil.example/r4", "https://ehr.example", "https://ehr.example:8/r4"]
        {
            assert!(matches!(allowed.check(&base(other)), Err(IssuerRefused::NotListed { .. })), "{other}");
        }
    }

    /// LA-03 (SSRF): with any issuer allowed, addresses of this machine and of private networks are refused.
    #[test]
    fn private_addresses_are_refused_when_any_is_allowed() {
        for iss in [
            "https://127.0.0.1/fhir",
            "https://localhost/fhir",
            "https://ehr.local/fhir",
            "https://intranet/fhir",
            "https://10.1.2.3/fhir",
            "https://172.16.0.1/fhir",
            "https://192.168.1.1/fhir",
            "https://169.254.169.254/latest",
            "https://100.64.0.1/fhir",
            "https://0.0.0.0/fhir",
            "https://[::1]/fhir",
            "https://[fe80::1]/fhir",
            "https://[fd00::1]/fhir",
            "https://[::ffff:10.0.0.1]/fhir",
            "https://[64:ff9b::a00:1]/fhir",
            "https://[64:ff9b:1::a00:1]/fhir",
            "https://[2002:a00:1::]/fhir",
            "https://[::10.0.0.1]/fhir",
            "https://[::]/fhir",
            "https://[ff02::1]/fhir",
            "https://[fec0::1]/fhir",
            "https://198.18.0.1/fhir",
            "https://192.0.0.8/fhir",
            "https://240.0.0.1/fhir",
            "https://255.255.255.255/fhir",
            "https://224.0.0.1/fhir",
            "https://2130706433/fhir",
            "https://0x7f.1/fhir",
            "https://017700000001/fhir",
            "https://LOCALHOST./fhir",
            "https://metadata.internal./fhir",
        ] {
            assert!(
                matches!(AllowedIssuers::dangerous_any().check(&base(iss)), Err(IssuerRefused::PrivateAddress { .. })),
                "{iss}"
            );
            assert!(AllowedIssuers::dangerous_any_with_private_addresses().check(&base(iss)).is_ok(), "{iss}");
        }
        assert!(AllowedIssuers::dangerous_any().check(&base("https://ehr.example/fhir")).is_ok());
        for public in [
            "https://8.8.8.8/fhir",
            "https://[2600::1]/fhir",
            "https://[2002:808:808::]/fhir",
            "https://ehr.example.:8443/r4",
        ] {
            assert!(AllowedIssuers::dangerous_any().check(&base(public)).is_ok(), "{public}");
        }
    }

    /// LA-03 (SMART, App protection): the app's own check decides, on https servers only, and does not show in Debug.
    #[test]
    fn own_check_decides() {
        let tenants = ["https://ehr.example/t1/r4", "https://ehr.example/t2/r4"].map(base);
        let allowed = AllowedIssuers::accepted_by(move |iss| tenants.contains(iss));
        assert!(allowed.check(&base("https://EHR.example/t2/r4/")).is_ok());
        let refused = allowed.check(&base("https://ehr.example/t3/r4")).unwrap_err();
        assert_eq!(refused, IssuerRefused::NotListed { iss: "https://ehr.example/t3/r4".into() });
        assert_eq!(AllowedIssuers::accepted_by(|_| true).url_policy(), UrlPolicy::HttpsOnly);
        assert_eq!(format!("{allowed:?}"), "Accepted(..)");
    }
}
