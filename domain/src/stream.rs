//! A stream: one kind of record of one source.

/// The name of a kind of record, shared by every stage that handles it.
pub trait Stream {
    /// Source the stream belongs to, as raw table names spell it.
    const SOURCE: &'static str;
    /// Plural name, unique within the source.
    const NAME: &'static str;
    /// What one item is, as a sentence.
    const DESCRIBES: &'static str;
    /// True when the items are a workspace's, and not those of one of its repositories.
    const OF_WORKSPACE: bool = false;

    /// Table that holds the stream's items as received.
    #[must_use]
    fn raw_table() -> String {
        format!("_raw_{}_api_{}", Self::SOURCE, Self::NAME)
    }
}
