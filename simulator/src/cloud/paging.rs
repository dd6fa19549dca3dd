//! Pages: numbered ones for most lists, cursors for commits.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;

use super::Request;
use super::answer::Answer;
use crate::cloud::payload::json::{self, object};

/// How many items a page has when nothing is said, and how many one may ask for.
#[derive(Clone, Copy)]
pub(super) struct Length {
    usual: usize,
    most: usize,
}

/// Most lists.
pub(super) const LISTS: Length = Length {
    usual: 10,
    most: 100,
};
/// Pull requests and activity, whose lower limit the documentation does not mention.
pub(super) const HEAVY_LISTS: Length = Length {
    usual: 10,
    most: 50,
};
/// Commits.
pub(super) const COMMITS: Length = Length {
    usual: 30,
    most: 100,
};

/// Asking for too much is an error, not a smaller page.
fn pagelen(request: &Request<'_>, length: Length) -> Result<usize, Answer> {
    match request.query.get("pagelen").map(str::parse) {
        None => Ok(length.usual),
        Some(Ok(asked)) if (1..=length.most).contains(&asked) => Ok(asked),
        Some(_) => Err(Answer::bad_request("Invalid pagelen")),
    }
}

/// One numbered page of the items, with size, number and neighbours.
pub(super) fn numbered<T>(
    request: &Request<'_>,
    items: &[T],
    length: Length,
    write: impl FnMut(&mut String, &T),
) -> Result<Answer, Answer> {
    let invalid = || Answer::bad_request("Invalid page");
    let pagelen = pagelen(request, length)?;
    let page: usize = request
        .query
        .get("page")
        .map_or(Ok(1), str::parse)
        .map_err(|_| invalid())?;
    let start = page
        .checked_sub(1)
        .and_then(|before| before.checked_mul(pagelen))
        .ok_or_else(invalid)?;
    let quirks = request.quirks;
    let may_be_beyond = quirks.without_next || quirks.lists.endless;
    if page > 1 && start >= items.len() && !may_be_beyond {
        return Err(invalid());
    }
    let last = items.len().div_ceil(pagelen).saturating_sub(1) * pagelen;
    let start = start.min(if quirks.lists.endless {
        last
    } else {
        items.len()
    });
    let end = items.len().min(start + pagelen);
    let mut shown: Vec<&T> = items.iter().collect();
    if let Some(seed) = quirks.lists.order {
        shown.shuffle(&mut StdRng::seed_from_u64(seed));
    }
    let goes_on = end < items.len() || quirks.lists.endless;
    let mut body = String::new();
    object(&mut body, |it| {
        if !quirks.without_size {
            it.number("size", items.len() as u64);
        }
        it.number("page", page as u64);
        it.number("pagelen", pagelen as u64);
        if goes_on && !quirks.without_next {
            it.text("next", &address(request, "page", &(page + 1).to_string()));
        }
        if page > 1 {
            it.text(
                "previous",
                &address(request, "page", &(page - 1).to_string()),
            );
        }
        it.value("values", |out| {
            json::array(out, shown[start..end].iter().copied(), write);
        });
    });
    Ok(Answer::ok(body))
}

/// One page from a cursor on: no size, no number, no way back.
pub(super) fn from_cursor<T>(
    request: &Request<'_>,
    items: &[T],
    length: Length,
    cursor: impl Fn(&T) -> String,
    write: impl FnMut(&mut String, &T),
) -> Result<Answer, Answer> {
    let pagelen = pagelen(request, length)?;
    let start = match request.query.get("ctx") {
        None => 0,
        // The item the cursor pointed to may be gone, after a forced push for example.
        Some(wanted) => items
            .iter()
            .position(|item| cursor(item) == wanted)
            .ok_or_else(|| Answer::bad_request("Invalid page"))?,
    };
    let end = items.len().min(start + pagelen);
    let mut body = String::new();
    object(&mut body, |it| {
        it.value("values", |out| json::array(out, &items[start..end], write));
        it.number("pagelen", pagelen as u64);
        if let Some(item) = items.get(end) {
            it.text("next", &address(request, "ctx", &cursor(item)));
        }
    });
    Ok(Answer::ok(body))
}

fn address(request: &Request<'_>, name: &str, value: &str) -> String {
    format!(
        "{}{}?{}",
        request.origin,
        request.path,
        if request.quirks.lists.forgetful_next {
            request.query.only_length_at(name, value)
        } else {
            request.query.at(name, value)
        }
    )
}
