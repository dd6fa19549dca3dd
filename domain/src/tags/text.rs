//! Names in the order in which people read them.

use std::cmp::Ordering;

use super::version::by_number;

/// Compares two names by their bytes, but numbers in them by size: `7.2` comes before `7.19`.
/// Names that differ in leading zeros alone are distinguished by their bytes.
pub(super) fn by_text(left: &str, right: &str) -> Ordering {
    let (mut one, mut other) = (left, right);
    loop {
        let (first, second) = (split_number(one), split_number(other));
        let order = if let (false, false) = (first.0.is_empty(), second.0.is_empty()) {
            by_number(first.0, second.0)
        } else {
            let (one, other) = (one.chars().next(), other.chars().next());
            let order = one.cmp(&other);
            if order.is_eq() && one.is_none() {
                return left.cmp(right);
            }
            order
        };
        if order.is_ne() {
            return order;
        }
        (one, other) = (first.1, second.1);
    }
}

/// The number that a text begins with and the rest; without one the rest behind one character.
fn split_number(text: &str) -> (&str, &str) {
    let end = text.find(|own: char| !own.is_ascii_digit());
    let (number, rest) = text.split_at(end.unwrap_or(text.len()));
    if !number.is_empty() {
        return (number, rest);
    }
    let first = rest.chars().next().map_or(0, char::len_utf8);
    (number, &rest[first..])
}
