//! What a person sees of runs: at several widths, on a pipe, under cron, with and without colours.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use headwater_simulator::{Fault, Simulator};
use regex::Regex;

use crate::lake::{self, ALL, configuration};

/// A folder with a configuration for a tiny company.
async fn place() -> (Simulator, tempfile::TempDir) {
    let simulator = lake::tiny().await;
    let folder = tempfile::tempdir().unwrap();
    let text = configuration(&simulator.endpoint(), ALL);
    std::fs::write(folder.path().join("headwater.toml"), text).unwrap();
    (simulator, folder)
}

/// Runs a command with variables that say how it is to look; the terminal's own are not inherited.
async fn run(
    folder: &Path,
    variables: &'static [(&str, &str)],
    arguments: &'static [&str],
) -> Output {
    let folder = folder.to_owned();
    let run = move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
        command.args(arguments).current_dir(folder);
        for name in [
            "HEADWATER_CONFIG",
            "RUST_LOG",
            "COLUMNS",
            "NO_COLOR",
            "CLICOLOR_FORCE",
        ] {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied()).output().unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// What was printed, without what differs from run to run, and with repositories in order.
fn steady(output: &Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let mut text = text;
    for (pattern, instead) in [
        (r"\d+\.\d s", "N s"),
        (r"fresh until .*", "fresh until TIME"),
        (r"http://127\.0\.0\.1:\d+", "http://API"),
        (r"(under )?\d+ min ago", "now"),
        (r"\d+ days ago", "N days ago"),
        (r"&q=updated_on%3E%3D[^:]*Z", "&q=..."),
        (r"(\S) {2,}", "$1  "),
        // What the made-up company has is not looked at here.
        (r"acme/[a-z-]+", "acme/NAME"),
        (r"\d[\d,]*", "N"),
    ] {
        text = Regex::new(pattern)
            .unwrap()
            .replace_all(&text, instead)
            .into_owned();
    }
    let mut lines: Vec<&str> = text.lines().collect();
    // Repositories end in any order.
    let is_repository = |line: &str| line.starts_with("acme-cloud:acme") && line.ends_with("(N s)");
    let first = lines.iter().position(|line| is_repository(line));
    if let Some(first) = first {
        let last = lines.iter().rposition(|line| is_repository(line)).unwrap();
        lines[first..=last].sort_unstable();
    }
    lines.join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_several_shapes_end_with_what_a_person_wants_to_know() {
    let (simulator, folder) = place().await;
    let sync: &[&str] = &["sync"];
    let mut shown = Vec::new();
    let first = run(folder.path(), &[], sync).await;
    shown.push(format!("the first run\n{}", steady(&first)));
    let second = run(folder.path(), &[], sync).await;
    shown.push(format!("nothing new\n{}", steady(&second)));
    let cron = run(folder.path(), &[], &["--quiet", "sync"]).await;
    shown.push(format!(
        "under cron\n{}{}",
        steady(&cron),
        String::from_utf8_lossy(&cron.stderr)
    ));
    simulator.set_faults(Some(Arc::new(|request| {
        let refused = request.path.contains("/pullrequests");
        let body = r#"{"type":"error","error":{"message":"Forbidden"}}"#;
        refused.then(|| Fault::Status(403, body.into(), Vec::new()))
    })));
    let partial = run(folder.path(), &[], sync).await;
    assert!(!partial.status.success());
    shown.push(format!("lists are refused\n{}", steady(&partial)));
    simulator.set_faults(None);
    insta::assert_snapshot!(shown.join("\n\n"));
    for output in [&first, &second, &partial] {
        assert!(!output.stdout.contains(&0x1b), "a pipe has no colours");
    }

    let forced: &[(&str, &str)] = &[("CLICOLOR_FORCE", "1")];
    let never: &[(&str, &str)] = &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")];
    assert!(
        run(folder.path(), forced, sync)
            .await
            .stdout
            .contains(&0x1b)
    );
    assert!(!run(folder.path(), never, sync).await.stdout.contains(&0x1b));

    let mut shown = Vec::new();
    for variables in [
        &[("COLUMNS", "40")] as &[(&str, &str)],
        &[("COLUMNS", "80")],
        &[("COLUMNS", "120")],
        &[],
    ] {
        let status = run(folder.path(), variables, &["status"]).await;
        shown.push(format!("{variables:?}\n{}", steady(&status)));
    }
    insta::assert_snapshot!(shown.join("\n\n"));
}
