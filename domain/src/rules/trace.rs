//! What a rule looked at, and what it found there.

/// One look of a rule at a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceEntry<'a> {
    /// Column that the rule decides, such as `type`.
    pub decides: &'static str,
    /// The rule, as the configuration names it, or the word of Bitbucket's that is one.
    pub rule: &'static str,
    /// What the text is.
    pub subject: &'static str,
    /// The text; empty where there is none.
    pub text: &'a str,
    /// What came of it.
    pub found: Finding<'a>,
}

/// What came of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding<'a> {
    /// The pattern matches.
    Matched {
        /// The pattern as written.
        pattern: &'a str,
        /// What that gives.
        gives: &'a str,
    },
    /// This pattern does not match.
    Missed(&'a str),
    /// Bitbucket has what the rule asks for; what that gives.
    There(&'a str),
    /// The list has the word; what that gives.
    Listed(&'a str),
    /// The list does not have the word.
    Unlisted,
    /// The word is one that the rule knows; what it gives.
    Told(&'a str),
    /// There is no word, or none that the rule knows.
    Untold,
    /// The rule is not configured.
    Unset,
    /// An earlier rule had decided, so this one was not asked.
    Decided,
}

/// Receives what each rule looked at.
pub type Trace<'l, 'a> = &'l mut (dyn FnMut(TraceEntry<'a>) + 'l);

/// Drops what rules looked at.
pub fn untraced(_: TraceEntry<'_>) {}

impl<'a> Finding<'a> {
    /// A match of this pattern.
    #[must_use]
    pub fn matched(pattern: &'a str, gives: &'a str) -> Self {
        Self::Matched { pattern, gives }
    }

    /// `yes` or `no`; empty where the rule was not asked.
    #[must_use]
    pub fn matches(self) -> &'static str {
        match self {
            Self::Matched { .. } | Self::There(_) | Self::Listed(_) | Self::Told(_) => "yes",
            Self::Missed(_) | Self::Unlisted | Self::Untold => "no",
            Self::Unset | Self::Decided => "",
        }
    }

    /// What the rule gives; empty where it gives nothing.
    #[must_use]
    pub fn gives(self) -> &'a str {
        match self {
            Self::Matched { gives, .. }
            | Self::There(gives)
            | Self::Listed(gives)
            | Self::Told(gives) => gives,
            _ => "",
        }
    }

    /// Why it matches or does not, in a sentence without an end.
    #[must_use]
    pub fn why(self, text: &str) -> String {
        match self {
            Self::Matched { pattern, .. } => format!("{pattern} matches"),
            Self::Missed(pattern) => format!("{pattern} does not match"),
            Self::There(_) => "there is one".to_owned(),
            Self::Listed(_) => "the list has it".to_owned(),
            Self::Unlisted => "not in the list".to_owned(),
            Self::Told(_) => "a word that is known".to_owned(),
            Self::Untold if text.is_empty() => "there is none".to_owned(),
            Self::Untold => "no word that is known".to_owned(),
            Self::Unset => "not configured".to_owned(),
            Self::Decided => "not asked: an earlier rule has decided".to_owned(),
        }
    }
}

/// Takes what a rule without a pattern says, unless an earlier rule has decided.
pub fn decide<'a>(
    decided: &mut Option<&'static str>,
    told: Option<&'static str>,
    log: Trace<'_, 'a>,
    entry: impl Fn(Finding<'a>) -> TraceEntry<'a>,
) {
    let found = match (&decided, told) {
        (Some(_), _) => Finding::Decided,
        (None, Some(word)) => Finding::Told(word),
        (None, None) => Finding::Untold,
    };
    log(entry(found));
    *decided = decided.or(told);
}
