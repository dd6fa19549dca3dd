//! `people join`: accounts and authors that are one person.

use std::path::Path;

use headwater_store::query::Cell;

use crate::cli::{Format, PeopleCommand, Shared};
use crate::context::{Context, NeedsFile};
use crate::exit::{Exit, Failure};
use crate::input::{Place, quoted};
use crate::output::{self, print, written};
use crate::people::mailmap::Mailmap;
use crate::people::{Joined, Sources, join};
use crate::report::counted;

const COLUMNS: [&str; 3] = ["user", "account", "reason"];

/// How people are joined.
struct How<'a> {
    mailmap: Option<&'a Path>,
    by_name: bool,
    dry_run: bool,
    format: Format,
}

pub(super) async fn people(shared: &Shared, command: PeopleCommand) -> Result<Exit, Failure> {
    let PeopleCommand::Join {
        mailmap,
        by_name,
        dry_run,
        format,
    } = command;
    let how = How {
        mailmap: mailmap.as_deref(),
        by_name,
        dry_run,
        format,
    };
    join_people(shared, how).await
}

async fn join_people(shared: &Shared, how: How<'_>) -> Result<Exit, Failure> {
    let context = Context::load(shared, NeedsFile::No)?;
    let mailmap = how.mailmap.map(read_mailmap).transpose()?;
    let (store, _lock) = if how.dry_run {
        (context.open_to_read().await?, None)
    } else {
        context.require_database()?;
        context.open_for_writing("people join").await?
    };
    let people = join(&Sources {
        accounts: store.accounts_to_join().await?,
        authors: store.authors().await?,
        given: store.given_people().await?,
        mailmap: mailmap.unwrap_or_default(),
        by_name: how.by_name,
    });
    if !how.dry_run {
        let now = context.clock.now();
        store
            .keep_people(people.users, people.accounts, now)
            .await?;
    }
    store.close().await?;
    if shared.quiet {
        return Ok(Exit::Ok);
    }
    let mut report = people.report;
    // Accounts of one user together, those of nobody at the end.
    report.sort_by(|a, b| {
        let key = |it: &Joined| (it.user.is_empty(), it.user.clone(), it.account.clone());
        key(a).cmp(&key(b))
    });
    let nobody = report.iter().filter(|it| it.user.is_empty()).count() as u64;
    let rows = report.into_iter().map(|it| {
        let text = |text: String| match text.as_str() {
            "" => Cell::Null,
            _ => Cell::Text(text),
        };
        vec![text(it.user), text(it.account), text(it.reason)]
    });
    written(print(how.format, &COLUMNS, rows.collect()))?;
    if how.format == Format::Table {
        let shown = counted(nobody, "account is", "accounts are");
        output::line(format_args!(
            "{shown} nobody's. To join or split an account, import who it is of (an imported row \
             stays; an empty user_id makes it nobody's), and join again:\n  \
             printf 'account_id,user_id\\nACCOUNT,USER\\n' | headwater table import user_accounts -"
        ));
    }
    Ok(Exit::Ok)
}

fn read_mailmap(path: &Path) -> Result<Mailmap, Failure> {
    let name = path.display().to_string();
    let text = std::fs::read(path).map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    Mailmap::parse(&String::from_utf8_lossy(&text)).map_err(|bad| {
        Place {
            file: &name,
            line: bad.line,
        }
        .wrong(format_args!(
            "{} is no line of a mailmap; expected Name <proper@address> <address@in.commits>",
            quoted(&bad.text)
        ))
    })
}
