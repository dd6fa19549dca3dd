//! Times as every table stores them: UTC, whole milliseconds.

use chrono::{DateTime, Datelike, Timelike, Utc};

/// Cuts a time to whole milliseconds, the precision every database keeps.
#[must_use]
pub fn to_milliseconds(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(time.timestamp_millis()).unwrap_or(time)
}

/// Fixed-width text that sorts like the time: `2023-02-20T09:38:47.203+00:00`.
#[must_use]
pub fn to_text(time: DateTime<Utc>) -> String {
    // By hand: this runs several times for every row, and a format string is read each time.
    let mut text = String::with_capacity(29);
    let year = u32::try_from(time.year()).unwrap_or_default();
    digits(&mut text, year, 4);
    for (separator, number) in [
        ('-', time.month()),
        ('-', time.day()),
        ('T', time.hour()),
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
