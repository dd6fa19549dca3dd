//! How Bitbucket Cloud 2.0 spells pages, filters, times and errors.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use super::removed;
use crate::dialect::{ApiError, Dialect, Pages, Refused, Times};
use crate::endpoint::Since;
use crate::error::RequestErrorKind;

/// What to do about a 401.
const REFUSED: &str = "for an API token check the e-mail address, the token and its expiry date; \
                       app passwords no longer work since 2026-07-28, create an API token instead";

/// The API of Bitbucket Cloud.
pub static DIALECT: Dialect = Dialect {
    pages: Pages::Linked,
    times: Times::Rfc3339,
    filter,
    error,
    refusal,
    user_path: "user",
};

/// `q=<field>>=<time> AND <field><<time>`, with whole seconds.
fn filter(
    since: Since,
    from: Option<DateTime<Utc>>,
    before: Option<DateTime<Utc>>,
) -> Option<(&'static str, String)> {
    let condition = |sign: &str, time: DateTime<Utc>| {
        // `Z` instead of an offset: a plus sign would need escaping twice on some servers.
        let time = time.to_rfc3339_opts(SecondsFormat::Secs, true);
        format!("{}{sign}{time}", since.field)
    };
    let from = from.map(|time| condition(">=", time));
    let conditions = from
        .into_iter()
        .chain(before.map(|time| condition("<", time)));
    let conditions: Vec<String> = conditions.collect();
    (!conditions.is_empty()).then(|| ("q", conditions.join(" AND ")))
}

/// `{"error": {"message": "...", "detail": {"required": [...], "granted": [...]}}}`.
fn error(body: &[u8]) -> ApiError {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = &json["error"];
    ApiError {
        message: error["message"].as_str().map(str::to_owned),
        required: words(&error["detail"]["required"]),
        granted: words(&error["detail"]["granted"]),
        change: removed::change(&json),
    }
}

/// Names in a list, or in one text.
fn words(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => {
            let words = list.iter().filter_map(Value::as_str);
            words.map(str::to_owned).collect()
        }
        Value::String(text) => {
            let words = text.split([',', ' ']).filter(|word| !word.is_empty());
            words.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

fn refusal(refused: &Refused<'_>) -> RequestErrorKind {
    let error = error(refused.body);
    let message = refused.message(&error);
    if refused.status == 410 {
        return RequestErrorKind::Gone {
            message,
            change: error.change,
            replacement: removed::replacement(refused.endpoint, refused.url),
        };
    }
    refused.kind(message, REFUSED)
}
