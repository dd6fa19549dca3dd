//! What a stream must say to be extracted.

use headwater_domain::rules::Rules;
use headwater_domain::{Item, Rows, Stream, Table, surrogates};
use serde::de::DeserializeOwned;

/// Extraction of one stream: a payload in, rows out.
pub trait Extract: Stream {
    /// The part of the JSON that is used.
    type Payload: DeserializeOwned;

    /// Raise it when the mapping changes: everything is extracted again, offline.
    const VERSION: u32 = 1;

    /// Every table that [`Extract::extract`] adds rows to.
    fn tables() -> Vec<&'static Table>;

    /// The part of the scope's rules that the mapping looks at, as text: when it changes,
    /// everything is extracted again, offline. [`Item::rules`] hands the rules to the mapping.
    #[must_use]
    fn fingerprint(_: &Rules) -> String {
        String::new()
    }

    /// Turns one payload into rows. Pure: no clock, no database, no failure.
    fn extract(item: &Item<'_>, payload: Self::Payload, rows: &mut Rows);
}

/// Why a payload could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPayload {
    /// Place in the JSON, such as `author.links.html`; the column, where a key is too long for it.
    pub path: String,
    /// What was wrong there.
    pub message: String,
}

/// An [`Extract`] as the engine sees it, whatever its payload.
pub struct Extraction {
    /// Name of the stream.
    pub stream: &'static str,
    /// Raw table it reads.
    pub raw_table: String,
    /// Version of the mapping.
    pub version: u32,
    /// Tables it writes.
    pub tables: Vec<&'static Table>,
    pub(crate) fingerprint: fn(&Rules) -> String,
    pub(crate) extract: fn(&Item<'_>, &[u8], &mut Rows) -> Result<(), BadPayload>,
}

impl Extraction {
    /// The extraction of a stream.
    #[must_use]
    pub fn of<S: Extract>() -> Self {
        Self {
            stream: S::NAME,
            raw_table: S::raw_table(),
            version: S::VERSION,
            tables: S::tables(),
            fingerprint: S::fingerprint,
            extract: extract::<S>,
        }
    }

    /// Name of the step in checkpoints.
    #[must_use]
    pub fn step(&self) -> String {
        format!("extract:{}", self.stream)
    }
}

fn extract<S: Extract>(item: &Item<'_>, data: &[u8], rows: &mut Rows) -> Result<(), BadPayload> {
    let data = &*surrogates::mended(data);
    let payload = serde_json::from_slice(data).or_else(|_| read_with_path(data))?;
    S::extract(item, payload, rows);
    let Some(refused) = rows.take_refused() else {
        return Ok(());
    };
    rows.undo();
    Err(BadPayload {
        message: refused.to_string(),
        path: refused.place().to_owned(),
    })
}

/// Reads again, slowly, to say where the payload is wrong.
fn read_with_path<P: DeserializeOwned>(data: &[u8]) -> Result<P, BadPayload> {
    let text = String::from_utf8_lossy(data);
    let mut json = serde_json::Deserializer::from_str(&text);
    serde_path_to_error::deserialize(&mut json).map_err(|error| BadPayload {
        path: error.path().to_string(),
        message: error.inner().to_string().chars().take(300).collect(),
    })
}
