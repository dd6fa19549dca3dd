//! The mailmap of the default branch, in a mirror without files.
//!
//! Git reads `HEAD:.mailmap` in a bare repository, and fails where HEAD's folder is missing. So the
//! mirror's configuration says which object is the mailmap, or that there is none.

use headwater_git::{GitError, GitErrorKind, Head, ObjectId};

use super::fetch::Fetch;
use super::mirror::NO_HEAD;

/// Fetches the folder at the root of HEAD's commit, and `.mailmap` if it is there: two objects.
/// Returns how often git went to the server, and why it could not be had.
pub(super) async fn fetch(
    fetch: &Fetch<'_>,
    head: &Head,
    filter: &str,
) -> Result<(u64, Option<String>), GitError> {
    let mut requests = 0;
    let found = match head {
        Head::Unborn => Ok(None),
        _ => of_head(fetch, filter, &mut requests).await,
    };
    let (mailmap, failure) = match found {
        Err(error) if error.kind == GitErrorKind::Cancelled => return Err(error),
        Err(error) => (None, Some(error.to_string())),
        Ok(mailmap) => (mailmap, None),
    };
    let note = fetch.here().args(["config", "--local", "mailmap.blob"]);
    let note = match &mailmap {
        Some(id) => note.object(id),
        None => note.arg(NO_HEAD),
    };
    note.run(fetch.cancel).await?;
    Ok((requests, failure))
}

async fn of_head(
    fetch: &Fetch<'_>,
    filter: &str,
    requests: &mut u64,
) -> Result<Option<ObjectId>, GitError> {
    let root = fetch
        .here()
        .args(["log", "-1", "--no-mailmap", "--format=%T", "HEAD"]);
    let root = root.output(1024, fetch.cancel).await?;
    let Ok(root) = ObjectId::parse(String::from_utf8_lossy(&root).trim()) else {
        return Ok(None);
    };
    bring(fetch, &root, filter, requests).await?;
    let entry = fetch
        .here()
        .args(["ls-tree", "-z"])
        .object(&root)
        .arg(".mailmap");
    let entry = entry.output(64 * 1024, fetch.cancel).await?;
    let entry = String::from_utf8_lossy(&entry).into_owned();
    // `100644 blob <hash><TAB>.mailmap`; a link or a folder of that name is no mailmap.
    let words: Vec<&str> = entry.split(['\t', ' ']).collect();
    let ["100644" | "100755", "blob", id, _] = words[..] else {
        return Ok(None);
    };
    let Ok(id) = ObjectId::parse(id) else {
        return Ok(None);
    };
    bring(fetch, &id, filter, requests).await?;
    Ok(Some(id))
}

/// Fetches one object unless it is there.
async fn bring(
    fetch: &Fetch<'_>,
    id: &ObjectId,
    filter: &str,
    requests: &mut u64,
) -> Result<(), GitError> {
    let present = fetch
        .here()
        .args(["cat-file", "-e"])
        .object(id)
        .run(fetch.cancel)
        .await;
    match present {
        Ok(_) => return Ok(()),
        Err(error) if error.kind == GitErrorKind::Cancelled => return Err(error),
        Err(_) => {}
    }
    *requests += 1;
    // The one that the server took before; what is asked for by hash comes all the same.
    let filter = match filter {
        "blob:none" => "--filter=blob:none",
        _ => "--filter=tree:0",
    };
    let command = fetch.here().args([
        "fetch",
        filter,
        "--no-tags",
        "--no-write-fetch-head",
        "--no-auto-maintenance",
        "--no-recurse-submodules",
        "--progress",
    ]);
    // As git itself asks for missing objects: a server that hears which commits are here takes
    // their folders for being here too.
    let command = command
        .setting("fetch.negotiationAlgorithm", "noop")
        .reaching(&fetch.task.remote)
        .arg("origin")
        .object(id);
    fetch.noted(command).await.map(drop)
}
