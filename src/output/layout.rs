//! Rows as text of a width: columns where they fit, else one cell below the other.

use std::io::{self, IsTerminal as _};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};

/// Narrower than this, the last column is no longer readable beside the others.
const NARROWEST: usize = 24;

/// Spaces between two columns.
const GAP: usize = 2;

/// Characters that a line may have: what `COLUMNS` says, else the width of the terminal, else any
/// number, because a pipe has no edge.
#[must_use]
pub fn width() -> Option<usize> {
    let wanted = std::env::var("COLUMNS").ok();
    let wanted = wanted.and_then(|text| text.trim().parse().ok());
    let wanted = wanted.filter(|width| *width > 0);
    wanted.or_else(|| {
        let of_terminal = terminal_size::terminal_size_of(io::stdout());
        let (terminal_size::Width(width), _) = of_terminal?;
        io::stdout().is_terminal().then(|| usize::from(width))
    })
}

/// Rows under the names of their columns, each line without spaces at its end.
pub(super) fn lines(columns: &[String], rows: &[Vec<String>], width: Option<usize>) -> Vec<String> {
    let Some(width) = width else {
        return table(columns, rows, None);
    };
    let whole = table(columns, rows, None);
    if whole.iter().all(|line| line.chars().count() <= width) {
        return whole;
    }
    let longest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let cells = cells.chain(columns.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let last = columns.len().saturating_sub(1);
    let before: usize = (0..last).map(|column| longest(column) + GAP).sum();
    if before + NARROWEST + GAP <= width {
        return table(columns, rows, Some(width));
    }
    records(columns, rows, width)
}

fn table(columns: &[String], rows: &[Vec<String>], width: Option<usize>) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns);
    table.add_rows(rows);
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
        let last = columns.len().saturating_sub(1);
        for column in table.column_iter_mut().take(last) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    let text = table.to_string();
    text.lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// A block for each row: the first cell, and the others below it with their names.
fn records(columns: &[String], rows: &[Vec<String>], width: usize) -> Vec<String> {
    let names = columns.iter().skip(1).map(|name| name.chars().count());
    let indent = names.max().unwrap_or(0) + 2 * GAP;
    let mut lines = Vec::new();
    for row in rows {
        lines.extend(wrapped(row.first().map_or("", String::as_str), width));
        for (name, cell) in columns.iter().zip(row).skip(1) {
            if cell.is_empty() || cell == "-" {
                continue;
            }
            let room = width.saturating_sub(indent).max(8);
            for (place, piece) in wrapped(cell, room).into_iter().enumerate() {
                let name = if place == 0 { name } else { "" };
                lines.push(format!("  {name:<0$}{piece}", indent - GAP));
            }
        }
    }
    lines
}

/// A text in lines of at most this many characters, broken between words where that is possible.
#[must_use]
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut length = 0;
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        let gap = usize::from(length > 0);
        if length > 0 && length + gap + word.len() > width {
            lines.push(String::new());
            length = 0;
        } else if gap > 0 {
            push(&mut lines, &[' ']);
            length += 1;
        }
        while length + word.len() > width {
            let rest = word.split_off(width.saturating_sub(length).max(1));
            push(&mut lines, &word);
            lines.push(String::new());
            length = 0;
            word = rest;
        }
        push(&mut lines, &word);
        length += word.len();
    }
    lines
}

/// The same of a line that begins with spaces: those after the first are indented like it, and by
/// `more` characters.
#[must_use]
pub fn indented(line: &str, more: usize, width: usize) -> Vec<String> {
    let text = line.trim_start();
    let indent = line.len() - text.len();
    let room = width.saturating_sub(indent + more).max(8);
    let lines = wrapped(text, room).into_iter().enumerate();
    lines
        .map(|(place, part)| {
            let indent = if place == 0 { indent } else { indent + more };
            format!("{}{part}", " ".repeat(indent))
        })
        .collect()
}

fn push(lines: &mut [String], characters: &[char]) {
    if let Some(line) = lines.last_mut() {
        line.extend(characters);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_between_words_and_only_long_words_are_cut() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrapped("", 3), [""]);
        assert_eq!(
            indented("  1. two three", 3, 14),
            ["  1. two", "     three"]
        );
        assert_eq!(indented("", 3, 14), [""]);
    }

    #[test]
    fn no_line_is_longer_than_the_width() {
        let columns = ["name", "what", "a sentence"].map(str::to_owned);
        let row = [
            "acme/rocket",
            "12",
            "the server answered 500 to a request of this list",
        ];
        let rows = [row.map(str::to_owned).to_vec()];
        for width in 24..90 {
            for line in lines(&columns, &rows, Some(width)) {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }
}
