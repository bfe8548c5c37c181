//! Finding a brand by what a person types.

use super::brand::Brand;
use super::merge::BrandCard;

/// How many words of what was typed count.
const MAX_WORDS: usize = 16;

/// The cards that what a person has typed is about, best first (SMART App Launch 2.2, user-access brands, searching).
///
/// Each word must begin a word of the brand's name, its further names, its places (city, state, postal code) or its portals'
/// names, in any case. Cards whose own name has all the words come first, then in the order of the cards. Brands that say they
/// are not in use are left out. Nothing typed finds every card in use.
pub fn search<'c>(cards: &'c [BrandCard], typed: &str) -> Vec<&'c BrandCard> {
    let typed = typed.to_lowercase();
    let wanted: Vec<&str> = words(&typed).take(MAX_WORDS).collect();
    let mut found: Vec<(bool, &BrandCard)> = Vec::new();
    for card in cards.iter().filter(|card| card.brand.active != Some(false)) {
        let own_name = card.brand.name.value().map(|name| name.to_lowercase()).unwrap_or_default();
        if has_all(&own_name, &wanted) {
            found.push((false, card));
        } else if has_all(&all_names(card), &wanted) {
            found.push((true, card));
        }
    }
    found.sort_by_key(|(by_other, _)| *by_other);
    found.into_iter().map(|(_, card)| card).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

fn has_all(text: &str, wanted: &[&str]) -> bool {
    wanted.iter().all(|wanted| words(text).any(|word| word.starts_with(wanted)))
}

/// All by which a card can be found, in small letters.
fn all_names(card: &BrandCard) -> String {
    let brand: &Brand = &card.brand;
    let places = brand.addresses.iter().flat_map(|place| [&place.city, &place.state, &place.postal_code]).flatten();
    let portals = card.portals.iter().filter_map(|portal| portal.name.value());
    let names = brand.name.value().into_iter().chain(&brand.aliases).chain(places).chain(portals);
    names.map(|name| name.to_lowercase()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::brands::{BrandAddress, BrandRank, Portal, Stated};
    use std::sync::Arc;

    fn card(name: &str, alias: &str, city: &str, portal: &str, active: Option<bool>) -> BrandCard {
        let address = BrandAddress {
            city: Some(city.to_owned()),
            postal_code: Some("01101".to_owned()),
            ..BrandAddress::default()
        };
        let brand =
            Brand { aliases: vec![alias.to_owned()], addresses: vec![address], active, ..Brand::new("a", name) };
        let portal = Portal { name: Stated::Value(portal.to_owned()), ..Portal::default() };
        BrandCard {
            brand: Arc::new(brand),
            portals: vec![portal],
            endpoints: Vec::new(),
            rank: BrandRank::Consolidated,
            superseded: Vec::new(),
        }
    }

    /// BR-03 (SMART, user-access brands): brands are found by the beginnings of words of their names, places and portals.
    #[test]
    fn brands_are_found_by_what_people_type() {
        let cards = [
            card("Springfield Clinic", "Old Good Health", "Boston", "MyClinic", Some(true)),
            card("Good Health Hospital", "GHH", "Springfield", "HealthView", None),
            card("Good Health Closed", "", "Springfield", "", Some(false)),
            card("Zürich Spital", "", "Zürich", "", Some(true)),
        ];
        let found = |typed: &str| {
            search(&cards, typed).iter().map(|card| card.brand.name.value().unwrap().as_str()).collect::<Vec<_>>()
        };
        assert_eq!(found("good health"), ["Good Health Hospital", "Springfield Clinic"]);
        assert_eq!(found("SPRING"), ["Springfield Clinic", "Good Health Hospital"]);
        assert_eq!(found("good,spring"), ["Springfield Clinic", "Good Health Hospital"]);
        assert_eq!(found("healthview"), ["Good Health Hospital"]);
        assert_eq!(found("zür"), ["Zürich Spital"]);
        assert_eq!(found("01101 ghh"), ["Good Health Hospital"]);
        assert_eq!(found("ealth"), [""; 0]);
        assert_eq!(found("  ").len(), 3);
    }
}
