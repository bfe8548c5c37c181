//! `smart keygen` and `smart jwks`.
#![expect(clippy::unwrap_used, reason = "its helpers report by panicking")]

mod support;

use serde_json::Value;
use smart_on_fhir::jwt::{Jwks, SigningKey};
use std::path::PathBuf;
use support::{User, json_error, text};

/// The members that no public key has (RFC 7518, sections 6.2.2, 6.3.2, 6.4).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

fn assert_public(jwk: &Value) {
    let members = jwk.as_object().unwrap();
    assert!(PRIVATE.iter().all(|name| !members.contains_key(*name)), "{jwk:#}");
    assert!(["kid", "alg", "use", "kty"].iter().all(|name| members.contains_key(*name)), "{jwk:#}");
}

fn mode(path: &PathBuf) -> u32 {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        0o600
    }
}

/// CA-15, CA-17, RG-03, F-35 (SMART, client authentication): each kind of key is written for its owner alone, in PEM and as a JWK; what
/// is printed is the public half, and it belongs to what was written.
#[tokio::test]
async fn keys_are_made_and_kept_private() {
    let user = User::new();
    for (kind, algorithm) in [
        ("ec-p384", "ES384"),
        ("ec-p256", "ES256"),
        ("rsa-2048", "RS384"),
        ("rsa-3072", "RS384"),
        ("rsa-4096", "RS384"),
    ] {
        for form in [&[][..], &["--jwk"]] {
            let path = user.folder().join(format!("{kind}-{}", form.len()));
            let arguments = [&["keygen", "--kind", kind, "--out", text(&path), "--json"], form].concat();
            let json = user.run(&arguments).await.exits(0).json();
            assert_eq!((&json["algorithm"], &json["kid"]), (&algorithm.into(), &json["thumbprint"]), "{json:#}");
            assert_public(&json["public_jwk"]);
            assert_eq!(mode(&path), 0o600);
            let written = std::fs::read_to_string(&path).unwrap();
            let key = match form.len() {
                0 => SigningKey::from_pem(&written).unwrap(),
                _ => SigningKey::from_jwk(serde_json::from_str(&written).unwrap()).unwrap(),
            };
            assert_eq!(key.public_jwk().to_json(), json["public_jwk"]);
        }
    }
}

/// Without --json standard output is the public JWK and nothing else, so that it can be written to a file.
#[tokio::test]
async fn the_public_half_is_printed_alone() {
    let user = User::new();
    let path = user.folder().join("key.pem");
    let ran = user.run(&["keygen", "--out", text(&path), "--kid", "night 1"]).await.exits(0);
    assert_public(&ran.json());
    assert_eq!(ran.json()["kid"], "night 1");
    assert!(ran.err.contains(text(&path)) && ran.err.contains("--kid night 1"), "{ran:#?}");
    let ran = user.run(&["jwks", text(&path), "--kid", "night 1"]).await.exits(0);
    assert_eq!(ran.json()["keys"][0]["kid"], "night 1");
    assert!(ran.err.contains("Thumbprint") && ran.err.contains("ES384"), "{ran:#?}");
}

/// CA-17: a key is not overwritten unless that is asked for, and a file that cannot be written is told.
#[tokio::test]
async fn keys_are_not_overwritten() {
    let user = User::new();
    let path = user.folder().join("key.pem");
    user.run(&["keygen", "--out", text(&path)]).await.exits(0);
    let first = std::fs::read_to_string(&path).unwrap();
    let error = json_error(&user.run(&["keygen", "--out", text(&path), "--json"]).await.exits(2), "usage");
    assert!(error["next_step"].as_str().unwrap().contains("--force"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), first);
    user.run(&["keygen", "--out", text(&path), "--force"]).await.exits(0);
    assert_ne!(std::fs::read_to_string(&path).unwrap(), first);
    assert_eq!(mode(&path), 0o600);
    let nowhere = user.folder().join("none/key.pem");
    json_error(&user.run(&["keygen", "--out", text(&nowhere), "--json"]).await.exits(1), "internal");
    json_error(&user.run(&["keygen", "--out", text(&nowhere), "--kid", "", "--json"]).await.exits(2), "usage");
    json_error(&user.run(&["keygen", "--out", text(&path), "--kind", "rsa-1024", "--json"]).await.exits(2), "usage");
}

/// CA-15, RG-03, F-35 (SMART, JWK set): the set of several keys, of each form of file, has no private member; it is written whole, and
/// what is no key is told.
#[tokio::test]
async fn key_sets_are_never_private() {
    let user = User::new();
    let (pem, jwk, public, out) = (
        user.folder().join("a.pem"),
        user.folder().join("b.jwk"),
        user.folder().join("c.json"),
        user.folder().join("set.json"),
    );
    user.run(&["keygen", "--out", text(&pem), "--kind", "rsa-2048"]).await.exits(0);
    user.run(&["keygen", "--out", text(&jwk), "--jwk", "--kid", "next"]).await.exits(0);
    let retired = user.folder().join("c.pem");
    let ran = user.run(&["keygen", "--out", text(&retired), "--kid", "retired"]).await.exits(0);
    std::fs::write(&public, &ran.out).unwrap();
    let files = [text(&pem), text(&jwk), text(&public)];

    let ran = user.run(&[&["jwks"], &files[..]].concat()).await.exits(0);
    let set = ran.json();
    assert_eq!(set.as_object().unwrap().len(), 1);
    set["keys"].as_array().unwrap().iter().for_each(assert_public);
    assert_eq!(Jwks::parse(ran.out.as_bytes()).unwrap().keys().len(), 3);
    let private: Value = serde_json::from_str(&std::fs::read_to_string(&jwk).unwrap()).unwrap();
    assert!(!ran.out.contains(private["d"].as_str().unwrap()));

    let json = user.run(&[&["jwks", "--json", "--out", text(&out)], &files[..]].concat()).await.exits(0).json();
    assert_eq!(json["jwks"], set);
    assert_eq!((&json["keys"][1]["kid"], &json["keys"][2]["kid"]), (&"next".into(), &"retired".into()));
    assert!(json["keys"][0]["thumbprint"] == json["keys"][0]["kid"] && json["out"] == text(&out), "{json:#}");
    assert_eq!(serde_json::from_str::<Value>(&std::fs::read_to_string(&out).unwrap()).unwrap(), set);
    // Published anew, in place of the old one.
    let ran = user.run(&["jwks", text(&pem), "--out", text(&out)]).await.exits(0);
    assert!(ran.out.is_empty() && ran.err.contains(text(&out)), "{ran:#?}");
    assert_eq!(Jwks::parse(&std::fs::read(&out).unwrap()).unwrap().keys().len(), 1);

    for arguments in [
        &[text(&pem), text(&pem)][..],
        &[text(&pem), text(&jwk), "--kid", "one"],
        &["/no/such/key"],
        &[text(&user.private("broken", "no key"))],
        &[],
    ] {
        let ran = user.run(&[&["jwks", "--json"], arguments].concat()).await.exits(2);
        json_error(&ran, "usage");
    }
}
