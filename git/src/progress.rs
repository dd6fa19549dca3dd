//! How far a transfer is.

/// How far a transfer is, as git reports it about once a second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is done, in git's words, such as `Receiving objects`.
    pub phase: String,
    /// How many objects or deltas are done.
    pub done: u64,
    /// Of how many; none while that is not known.
    pub total: Option<u64>,
}

impl Progress {
    /// Reads `Receiving objects:  42% (42/100), 1.2 MiB | 1 MiB/s` and `Enumerating objects: 5`;
    /// none if the line is no progress.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let line = line.strip_prefix("remote: ").unwrap_or(line);
        let (phase, rest) = line.split_once(": ")?;
        let rest = rest.trim_start();
        let wordy = |c: char| c.is_ascii_alphabetic() || c == ' ' || c == '-';
        if phase.is_empty() || !phase.chars().all(wordy) {
            return None;
        }
        let (done, total) = match rest.split_once("% (") {
            Some((percent, counts)) => {
                percent.parse::<u8>().ok()?;
                let (done, total) = counts.split_once(')')?.0.split_once('/')?;
                (done.parse().ok()?, Some(total.parse().ok()?))
            }
            None => (rest.split(',').next()?.trim().parse().ok()?, None),
        };
        Some(Self {
            phase: phase.to_owned(),
            done,
            total,
        })
    }
}
