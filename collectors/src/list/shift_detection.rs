//! Whether a list shifted while it was read.
//!
//! Pages are numbered places in a list. When an item in front goes, those behind move up, and one
//! that moves from the page to be read next to the one just read is on no page that is read. The list
//! did not shift when every page gave the same number of items and no item changed after the
//! reading began: an item that goes makes the number smaller, and one that comes, or moves to a
//! place that is still to be read, is met there with a time after the begin.

use chrono::{DateTime, Utc};

use crate::endpoint::Endpoint;
use crate::key::field;
use crate::page::Items;

/// Between a walk's question and what is noted of its steadiness.
const MARK: &str = " size=";

/// Between that and how many items came.
const ITEMS_SEEN: &str = " brought=";

/// What is known of one reading so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ShiftDetection {
    pages: u64,
    /// What the first page said.
    size: Option<u64>,
    moved: bool,
    /// Different items that came.
    items_seen: u64,
}

impl ShiftDetection {
    /// What was noted of an interrupted walk with the same question.
    pub(super) fn resumed(noted: Option<&str>, question: &str) -> Self {
        let rest = noted.and_then(|noted| noted.strip_prefix(question)?.strip_prefix(MARK));
        let rest = rest.map(|rest| rest.split_once(ITEMS_SEEN).unwrap_or((rest, "")));
        Self {
            pages: 1,
            size: rest.and_then(|(size, _)| size.parse().ok()),
            moved: false,
            items_seen: rest.map_or(0, |(_, brought)| brought.parse().unwrap_or_default()),
        }
    }

    /// A question with what is known so far, for whoever resumes the walk.
    pub(super) fn noted(self, question: &str) -> String {
        let items_seen = self.items_seen;
        match self.size.filter(|_| !self.moved) {
            Some(size) => format!("{question}{MARK}{size}{ITEMS_SEEN}{items_seen}"),
            // Whoever resumes it finds no number, and takes it for unsteady.
            None => format!("{question}{MARK}{ITEMS_SEEN}{items_seen}"),
        }
    }

    /// Different items of the pages before.
    pub(super) fn items_seen(self) -> u64 {
        self.items_seen
    }

    /// Notes how many different items have come.
    pub(super) fn brings(&mut self, items_seen: u64) {
        self.items_seen = items_seen;
    }

    /// Looks at a page of a reading that began at this time.
    pub(super) fn page(&mut self, items: &Items, endpoint: &Endpoint, began: DateTime<Utc>) {
        self.pages += 1;
        if self.pages == 1 {
            self.size = items.size;
        }
        self.moved |= items.size.is_none() || items.size != self.size;
        if self.pages == 1 && items.next.is_none() && items.next_number.is_none() {
            return;
        }
        let mut changes = items
            .items
            .iter()
            .filter_map(|item| changed_at(&item.0, endpoint));
        self.moved |= changes.any(|at| at >= began);
    }

    /// True when nothing can have been missed. A single page is read at one moment.
    pub(super) fn is_steady(self) -> bool {
        self.pages <= 1 || !self.moved
    }
}

/// The question of an interrupted walk, as it was noted.
pub(super) fn question(noted: &str) -> &str {
    noted
        .split_once(MARK)
        .map_or(noted, |(question, _)| question)
}

/// When the item last changed, by the field that the list is filtered by (UTC).
pub(super) fn changed_at(data: &[u8], endpoint: &Endpoint) -> Option<DateTime<Utc>> {
    let text = field(data, &[endpoint.since?.field])?;
    endpoint.dialect.times.read(&text)
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::pull_request::PullRequests;
    use headwater_domain::tool::bitbucket::tag::Tags;

    use super::*;
    use crate::endpoint::Collect;
    use crate::page::RawItem;

    fn second(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
    }

    fn page(size: Option<u64>, changed: i64, last: bool) -> Items {
        let data = format!(r#"{{"updated_on": "{}"}}"#, second(changed).to_rfc3339());
        Items {
            items: vec![RawItem(data.into_bytes())],
            next: (!last).then(|| "next".to_owned()),
            next_number: None,
            size,
        }
    }

    fn is_steady(pages: &[Items]) -> bool {
        let mut shift_detection = ShiftDetection::default();
        for page in pages {
            shift_detection.page(page, &PullRequests::ENDPOINT, second(0));
        }
        shift_detection.is_steady()
    }

    #[test]
    fn what_moves_a_list_shows_in_its_size_or_in_a_late_item() {
        let cases = [
            ("one page", vec![page(None, 5, true)], true),
            (
                "nothing moved",
                vec![page(Some(9), -1, false), page(Some(9), -1, true)],
                true,
            ),
            (
                "one went",
                vec![page(Some(9), -1, false), page(Some(8), -1, true)],
                false,
            ),
            (
                "one went and another one came behind",
                vec![page(Some(9), -1, false), page(Some(9), 0, true)],
                false,
            ),
            (
                "no size",
                vec![page(None, -1, false), page(None, -1, true)],
                false,
            ),
        ];
        for (name, pages, expected) in cases {
            assert_eq!(is_steady(&pages), expected, "{name}");
        }
    }

    #[test]
    fn an_interrupted_walk_remembers_the_size_it_met() {
        let mut before = ShiftDetection::default();
        before.page(&page(Some(9), -1, false), &Tags::ENDPOINT, second(0));
        let noted = before.noted("all");
        assert_eq!(question(&noted), "all");
        for (size, expected) in [(Some(9), true), (Some(8), false), (None, false)] {
            let mut after = ShiftDetection::resumed(Some(&noted), "all");
            after.page(&page(size, -1, true), &Tags::ENDPOINT, second(0));
            assert_eq!(after.is_steady(), expected, "{size:?}");
        }
        let mut unknown = ShiftDetection::resumed(Some("all"), "all");
        unknown.page(&page(Some(9), -1, true), &Tags::ENDPOINT, second(0));
        assert!(!unknown.is_steady());
    }
}
