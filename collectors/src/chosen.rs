//! Which parents' lists are read, where the rules of a scope want some alone, and in which order.

use headwater_domain::rules::Rules;

/// What decides whether a parent's list is read, and when.
#[derive(Clone, Copy, Debug)]
pub struct Chosen {
    /// A stream of which each item may name a parent. It is collected before the parents' lists are.
    pub stream: &'static str,
    /// Field of that item: the key of the parent.
    pub field: &'static [&'static str],
    /// Field of the parent with the time at which it was created: lists of the latest parents are
    /// read first.
    pub created: &'static [&'static str],
    /// Fields of the parent that are its names, for rules that look at them.
    pub names: &'static [&'static [&'static str]],
    /// The rule, as a hash of its text; empty where the lists of all parents are read.
    pub fingerprint: fn(&Rules) -> String,
    /// Whether the rule looks at names.
    pub looks_at_names: fn(&Rules) -> bool,
    /// Whether a parent's list is read: one that an item of the stream names or not, and with these
    /// names.
    pub wants: fn(&Rules, bool, &[String]) -> bool,
}
