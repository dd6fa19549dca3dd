//! Mirrors that are damaged or tampered with: the run that meets it clones anew and reads on.

use std::path::{Path, PathBuf};

use headwater::exit::Exit;
use headwater_testing::On;

use super::{assert_equals_fresh, lake_of, plain_configuration, widget};
use crate::lake::How;

/// Files below a folder with this ending.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found
}

fn mirror(folder: &Path) -> PathBuf {
    let state = files(folder, "mirror.git/headwater.json");
    state[0].parent().unwrap().to_owned()
}

/// Changes the bytes of a pack from a place on, but for the checksum at its end.
fn spoil(mirror: &Path, part: usize) {
    let pack = &files(mirror, ".pack")[0];
    let mut bytes = std::fs::read(pack).unwrap();
    let end = bytes.len() - 20;
    let start = 12 + (end - 12) * part / 5;
    for byte in &mut bytes[start..(start + 9).min(end)] {
        *byte ^= 0xa5;
    }
    std::fs::remove_file(pack).unwrap();
    std::fs::write(pack, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_that_was_changed_anywhere_is_fetched_again_within_the_run() {
    let mut source = widget();
    let lake = lake_of(On::Sqlite, source.path()).await.unwrap();
    let url = source.path().display().to_string();
    let configuration = plain_configuration(&[("tools/widget", &url)]);
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    for part in 0..5 {
        spoil(&mirror(lake.folder()), part);
        // All of it is read.
        lake.execute("UPDATE _headwater_git SET done_as = '', doing_as = ''")
            .await;
        if part % 2 == 0 {
            source.commit("main", "meanwhile", &[("a.txt", &part.to_string())]);
        }
        let (exit, summary) = lake.sync(How::default()).await;
        assert_eq!(exit, Exit::Ok, "part {part}: {summary:?}");
        assert_equals_fresh(On::Sqlite, &lake, &configuration).await;
    }
}

/// What somebody may do to a mirror.
type Tampering = (&'static str, fn(&Path));

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_does_to_a_mirror_reaches_no_table() {
    let tampering: [Tampering; 8] = [
        ("no HEAD", |mirror| {
            std::fs::remove_file(mirror.join("HEAD")).unwrap();
        }),
        ("HEAD is noise", |mirror| {
            std::fs::write(mirror.join("HEAD"), "\0\u{1}noise").unwrap();
        }),
        ("a ref that is noise", |mirror| {
            std::fs::write(mirror.join("refs/heads/main"), "noise").unwrap();
        }),
        ("grafts", |mirror| {
            let main = std::fs::read_to_string(mirror.join("packed-refs")).unwrap();
            let line = main.lines().find(|line| line.ends_with("refs/heads/main"));
            let sha = line.unwrap().split(' ').next().unwrap().to_owned();
            std::fs::create_dir_all(mirror.join("info")).unwrap();
            std::fs::write(mirror.join("info/grafts"), sha + "\n").unwrap();
        }),
        ("a shallow file", |mirror| {
            let main = std::fs::read_to_string(mirror.join("packed-refs")).unwrap();
            let line = main.lines().find(|line| line.ends_with("refs/heads/main"));
            let sha = line.unwrap().split(' ').next().unwrap().to_owned();
            std::fs::write(mirror.join("shallow"), sha + "\n").unwrap();
        }),
        ("objects from elsewhere", |mirror| {
            std::fs::create_dir_all(mirror.join("objects/info")).unwrap();
            std::fs::write(mirror.join("objects/info/alternates"), "/nowhere\n").unwrap();
        }),
        ("a configuration that is noise", |mirror| {
            std::fs::write(mirror.join("config"), "noise\0").unwrap();
        }),
        ("no objects", |mirror| {
            std::fs::remove_dir_all(mirror.join("objects")).unwrap();
        }),
    ];
    for (what, tamper) in tampering {
        let mut source = widget();
        let lake = lake_of(On::Sqlite, source.path()).await.unwrap();
        let url = source.path().display().to_string();
        let configuration = plain_configuration(&[("tools/widget", &url)]);
        assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
        tamper(&mirror(lake.folder()));
        source.commit("main", "meanwhile", &[("a.txt", "9\n")]);
        let (exit, summary) = lake.sync(How::default()).await;
        assert_eq!(exit, Exit::Ok, "{what}: {summary:?}");
        assert_equals_fresh(On::Sqlite, &lake, &configuration).await;
    }
}
