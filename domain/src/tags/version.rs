//! The version in the name of a tag, and what comes before it.

use std::cmp::Ordering;
use std::fmt;

/// A version of two to four numbers, with what semantic versioning allows behind them. Compared
/// number by number, where one that is missing counts as 0; what follows a `+` has no weight.
#[derive(Clone, Debug)]
pub struct TagVersion {
    text: String,
    numbers: Vec<u64>,
    /// Identifiers of a pre-release; none of a release.
    prerelease: Vec<String>,
}

/// Why a name holds no version. The text is the part of the name that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoVersion {
    /// There is no number where a version could begin.
    #[error("{0:?} does not begin with a number (`tag_prefixes` names what may stand before it)")]
    NoNumber(String),
    /// Too few numbers, or too many.
    #[error(
        "{text:?} has {count}, and a version has two to four, such as 1.2.0",
        count = numbers(*.count)
    )]
    Numbers {
        /// The version part of the name.
        text: String,
        /// How many there are.
        count: usize,
    },
    /// Something else that no version has.
    #[error("{text:?}: {reason}")]
    Malformed {
        /// The version part of the name.
        text: String,
        /// What is wrong, and where.
        reason: String,
    },
}

fn numbers(count: usize) -> String {
    match count {
        1 => "one number".to_owned(),
        _ => format!("{count} numbers"),
    }
}

/// What the numbers of a version are called in messages.
const NAMES: [&str; 4] = ["major", "minor", "patch", "fourth"];

impl TagVersion {
    /// Finds the version in a tag's name, and what comes before it without a `v`.
    ///
    /// A configured prefix says where the version begins; of several that fit, the longest. Else
    /// the version is the first text that is one and begins a word, as in `widget/v1.2.0`,
    /// `pkg@1.2.0` and `name-1.2.0`, or that follows the letters the name begins with, as in
    /// `go1.21`.
    ///
    /// # Errors
    /// When the name holds no version, with the reason.
    pub fn of_tag<'n>(name: &'n str, prefixes: &[String]) -> Result<(&'n str, Self), NoVersion> {
        let mut failure = None;
        for start in starts(name, prefixes) {
            match Self::parse(&name[start..]) {
                Ok(version) => return Ok((before(name, start, prefixes), version)),
                Err(reason) => {
                    failure.get_or_insert(reason);
                }
            }
        }
        let rest = &name[configured(name, prefixes).unwrap_or_default()..];
        Err(failure.unwrap_or_else(|| NoVersion::NoNumber(rest.to_owned())))
    }

    /// Reads a text that is a version from its first byte to its last.
    fn parse(text: &str) -> Result<Self, NoVersion> {
        let malformed = |reason| NoVersion::Malformed {
            text: text.to_owned(),
            reason,
        };
        let end = text.find(['-', '+']).unwrap_or(text.len());
        let numbers = read_numbers(&text[..end]).map_err(malformed)?;
        if !(2..=NAMES.len()).contains(&numbers.len()) {
            return Err(NoVersion::Numbers {
                text: text.to_owned(),
                count: numbers.len(),
            });
        }
        let (prerelease, build) = match text[end..].split_once('+') {
            Some((prerelease, build)) => (prerelease, Some(build)),
            None => (&text[end..], None),
        };
        let prerelease = match prerelease.strip_prefix('-') {
            Some(list) => identifiers(list, "pre-release identifier").map_err(malformed)?,
            None => Vec::new(),
        };
        if let Some(build) = build {
            identifiers(build, "build metadata").map_err(malformed)?;
        }
        Ok(Self {
            text: text.to_owned(),
            numbers,
            prerelease,
        })
    }

    /// Whether it comes before its release, as `1.0.0-rc.1` does.
    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }
}

/// What comes before the first number that begins a word, without a `v`: the series of a name
/// that holds no version. A configured prefix goes before; empty where there is neither.
pub(super) fn before_first_number<'n>(name: &'n str, prefixes: &[String]) -> &'n str {
    if let Some(end) = configured(name, prefixes) {
        return &name[..end];
    }
    let start = words(name).next().unwrap_or_default();
    before(name, start, prefixes)
}

/// Where the longest configured prefix that fits a name ends.
fn configured(name: &str, prefixes: &[String]) -> Option<usize> {
    let fitting = prefixes.iter().filter(|prefix| name.starts_with(*prefix));
    fitting.map(String::len).max()
}

/// Places of a name where a version may begin, the likeliest first.
fn starts<'n>(name: &'n str, prefixes: &[String]) -> impl Iterator<Item = usize> + use<'n> {
    let configured = configured(name, prefixes).map(|end| {
        let has_v = name[end..].starts_with(['v', 'V']);
        end + usize::from(has_v)
    });
    let configured = configured.filter(|&start| name[start..].starts_with(is_digit));
    let first_digit = name.find(is_digit);
    let behind_letters = first_digit.filter(|&place| follows_letters(&name[..place]));
    configured
        .into_iter()
        .chain(words(name))
        .chain(behind_letters)
}

/// Places of a name where a number begins a word.
fn words(name: &str) -> impl Iterator<Item = usize> + use<'_> {
    name.char_indices()
        .filter(|(_, own)| is_digit(*own))
        .map(|(place, _)| place)
        .filter(move |&place| begins_word(&name[..place]))
}

fn is_digit(one: char) -> bool {
    one.is_ascii_digit()
}

/// Whether a number behind this text begins a word: there is nothing before it but a `v`, a
/// separator, or both. A dot between two numbers is none.
fn begins_word(before: &str) -> bool {
    let separates = |text: &str| {
        let mut last = text.chars().rev();
        match last.next() {
            None => true,
            Some('.') => !last.next().is_some_and(is_digit),
            Some(own) => !own.is_alphanumeric(),
        }
    };
    separates(before) || before.strip_suffix(['v', 'V']).is_some_and(separates)
}

/// Whether this text ends in letters of which it is clear that they are no part of the version.
fn follows_letters(before: &str) -> bool {
    before.ends_with(char::is_alphabetic) && !before.ends_with(['v', 'V'])
}

/// What comes before a version that begins at a place, without its `v`.
fn before<'n>(name: &'n str, start: usize, prefixes: &[String]) -> &'n str {
    if let Some(end) = configured(name, prefixes)
        && (end == start || name[end..start].eq_ignore_ascii_case("v"))
    {
        return &name[..end];
    }
    let before = &name[..start];
    match before.strip_suffix(['v', 'V']) {
        Some(rest) if begins_word(before) => rest,
        _ => before,
    }
}

/// The numbers of a version, between dots.
fn read_numbers(text: &str) -> Result<Vec<u64>, String> {
    let mut numbers = Vec::new();
    let mut rest = text;
    loop {
        let name = NAMES.get(numbers.len()).copied().unwrap_or("next");
        let end = rest.find(|own| !is_digit(own)).unwrap_or(rest.len());
        let (digits, behind) = rest.split_at(end);
        if digits.is_empty() {
            return Err(match behind.chars().next() {
                Some(own) => {
                    format!("unexpected character {own:?} while parsing {name} version number")
                }
                None => format!("unexpected end of input while parsing {name} version number"),
            });
        }
        let number = digits.parse();
        numbers
            .push(number.map_err(|_| format!("value of {name} version number exceeds u64::MAX"))?);
        match behind.chars().next() {
            None => return Ok(numbers),
            Some('.') => rest = &behind[1..],
            Some(own) => {
                return Err(format!(
                    "unexpected character {own:?} after {name} version number"
                ));
            }
        }
    }
}

/// The identifiers of a pre-release or a build, between dots.
fn identifiers(list: &str, what: &str) -> Result<Vec<String>, String> {
    let is_allowed = |own: char| own.is_ascii_alphanumeric() || own == '-';
    let read = list.split('.').map(|one| {
        if one.is_empty() {
            return Err(format!("empty identifier segment in {what}"));
        }
        match one.chars().find(|own| !is_allowed(*own)) {
            Some(own) => Err(format!("unexpected character {own:?} in {what}")),
            None => Ok(one.to_owned()),
        }
    });
    read.collect()
}

/// Compares digits by the number they write, however long they are.
pub(super) fn by_number(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// Compares identifiers of pre-releases: numbers by size, and before letters.
fn by_identifier(left: &str, right: &str) -> Ordering {
    let is_number = |text: &str| text.chars().all(is_digit);
    match (is_number(left), is_number(right)) {
        (true, true) => by_number(left, right),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => left.cmp(right),
    }
}

impl fmt::Display for TagVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl Ord for TagVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        let number = |of: &Self, place: usize| of.numbers.get(place).copied().unwrap_or_default();
        let numbers = (0..NAMES.len())
            .map(|place| number(self, place).cmp(&number(other, place)))
            .find(|order| order.is_ne());
        let releases = other.is_prerelease().cmp(&self.is_prerelease());
        let of_prerelease = || {
            let both = self.prerelease.iter().zip(&other.prerelease);
            let first = both.map(|(left, right)| by_identifier(left, right));
            let lengths = self.prerelease.len().cmp(&other.prerelease.len());
            let differs = first.into_iter().find(|order| order.is_ne());
            differs.unwrap_or(lengths)
        };
        numbers.unwrap_or(releases).then_with(of_prerelease)
    }
}

impl PartialOrd for TagVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for TagVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for TagVersion {}
