//! What is asked of a mirror beside its commits: refs, tips, mailmap, where it is cut off.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use chrono::{DateTime, Utc};
use headwater_git::{Command, Git, GitError, GitErrorKind};
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;

use super::peeling::{Target, peel};
use super::text;

/// A bare repository on this machine, read offline.
#[derive(Clone)]
pub(super) struct Mirror<'a> {
    pub(super) git: &'a Git,
    pub(super) path: &'a Path,
    pub(super) cancel: &'a CancellationToken,
}

/// A branch or a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ref {
    /// Full name, such as `refs/heads/main`.
    pub(super) name: String,
    /// What it leads to.
    pub(super) target: Target,
    /// When an annotated tag was made (UTC).
    pub(super) tagged: Option<DateTime<Utc>>,
}

/// All refs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Refs {
    pub(super) all: Vec<Ref>,
    /// The full name of the branch that HEAD names; none when it names a commit.
    pub(super) head: Option<String>,
    /// The commits that refs and HEAD lead to.
    pub(super) tips: BTreeSet<String>,
}

/// How commits are printed that are looked up.
const LINES: &str = "--format=%(objecttype)%00%(objectname)%00%(taggerdate:raw)%00%(refname)";

impl Mirror<'_> {
    pub(super) fn command(&self) -> Command {
        self.git.in_repository(self.path)
    }

    /// True when there is a repository.
    pub(super) fn is_there(&self) -> bool {
        self.path.join("HEAD").is_file() && self.path.join("objects").is_dir()
    }

    pub(super) async fn refs(&self) -> Result<Refs, GitError> {
        let mut printed = self
            .command()
            .args(["for-each-ref", LINES])
            .stream(self.cancel)?;
        let mut refs = Refs::default();
        // Annotated tags by place, with what each leads to still to be found.
        let mut tags = Vec::new();
        let mut tag_objects = Vec::new();
        while let Some(line) = printed.record(b'\n').await? {
            let mut fields = line.splitn(4, |&byte| byte == 0);
            let (Some(kind), Some(id), Some(date), Some(name)) =
                (fields.next(), fields.next(), fields.next(), fields.next())
            else {
                let line = text::text(line);
                return Err(printed.failure(GitErrorKind::Unexpected(line)));
            };
            let seconds = date.split(|&byte| byte == b' ').next().unwrap_or_default();
            let target = Target::of(kind, id).unwrap_or_else(|| {
                tags.push(refs.all.len());
                tag_objects.push(text::text(id));
                Target::Other("leads nowhere")
            });
            refs.all.push(Ref {
                name: text::ref_text(name),
                target,
                tagged: text::time(seconds),
            });
        }
        printed.finish().await?;
        for (place, target) in tags.into_iter().zip(peel(self, tag_objects).await?) {
            refs.all[place].target = target;
        }
        let head = self.look_up(vec!["HEAD^{commit}".to_owned()]).await?;
        refs.head = self.head().await?;
        refs.tips = refs
            .all
            .iter()
            .filter_map(|git_ref| git_ref.target.commit())
            .map(str::to_owned)
            .collect();
        refs.tips.extend(head.into_iter().flatten());
        Ok(refs)
    }

    async fn head(&self) -> Result<Option<String>, GitError> {
        let asked = self.command().args(["symbolic-ref", "--quiet", "HEAD"]);
        let name = self.said(asked).await?;
        Ok(name.map(|name| text::ref_text(name.trim_ascii_end())))
    }

    /// The mailmap, by the hash of the file; none where HEAD has none, or its file is not in the
    /// mirror, which may have the graph alone.
    pub(super) async fn mailmap(&self) -> Result<Option<String>, GitError> {
        let found = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            "HEAD:.mailmap",
        ];
        let Some(id) = self.said(self.command().args(found)).await? else {
            return Ok(None);
        };
        let id = text::text(id.trim_ascii_end());
        let is_there = self.look_up(vec![id]).await;
        match is_there {
            Ok(answers) => Ok(answers.into_iter().flatten().next()),
            Err(error) => unless_cancelled(error),
        }
    }

    /// What a command prints; none when it fails, which says that there is no such thing.
    async fn said(&self, command: Command) -> Result<Option<Vec<u8>>, GitError> {
        match command.output(64 * 1024, self.cancel).await {
            Ok(output) => Ok(Some(output)),
            Err(error) => unless_cancelled(error),
        }
    }

    /// The hash of each of these objects; none for what the mirror does not have.
    pub(super) async fn look_up(
        &self,
        questions: Vec<String>,
    ) -> Result<Vec<Option<String>>, GitError> {
        let count = questions.len();
        let asked = self
            .command()
            .args(["cat-file", "--batch-check=%(objectname)", "--buffer"])
            .fed();
        let mut printed = asked.stream(self.cancel)?;
        feed(&mut printed, questions);
        let mut answers = Vec::with_capacity(count);
        while let Some(line) = printed.record(b'\n').await? {
            let is_hash = line.len() >= 40 && line.iter().all(u8::is_ascii_hexdigit);
            answers.push(is_hash.then(|| text::text(line)));
        }
        if answers.len() != count {
            let what = format!("{} answers to {count} questions", answers.len());
            return Err(printed.failure(GitErrorKind::Unexpected(what)));
        }
        printed.finish().await?;
        Ok(answers)
    }

    /// Commits whose parents a shallow mirror lacks, with these parents.
    pub(super) async fn boundary(&self) -> Result<HashMap<String, Vec<String>>, GitError> {
        let Ok(shallow) = std::fs::read_to_string(self.path.join("shallow")) else {
            return Ok(HashMap::new());
        };
        let commits: Vec<String> = shallow.lines().map(str::to_owned).collect();
        let asked = self
            .command()
            .args(["cat-file", "--batch", "--buffer"])
            .fed();
        let mut printed = asked.stream(self.cancel)?;
        feed(&mut printed, commits.clone());
        let mut boundary = HashMap::new();
        for commit in commits {
            let head = printed.record(b'\n').await?.map(text::text);
            let head = head.unwrap_or_default();
            let Some(size) = head
                .rsplit(' ')
                .next()
                .and_then(|size| size.parse::<usize>().ok())
            else {
                return Err(printed.failure(GitErrorKind::Unexpected(head)));
            };
            let object = text::text(printed.bytes(size + 1).await?);
            let lines = object.lines().take_while(|line| !line.is_empty());
            let parents = lines.filter_map(|line| line.strip_prefix("parent "));
            let parents: Vec<String> = parents.map(str::to_owned).collect();
            if !parents.is_empty() {
                boundary.insert(commit, parents);
            }
        }
        printed.finish().await?;
        Ok(boundary)
    }
}

/// Writes lines to a command while its output is read; what becomes of it shows in the output.
pub(super) fn feed(printed: &mut headwater_git::Running, lines: Vec<String>) {
    let Some(mut input) = printed.take_input() else {
        return;
    };
    tokio::spawn(async move {
        let mut text = lines.join("\n");
        text.push('\n');
        // A command that ended early says why itself.
        let _ = input.write_all(text.as_bytes()).await;
    });
}

fn unless_cancelled<T>(error: GitError) -> Result<Option<T>, GitError> {
    match error.kind {
        GitErrorKind::Cancelled => Err(error),
        _ => Ok(None),
    }
}
