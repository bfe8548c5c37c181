//! Style documents, through the public API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

use proptest::prelude::*;
use serde_json::{Value, json};
use smart_core::leniency::Leniency;
use smart_core::style::{CssColor, CssFontFamily, CssLength, StyleDocument, StyleError, StyleProperty, style_request};
use url::Url;

fn url() -> Url {
    "https://ehr.example/styles/v7.json?k=1".parse().unwrap()
}

fn read(body: &Value) -> StyleDocument {
    StyleDocument::parse(&url(), 200, body.to_string().as_bytes()).unwrap()
}

/// CX-05 (SMART app styling): the document is fetched without a token.
#[test]
fn style_is_fetched_without_a_token() {
    let request = style_request(&url()).unwrap();
    assert_eq!((request.method().as_str(), request.uri().path()), ("GET", "/styles/v7.json"));
    assert_eq!(request.headers()["accept"], "application/json");
    assert_eq!(request.headers().len(), 1);
    assert!(request.body().is_empty());
}

/// CX-05 (SMART app styling): each of the eleven members is read as what it is; others are kept.
#[test]
fn all_eleven_members_are_read() {
    let style = read(&json!({
        "color_background": "#EDEAE3", "color_error": "rgb(158, 45, 45)", "color_highlight": "steelblue",
        "color_modal_backdrop": "", "color_success": "#498e49", "color_text": "#303030", "dim_border_radius": "6px",
        "dim_font_size": "13px", "dim_spacing_size": "1.25rem", "font_family_body": "Georgia, 'Times New Roman', serif",
        "font_family_heading": "'Helvetica Neue', sans-serif;", "x_dark": true,
    }));
    let color = |color: Option<CssColor>| color.map(|color| color.to_string());
    let length = |length: Option<CssLength>| length.map(|length| length.to_string());
    let fonts = |fonts: Option<CssFontFamily>| fonts.map(|fonts| fonts.to_string());
    let expected: Vec<Option<&str>> = vec![
        Some("#edeae3"),
        Some("rgb(158, 45, 45)"),
        Some("steelblue"),
        None,
        Some("#498e49"),
        Some("#303030"),
        Some("6px"),
        Some("13px"),
        Some("1.25rem"),
        Some("Georgia, 'Times New Roman', serif"),
        Some("'Helvetica Neue', sans-serif"),
    ];
    let found = [
        color(style.color_background()),
        color(style.color_error()),
        color(style.color_highlight()),
        color(style.color_modal_backdrop()),
        color(style.color_success()),
        color(style.color_text()),
        length(style.dim_border_radius()),
        length(style.dim_font_size()),
        length(style.dim_spacing_size()),
        fonts(style.font_family_body()),
        fonts(style.font_family_heading()),
    ];
    assert_eq!(found.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
    assert_eq!(style.custom_properties().len(), 10);
    assert_eq!((style.other.len(), &style.other["x_dark"]), (1, &json!(true)));
    assert_eq!(StyleProperty::ALL.len(), 11);
}

/// CX-05: values come from outside; those that are no colour, length or font never reach the style sheet.
#[test]
fn unsafe_values_do_not_reach_the_style_sheet() {
    let style = read(&json!({
        "color_text": "red;} body{display:none", "color_error": "url(https://evil.example/track)",
        "dim_spacing_size": "calc(100vw)", "dim_font_size": "0", "font_family_body": "x</style><script>alert(1)</script>",
        "color_success": "green",
    }));
    assert_eq!(style.css(), ":root{--smart-color-success:green}");
    assert_eq!(
        style.unusable().collect::<Vec<_>>(),
        [
            StyleProperty::ColorError,
            StyleProperty::ColorText,
            StyleProperty::DimFontSize,
            StyleProperty::DimSpacingSize,
            StyleProperty::FontFamilyBody,
        ]
    );
    assert_eq!(style.raw(StyleProperty::ColorError), Some("url(https://evil.example/track)"));
    assert_eq!(StyleDocument::default().css(), ":root{}");
}

/// CX-05, CX-13: a member of the wrong kind costs that member only.
#[test]
fn members_of_the_wrong_kind_are_kept_unread() {
    let style = read(&json!({"color_text": 7, "color_error": null, "dim_font_size": "13px"}));
    assert_eq!(style.leniencies, [Leniency::StyleMemberUnreadable]);
    assert_eq!((style.raw(StyleProperty::ColorText), &style.other["color_text"]), (None, &json!(7)));
    assert!(style.dim_font_size().is_some());
}

/// CX-05: what is no style document is told apart; the error does not show the query of the URL.
#[test]
fn other_answers_are_typed() {
    let parse = |status, body: &str| StyleDocument::parse(&url(), status, body.as_bytes()).unwrap_err();
    assert!(matches!(parse(404, "{}"), StyleError::Status { status: 404, .. }));
    assert!(matches!(parse(302, ""), StyleError::Status { .. }));
    assert!(parse(503, "").is_retryable() && !parse(404, "").is_retryable());
    for body in ["<html>", "[]", r#"{"color_text":"red","color_text":"white"}"#] {
        let error = parse(200, body);
        assert!(
            matches!(&error, StyleError::Json { url, .. } if url == "https://ehr.example/styles/v7.json"),
            "{body}"
        );
    }
}

/// CX-05: a server writes the document that clients read.
#[test]
fn written_style_is_read_again() {
    let mut style = StyleDocument::default()
        .with(StyleProperty::ColorText, "#303030")
        .with(StyleProperty::FontFamilyBody, "serif")
        .with(StyleProperty::ColorModalBackdrop, " ");
    style.other.insert("x".into(), json!(1));
    let written = serde_json::to_value(&style).unwrap();
    assert_eq!(written, json!({"color_text": "#303030", "font_family_body": "serif", "x": 1}));
    assert_eq!(read(&written), style);
}

/// Text that tends to break style sheets.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(
        &[
            "#", "fff", "red", "rgb(", "hsl(", "1", "255", "%", ",", " ", ")", "px", ";", "}", "{", "'", "\"", "\\",
            "/", "*", "<", "url(", "serif", "-", ".", "\n", "é", "var(", "deg", "@import",
        ][..],
    );
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// CX-05: whatever the values are, the style sheet is one rule of declarations, and writes the same when it is read
    /// again.
    #[test]
    fn style_sheet_is_one_rule(values in prop::collection::vec(hostile(), 11)) {
        let pairs = StyleProperty::ALL.iter().zip(&values);
        let style = pairs.fold(StyleDocument::default(), |style, (property, value)| style.with(*property, value));
        let css = style.css();
        let inside = css.strip_prefix(":root{").and_then(|rest| rest.strip_suffix('}')).unwrap();
        prop_assert!(!inside.contains(['{', '}', '<', '>', '\\', '@', '"', '/', '\n']), "{}", css);
        for declaration in inside.split(';').filter(|d| !d.is_empty()) {
            let (name, value) = declaration.split_once(':').unwrap();
            prop_assert!(name.starts_with("--smart-") && !value.is_empty(), "{}", css);
            prop_assert_eq!(value.matches('\'').count() % 2, 0, "{}", css);
            prop_assert!(!value.contains("url") || name.starts_with("--smart-font"), "{}", css);
        }
        let mut again = StyleDocument::default();
        for (name, value) in style.custom_properties() {
            let property = StyleProperty::ALL.iter().find(|p| p.custom_property() == name).unwrap();
            again = again.with(*property, &value);
        }
        prop_assert_eq!(again.css(), css);
    }
}
