//! A history made by `git fast-import`: a tenth of the commits are merges, a thousand have tags.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

const FILES: usize = 400;
const AUTHORS: u32 = 50;
const TAGS: u32 = 1000;

/// Makes a bare repository with so many commits.
pub(crate) fn generate(folder: &Path, commits: u32) -> std::io::Result<()> {
    let made = Command::new("git")
        .args(["init", "--quiet", "--bare", "--initial-branch=main"])
        .arg(folder)
        .status()?;
    assert!(made.success(), "git init failed");
    let mut import = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()?;
    if let Some(input) = import.stdin.take() {
        let mut out = BufWriter::with_capacity(1 << 20, input);
        write_history(&mut out, commits)?;
        out.flush()?;
    }
    assert!(import.wait()?.success(), "git fast-import failed");
    Ok(())
}

fn write_history(out: &mut impl Write, commits: u32) -> std::io::Result<()> {
    let mut random = SmallRng::seed_from_u64(1);
    let mut files: Vec<Vec<String>> = (0..FILES)
        .map(|file| {
            (0..40)
                .map(|line| format!("line {line} of file {file}"))
                .collect()
        })
        .collect();
    for number in 0..commits {
        let author = random.random_range(0..AUTHORS);
        let date = 1_500_000_000 + u64::from(number) * 60;
        writeln!(out, "commit refs/heads/main\nmark :{}", number + 1)?;
        writeln!(
            out,
            "author Person {author} <p{author}@example.com> {date} +0100"
        )?;
        writeln!(
            out,
            "committer Person {author} <p{author}@example.com> {date} +0000"
        )?;
        let message = format!(
            "Change number {number}\n\nSome words about why this was done, PROJ-{}.\n",
            number % 500
        );
        writeln!(out, "data {}\n{message}", message.len())?;
        if number > 0 {
            writeln!(out, "from :{number}")?;
        }
        if number > 10 && random.random_bool(0.1) {
            writeln!(out, "merge :{}", number - random.random_range(1..9))?;
        }
        for _ in 0..*[1, 1, 2, 3].choose(&mut random).unwrap_or(&1) {
            let file = random.random_range(0..FILES);
            edit(&mut files[file], number, &mut random);
            let content = files[file].join("\n");
            writeln!(out, "M 100644 inline src/m{}/f{file}.rs", file % 40)?;
            writeln!(out, "data {}\n{content}", content.len())?;
        }
        if number % (commits / TAGS).max(1) == 0 {
            writeln!(
                out,
                "tag v{}.{}.{}",
                number / 10_000,
                number / 100 % 100,
                number % 100
            )?;
            writeln!(
                out,
                "from :{}\ntagger T <t@example.com> {date} +0000\ndata 3\ntag",
                number + 1
            )?;
        }
    }
    Ok(())
}

fn edit(lines: &mut Vec<String>, number: u32, random: &mut SmallRng) {
    for _ in 0..random.random_range(1..9) {
        let place = random.random_range(0..lines.len());
        // As many go as come, so that files stay as large as files are.
        if lines.len() < 60 && (lines.len() < 20 || random.random_bool(0.5)) {
            let line = format!(
                "let value_{} = compute({number});",
                random.random_range(0..1_000_000)
            );
            lines.insert(place, line);
        } else {
            lines.remove(place);
        }
    }
}
