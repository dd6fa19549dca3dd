//! Whether git can read what a connection names: one `ls-remote`.

use std::time::Duration;

use headwater_collectors::Client;
use headwater_git::{Git, GitErrorKind};
use tokio_util::sync::CancellationToken;

use crate::config::Connection;
use crate::connect::Connector;
use crate::context::Context;
use crate::diagnosis::{Code, Diagnosis, of_git, of_silence};
use crate::exit::{Exit, Failure};
use crate::git::{address, mirrors};

/// How long a server may take for its list.
const PATIENCE: Duration = Duration::from_secs(30);

/// The git side of a connection under test.
pub(super) struct GitTest<'a> {
    git: Git,
    connection: &'a Connection,
    connector: &'a Connector,
    client: Option<Client>,
    cancel: &'a CancellationToken,
}

impl<'a> GitTest<'a> {
    /// The git side of a connection; none where git is not read.
    ///
    /// # Errors
    /// Exit 3 when there is no git that can be used.
    pub(super) async fn of(
        context: &Context,
        connector: &'a Connector,
        (connection, client): (&'a Connection, Option<&Client>),
        cancel: &'a CancellationToken,
    ) -> Result<Option<Self>, Failure> {
        if !context.config.reads_git(&connection.name) {
            return Ok(None);
        }
        let mirrors = mirrors(&context.config, &context.folder).await?;
        Ok(Some(Self {
            git: mirrors.git().clone(),
            connection,
            connector,
            client: client.cloned(),
            cancel,
        }))
    }

    /// Asks for every repository that a connection of kind `git` names.
    ///
    /// # Errors
    /// When credentials cannot be read.
    pub(super) async fn of_all(&self) -> Result<Diagnosis, Failure> {
        let names = self.connection.exact_names();
        for name in &names {
            if let Some(wrong) = self.of_one(name).await? {
                return Ok(wrong);
            }
        }
        Ok(match names.as_slice() {
            [] => Diagnosis::of(
                Code::NoResources,
                "`git.urls` names no repository".to_owned(),
                "Write names and addresses of repositories into `git.urls`.",
            ),
            names => Diagnosis::ok(format!("git can read {}", names.join(", "))),
        })
    }

    /// What is wrong with one repository; nothing when its refs can be listed.
    ///
    /// # Errors
    /// When credentials cannot be read.
    pub(super) async fn of_one(&self, name: &str) -> Result<Option<Diagnosis>, Failure> {
        let way = self
            .connector
            .git_way(self.connection, self.client.as_ref(), name)?;
        let url = match address(self.connection, name) {
            Ok(url) => url,
            Err(why) => return Err(Failure::new(Exit::Configuration, why)),
        };
        let remote = match way.to(&url, self.cancel).await {
            Ok(remote) => remote,
            Err(error) => {
                let next = "Check auth.key and auth.secret, and that the consumer is private.";
                let detail = format!("{name}: {error}");
                return Ok(Some(Diagnosis::of(Code::InvalidCredentials, detail, next)));
            }
        };
        let listed = self.git.ls_remote(&remote, self.cancel);
        Ok(match tokio::time::timeout(PATIENCE, listed).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) if error.kind == GitErrorKind::Cancelled => {
                Some(of_silence(name, &url.to_string()))
            }
            Ok(Err(error)) => Some(of_git(name, &error)),
            Err(_) => Some(of_silence(name, &url.to_string())),
        })
    }
}
