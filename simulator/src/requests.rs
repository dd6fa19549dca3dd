//! The log of requests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// One request as it arrived, and what it got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// Its place among all requests, from 1.
    pub number: u64,
    /// `GET`, mostly.
    pub method: String,
    /// The path as it was sent, `/2.0/...`.
    pub path: String,
    /// The query string as it was sent, without the question mark.
    pub query: String,
    /// The status of the response; 0 while there is none.
    pub status: u16,
    /// The fault it was given, by name; several are joined by ` + `.
    pub fault: Option<String>,
}

impl RequestRecord {
    /// Path and query as they were sent.
    #[must_use]
    pub fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }

    /// Whether it asks for a page after the first one.
    #[must_use]
    pub fn is_continuation(&self) -> bool {
        let query = crate::cloud::Query::parse(&self.query);
        query.get("ctx").is_some() || query.get("page").is_some_and(|page| page != "1")
    }
}

/// Requests in the order of arrival. Counting goes on when recording is off.
#[derive(Debug)]
pub(crate) struct Log {
    count: AtomicU64,
    records: Option<Mutex<Vec<RequestRecord>>>,
}

impl Log {
    pub(crate) fn new(recording: bool) -> Log {
        Log {
            count: AtomicU64::new(0),
            records: recording.then(Mutex::default),
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Gives the request its number.
    pub(crate) fn arrival(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn is_recording(&self) -> bool {
        self.records.is_some()
    }

    pub(crate) fn record(&self, record: &RequestRecord) {
        self.with(|records| records.push(record.clone()));
    }

    /// Fills in the status, unless the record has been taken meanwhile.
    pub(crate) fn answered(&self, number: u64, status: u16) {
        self.amend(number, |record| record.status = status);
    }

    /// Fills in what went wrong on purpose.
    pub(crate) fn misbehaved(&self, number: u64, fault: String) {
        self.amend(number, |record| record.fault = Some(fault));
    }

    fn amend(&self, number: u64, change: impl FnOnce(&mut RequestRecord)) {
        self.with(|records| {
            // Recent requests are at the end, though not always in the order of their numbers.
            let found = records
                .iter_mut()
                .rev()
                .find(|record| record.number == number);
            if let Some(record) = found {
                change(record);
            }
        });
    }

    pub(crate) fn all(&self) -> Vec<RequestRecord> {
        self.with(|records| records.clone()).unwrap_or_default()
    }

    pub(crate) fn take(&self) -> Vec<RequestRecord> {
        self.with(std::mem::take).unwrap_or_default()
    }

    fn with<T>(&self, use_records: impl FnOnce(&mut Vec<RequestRecord>) -> T) -> Option<T> {
        let records = self.records.as_ref()?;
        Some(use_records(
            &mut records.lock().unwrap_or_else(PoisonError::into_inner),
        ))
    }
}
