//! Children that the items of another stream carry.

/// Another stream that hangs on the same parents, and whose items carry children: where that is
/// proved they are taken from there.
#[derive(Clone, Copy, Debug)]
pub struct Carried {
    /// The other stream. It is collected before.
    pub stream: &'static str,
    /// Member of an item of the other stream that is a child, as the parent's list would give it.
    pub member: &'static str,
    /// Field of a child that is the key of another one, which it answers.
    pub answers: &'static [&'static str],
    /// A child of which this flag is true is not among those that its parent counts.
    pub uncounted: &'static [&'static str],
}
