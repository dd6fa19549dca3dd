//! Times as every table stores them: UTC, whole milliseconds.

use chrono::{DateTime, Datelike, NaiveDateTime, Timelike, Utc};

/// Cuts a time to whole milliseconds, the precision every database keeps.
#[must_use]
pub fn to_milliseconds(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(time.timestamp_millis()).unwrap_or(time)
}

/// Fixed-width text that sorts like the time: `2023-02-20T09:38:47.203+00:00`.
#[must_use]
pub fn to_text(time: DateTime<Utc>) -> String {
    fixed_text(time, 'T')
}

/// The same with a space between day and hour, as it is stored in an SQLite file: so it compares
/// with what SQLite's own `datetime()` writes.
#[must_use]
pub fn to_stored_text(time: DateTime<Utc>) -> String {
    fixed_text(time, ' ')
}

/// What [`to_text`] writes for the time that [`to_stored_text`] wrote as this text; none of any
/// other text.
#[must_use]
pub fn of_stored_text(text: &str) -> Option<String> {
    let is_stored = text.as_bytes().get(10) == Some(&b' ');
    fixed_width(text.as_bytes())
        .filter(|_| is_stored)
        .map(to_text)
}

fn fixed_text(time: DateTime<Utc>, before_hour: char) -> String {
    // By hand: this runs several times for every row, and a format string is read each time.
    let mut text = String::with_capacity(29);
    let year = u32::try_from(time.year()).unwrap_or_default();
    digits(&mut text, year, 4);
    for (separator, number) in [
        ('-', time.month()),
        ('-', time.day()),
        (before_hour, time.hour()),
        (':', time.minute()),
        (':', time.second()),
    ] {
        text.push(separator);
        digits(&mut text, number, 2);
    }
    text.push('.');
    digits(&mut text, time.timestamp_subsec_millis(), 3);
    text.push_str("+00:00");
    text
}

/// Reads what [`to_text`] and [`to_stored_text`] write, and other forms of RFC 3339.
#[must_use]
pub fn from_text(text: &str) -> Option<DateTime<Utc>> {
    // By hand: this runs for every time of every row that is read.
    fixed_width(text.as_bytes()).or_else(|| rfc3339(text))
}

fn fixed_width(text: &[u8]) -> Option<DateTime<Utc>> {
    let (text, zone) = text.split_at_checked(23)?;
    let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':'), (19, b'.')];
    let is_separated = separators.iter().all(|(place, byte)| text[*place] == *byte);
    let is_separated = is_separated && matches!(text[10], b'T' | b' ');
    if zone != b"+00:00" || !is_separated {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        text[range].iter().try_fold(0, |number, byte| {
            byte.is_ascii_digit()
                .then(|| number * 10 + u32::from(byte - b'0'))
        })
    };
    let year = i32::try_from(number(0..4)?).ok()?;
    let day = chrono::NaiveDate::from_ymd_opt(year, number(5..7)?, number(8..10)?)?;
    let (hour, minute) = (number(11..13)?, number(14..16)?);
    let time = day.and_hms_milli_opt(hour, minute, number(17..19)?, number(20..23)?)?;
    Some(time.and_utc())
}

/// Reads the forms that Bitbucket, its recordings and database exports use, in whole milliseconds.
/// Times before the year 1000, which MariaDB does not store, or after 9999 are no times.
#[must_use]
pub fn parse(text: &str) -> Option<DateTime<Utc>> {
    storable(any_form(text)?)
}

/// Reads milliseconds since 1970, as Bitbucket Data Center writes times, or text as newer versions
/// of it do. Years are limited as those of [`parse`] are.
#[must_use]
pub fn milliseconds_or_text(text: &str) -> Option<DateTime<Utc>> {
    match text.parse() {
        Ok(milliseconds) => storable(DateTime::from_timestamp_millis(milliseconds)?),
        Err(_) => parse(text),
    }
}

/// Reads RFC 3339 and nothing else, to whatever precision it is written (UTC).
#[must_use]
pub fn rfc3339(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(time.with_timezone(&Utc))
}

fn storable(time: DateTime<Utc>) -> Option<DateTime<Utc>> {
    // Cut first: a leap second becomes the next one, and that may be another year's.
    let time = to_milliseconds(time);
    (1000..=9999).contains(&time.year()).then_some(time)
}

fn any_form(text: &str) -> Option<DateTime<Utc>> {
    if let Some(time) = rfc3339(text) {
        return Some(time);
    }
    for form in [
        "%Y-%m-%dT%H:%M:%S%.f%z",
        "%Y-%m-%d %H:%M:%S%.f%z",
        "%Y-%m-%d %H:%M:%S%.f%#z",
    ] {
        if let Ok(time) = DateTime::parse_from_str(text, form) {
            return Some(time.with_timezone(&Utc));
        }
    }
    for form in [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
    ] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, form) {
            return Some(time.and_utc());
        }
    }
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(day.and_hms_opt(0, 0, 0)?.and_utc())
}

fn digits(text: &mut String, number: u32, width: u32) {
    for place in (0..width).rev() {
        let digit = number / 10u32.pow(place) % 10;
        text.push(char::from_digit(digit, 10).unwrap_or('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_form_of_a_time_is_read() {
        let cases = [
            (
                "2022-06-17T03:27:18.865328+00:00",
                "2022-06-17T03:27:18.865Z",
            ),
            ("2022-06-17T08:58:19.14397Z", "2022-06-17T08:58:19.143Z"),
            ("2022-06-17T11:27:18+0800", "2022-06-17T03:27:18Z"),
            ("2022-06-17 03:27:18.865", "2022-06-17T03:27:18.865Z"),
            ("2022-06-17 03:27", "2022-06-17T03:27:00Z"),
            ("2022-06-17", "2022-06-17T00:00:00Z"),
        ];
        for (text, expected) in cases {
            let expected: DateTime<Utc> = expected.parse().unwrap();
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["yesterday", "2022-13-01", "12", "2022-06-17T25:00:00Z"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_year_that_no_database_can_store_is_refused() {
        for text in [
            "+12345-01-01",
            "-0044-03-15",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+01:00",
            "0999-12-31T23:59:59.999Z",
            "9999-12-31T23:59:59-12:00",
            "9999-12-31T23:59:60Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        for text in ["1000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"] {
            assert!(parse(text).is_some(), "{text}");
        }
    }

    #[test]
    fn milliseconds_are_a_number_and_newer_servers_write_text() {
        for (text, expected) in [
            ("1359075920123", Some("2013-01-25T01:05:20.123Z")),
            ("0", Some("1970-01-01T00:00:00Z")),
            ("2026-08-19T17:27:55.266Z", Some("2026-08-19T17:27:55.266Z")),
            ("2019-03-01T10:37:14+0100", Some("2019-03-01T09:37:14Z")),
            ("253402300800000", None),
            ("9223372036854775807", None),
            ("9223372036854775808", None),
            ("1.5", None),
            ("", None),
        ] {
            let expected = expected.map(|text| text.parse::<DateTime<Utc>>().unwrap());
            assert_eq!(milliseconds_or_text(text), expected, "{text}");
        }
    }

    #[test]
    fn the_text_is_what_the_format_string_would_give() {
        for (second, nanos) in [
            (0, 0),
            (1_676_885_927, 203_999_999),
            (253_402_300_799, 1),
            (59, 7_000_000),
        ] {
            let time = DateTime::from_timestamp(second, nanos).unwrap();
            let expected = time.format("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string();
            assert_eq!(to_text(time), expected);
        }
    }

    #[test]
    fn what_is_written_is_read_and_so_are_other_forms_of_the_standard() {
        for text in [
            "2024-02-29T23:59:59.999+00:00",
            "0001-01-01T00:00:00.000+00:00",
            "9999-12-31T23:59:59.999+00:00",
            "1969-12-31T23:59:59.001+00:00",
            "2024-02-29T23:59:59Z",
            "2024-02-29T23:59:59.9+01:00",
            "2016-12-31T23:59:60.500+00:00",
            "2023-02-29T00:00:00.000+00:00",
            "2024-02-29T24:00:00.000+00:00",
            "2024-0a-29T00:00:00.000+00:00",
            "2024-02-29T00:00:00.000",
            "",
        ] {
            assert_eq!(from_text(text), rfc3339(text), "{text}");
            assert_eq!(of_stored_text(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_file_stores_is_read_and_shown_as_on_a_server() {
        let shown = "2024-02-29T23:59:59.999+00:00";
        let time = from_text(shown).unwrap();
        let stored = to_stored_text(time);
        assert_eq!(stored, "2024-02-29 23:59:59.999+00:00");
        assert_eq!(from_text(&stored), Some(time));
        assert_eq!(of_stored_text(&stored).as_deref(), Some(shown));
        for other in [
            "2024-02-29 23:59:59.999",
            "2024-02-30 23:59:59.999+00:00",
            "no",
        ] {
            assert_eq!(of_stored_text(other), None, "{other}");
        }
    }

    #[test]
    fn a_time_is_cut_to_milliseconds_and_never_rounded_up() {
        for (text, expected) in [
            (
                "2026-03-01T10:00:00.123999Z",
                "2026-03-01T10:00:00.123+00:00",
            ),
            (
                "2026-12-31T23:59:59.999999999Z",
                "2026-12-31T23:59:59.999+00:00",
            ),
            ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00.000+00:00"),
            ("1969-12-31T23:59:59.9995Z", "1969-12-31T23:59:59.999+00:00"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000+00:00"),
        ] {
            let time: DateTime<Utc> = text.parse().unwrap();
            let cut = to_milliseconds(time);
            assert_eq!(to_text(cut), expected, "{text}");
            assert_eq!(to_milliseconds(cut), cut, "{text}");
            assert_eq!(to_text(time), expected, "the text is cut alike: {text}");
        }
    }

    #[test]
    fn texts_sort_like_their_times() {
        let seconds = [
            -62_135_596_800,
            -1,
            0,
            1,
            999_999_999,
            1_790_000_000,
            253_402_300_799,
        ];
        let texts: Vec<String> = seconds
            .iter()
            .filter_map(|&second| DateTime::from_timestamp(second, 1_000_000))
            .map(to_text)
            .collect();
        assert_eq!(texts.len(), seconds.len());
        assert!(texts.is_sorted(), "{texts:?}");
        assert!(texts.iter().all(|text| text.len() == 29), "{texts:?}");
    }
}
