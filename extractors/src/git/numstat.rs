//! What `git diff-tree --stdin --numstat -z` prints.

/// One thing that was printed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Printed<'a> {
    /// What follows is of this commit.
    Commit(&'a [u8]),
    /// One file of it.
    File {
        /// Lines added; 0 for a binary file.
        additions: i64,
        /// Lines removed; 0 for a binary file.
        deletions: i64,
        /// Path after the commit; of a removed file the one it had.
        path: &'a [u8],
    },
    /// The empty line that was fed behind a block came back.
    End,
}

/// Takes bytes as they come and returns what they say.
#[derive(Debug, Default)]
pub(super) struct Parser {
    /// The beginning of what has no end yet.
    rest: Vec<u8>,
    renamed: Renamed,
}

/// A renamed file has its paths behind its counts, the old one first.
#[derive(Clone, Copy, Debug, Default)]
enum Renamed {
    #[default]
    No,
    From(i64, i64),
    To(i64, i64),
}

impl Parser {
    /// Takes more bytes.
    ///
    /// # Errors
    /// The text that git does not print.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        mut tell: impl FnMut(Printed<'_>),
    ) -> Result<(), String> {
        let mut bytes = bytes;
        while let Some(&first) = bytes.first() {
            let begins = self.rest.is_empty() && matches!(self.renamed, Renamed::No);
            if begins && first == b'\n' {
                tell(Printed::End);
                bytes = &bytes[1..];
                continue;
            }
            let Some(end) = bytes.iter().position(|&byte| byte == 0) else {
                self.rest.extend_from_slice(bytes);
                return Ok(());
            };
            if self.rest.is_empty() {
                self.renamed = record(&bytes[..end], self.renamed, &mut tell)?;
            } else {
                self.rest.extend_from_slice(&bytes[..end]);
                self.renamed = record(&self.rest, self.renamed, &mut tell)?;
                self.rest.clear();
            }
            bytes = &bytes[end + 1..];
        }
        Ok(())
    }
}

fn record(
    record: &[u8],
    renamed: Renamed,
    tell: &mut impl FnMut(Printed<'_>),
) -> Result<Renamed, String> {
    match renamed {
        Renamed::From(additions, deletions) => return Ok(Renamed::To(additions, deletions)),
        Renamed::To(additions, deletions) => {
            let path = record;
            tell(Printed::File {
                additions,
                deletions,
                path,
            });
            return Ok(Renamed::No);
        }
        Renamed::No => {}
    }
    let mut batches = record.splitn(3, |&byte| byte == b'\t');
    let (Some(additions), Some(deletions), Some(path)) =
        (batches.next(), batches.next(), batches.next())
    else {
        tell(Printed::Commit(record));
        return Ok(Renamed::No);
    };
    let unexpected = || super::text::text(&record[..record.len().min(200)]);
    let additions = count(additions).ok_or_else(unexpected)?;
    let deletions = count(deletions).ok_or_else(unexpected)?;
    if path.is_empty() {
        return Ok(Renamed::From(additions, deletions));
    }
    tell(Printed::File {
        additions,
        deletions,
        path,
    });
    Ok(Renamed::No)
}

/// A number of lines; `-` means a binary file.
fn count(digits: &[u8]) -> Option<i64> {
    if digits == b"-" {
        return Some(0);
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(chunks: &[&[u8]]) -> Vec<String> {
        let mut parser = Parser::default();
        let mut told = Vec::new();
        for chunk in chunks {
            let pushed = parser.push(chunk, |printed| {
                told.push(match printed {
                    Printed::Commit(sha) => super::super::text::text(sha),
                    Printed::File {
                        additions,
                        deletions,
                        path,
                    } => format!("+{additions} -{deletions} {}", path.escape_ascii()),
                    Printed::End => "end".to_owned(),
                });
            });
            pushed.unwrap();
        }
        told
    }

    const PRINTED: &[u8] = b"00aa\x001\t2\ta b\tc\nd\x00-\t-\tp\xffng\x000\t3\t\0old\0new\0\
                             11bb\x0022cc\x003\t0\t\nx\0\n33dd\0\n";

    #[test]
    fn files_renames_binaries_and_odd_paths_are_told_apart() {
        assert_eq!(
            told(&[PRINTED]),
            [
                "00aa",
                "+1 -2 a b\\tc\\nd",
                "+0 -0 p\\xffng",
                "+0 -3 new",
                "11bb",
                "22cc",
                "+3 -0 \\nx",
                "end",
                "33dd",
                "end"
            ]
        );
    }

    #[test]
    fn what_git_does_not_print_is_an_error() {
        let mut parser = Parser::default();
        assert!(parser.push(b"one\ttwo\tfile\0", |_| {}).is_err());
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_bytes_are_cut(mut cuts in prop::collection::vec(0..PRINTED.len(), 0..9)) {
            cuts.sort_unstable();
            let mut chunks = Vec::new();
            let mut from = 0;
            for cut in cuts {
                chunks.push(&PRINTED[from..cut]);
                from = cut;
            }
            chunks.push(&PRINTED[from..]);
            prop_assert_eq!(told(&chunks), told(&[PRINTED]));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Parser::default().push(&bytes, |_| {});
        }
    }
}
