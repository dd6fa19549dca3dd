//! Where a demo goes: its database, and the configuration beside it.

use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use headwater_simulator::{Company, Simulator};
use headwater_store::{Contents, Store};

use crate::cli::Shared;
use crate::clock::Clock;
use crate::config::{DatabaseAddress, DatabaseKind};
use crate::database::{self, WriteLock};
use crate::exit::{Exit, Failure};
use crate::sources::Sources;
use crate::views::views;

/// The database, unless another one is named.
const FILE: &str = "headwater-demo.db";

/// The variable that holds the address of a server, so that no password is written down.
const VARIABLE: &str = "HEADWATER_DEMO_DATABASE";

/// What the company's server asks for; none of it is a secret.
const CREDENTIALS: &str =
    "auth.kind = \"api-token\"\nauth.email = \"me@example.com\"\nauth.token = \"api-token\"";

/// The first line of a configuration that a demo may write over.
const MARK: &str = "# Written by `headwater demo`, and written over by the next one.";

/// The database of a demo, and its configuration.
pub(super) struct Place {
    address: DatabaseAddress,
    config: PathBuf,
}

impl Place {
    /// Where the command line says, and whether the configuration may be written there.
    ///
    /// # Errors
    /// Exit 2 when another file is there, exit 3 for an address that is none.
    pub(super) fn of(shared: &Shared, output: Option<PathBuf>) -> Result<Self, Failure> {
        let file = output.unwrap_or_else(|| PathBuf::from(FILE));
        let address = match &shared.database {
            None => DatabaseAddress::of_file(&file),
            Some(url) => DatabaseAddress::parse(url).map_err(|error| {
                Failure::new(Exit::Configuration, format!("--database {error}"))
            })?,
        };
        let beside = address.sqlite_path().unwrap_or(file);
        let config = beside.with_extension("toml");
        let place = Self { address, config };
        place.require_own_configuration()?;
        Ok(place)
    }

    /// Refuses to write over a configuration, and to use a folder of mirrors, of which no demo wrote
    /// the configuration.
    fn require_own_configuration(&self) -> Result<(), Failure> {
        let mirrors = self.mirrors();
        if !self.config.exists() && mirrors.exists() {
            return Err(Failure::usage(format!(
                "{} is there already, and no demo made it; name another place with --output",
                mirrors.display()
            )));
        }
        let path = self.config.display();
        let file = match fs::File::open(&self.config) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => {
                return Err(Failure::because(
                    Exit::Failed,
                    format!("reading {path}"),
                    error,
                ));
            }
        };
        let first = BufReader::new(file).lines().next();
        if first.is_some_and(|line| line.is_ok_and(|line| line == MARK)) {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "{path} is there already, and no demo wrote it; name another place with --output"
        )))
    }

    /// Opens the database, empty. One of an earlier demo is emptied first.
    ///
    /// # Errors
    /// Exit 2 when it holds anything else, exit 7 when another process writes it.
    pub(super) async fn open(&self, clock: &Clock) -> Result<(Option<WriteLock>, Store), Failure> {
        let lock = database::lock(&self.address, "demo", clock.now())?;
        self.empty().await?;
        remove_folder(&self.mirrors())?;
        let store = database::open(&self.address).await?;
        Ok((lock, store))
    }

    async fn empty(&self) -> Result<(), Failure> {
        let path = self.address.sqlite_path();
        if let Some(path) = &path
            && !is_filled(path)
        {
            return Ok(());
        }
        let store = database::connect(&self.address).await?;
        let status = headwater_migrations::status(store.connection()).await;
        let status = status
            .map_err(|error| Failure::because(Exit::Failed, "the schema is not usable", error))?;
        let is_ours = status.iter().any(|change| change.applied);
        let contents = match (is_ours, &path) {
            // Of a server others may use the rest; of a file that is no database of ours nothing
            // is known.
            (false, None) => Contents::Nothing,
            (false, Some(_)) => Contents::OfElsewhere,
            (true, _) => store.contents(&raw_tables()).await?,
        };
        match (contents, path) {
            (Contents::Nothing, _) => store.close().await.map_err(Failure::from),
            (Contents::OfElsewhere, _) => {
                let address = &self.address;
                let other = match address.kind() {
                    DatabaseKind::Sqlite => "name another one with --output",
                    _ => "make an empty database and name that one",
                };
                Err(Failure::usage(format!(
                    "{address} is there already, and it is not that of a demo; {other}"
                )))
            }
            (Contents::OfThisMachine, Some(path)) => {
                store.close().await?;
                remove(&path)
            }
            (Contents::OfThisMachine, None) => {
                let sources = Sources::all();
                let tables = sources.tables();
                let raw = raw_tables().into_iter().map(ToOwned::to_owned);
                let rows = tables.rows.iter().map(|table| table.name.to_owned());
                let tables: Vec<String> = raw.chain(rows).collect();
                let tables: Vec<&str> = tables.iter().map(String::as_str).collect();
                let views = views();
                let views: Vec<&str> = views.iter().map(|view| view.name.as_ref()).collect();
                store.drop_tables(&views, &tables).await?;
                store.close().await.map_err(Failure::from)
            }
        }
    }

    /// What a person would write for a real account, but for the address and the pace.
    /// Without a program `git` the API has to do for commits, branches and tags.
    pub(super) fn configuration(&self, simulator: &Simulator, has_git: bool) -> String {
        let mirrors = self.mirrors();
        let mirrors = mirrors.file_name().unwrap_or_default().to_string_lossy();
        let mirrors = quoted(&mirrors);
        let url = match self.address.kind() {
            DatabaseKind::Sqlite => quoted(&self.address.to_string()),
            _ => format!("\"env:{VARIABLE}\"  # the address of the server"),
        };
        let (workspace, endpoint) = (Company::WORKSPACE, simulator.endpoint());
        let git = if has_git {
            format!(
                "git.enabled = true\ngit.url = {}\n",
                quoted(&simulator.git_url())
            )
        } else {
            String::new()
        };
        format!(
            "{MARK}\n\
             # The company's server ended with the demo: what is stored can be asked, measured and\n\
             # transformed, but not synced again.\n\n\
             [database]\n\
             url = {url}\n\n\
             [git]\n\
             folder = {mirrors}\n\n\
             [[connection]]\n\
             id = 1\n\
             name = \"demo\"\n\
             kind = \"bitbucket-cloud\"\n\
             endpoint = \"{endpoint}\"\n\
             {CREDENTIALS}\n\
             requests_per_hour = 100000000\n\
             scopes = [\"{workspace}/*\"]\n\
             {git}\n\
             [scope_config.default]\n\
             line_counts = {has_git}\n\
             tags_pattern = '^v[0-9]+[.][0-9]+[.][0-9]+$'\n\
             issue_type.INCIDENT = [\"bug\"]\n\
             issue_type.REQUIREMENT = [\"enhancement\", \"proposal\"]\n\
             issue_type.TASK = [\"task\"]\n\n\
             [[project]]\n\
             name = \"{}\"\n\
             scopes = [\"demo:{workspace}/*\"]\n",
            super::PROJECT
        )
    }

    /// The variable that commands need beside the configuration; none for a file.
    pub(super) fn server_variable(&self) -> Option<&'static str> {
        (self.address.kind() != DatabaseKind::Sqlite).then_some(VARIABLE)
    }

    /// Where relative paths of the configuration start.
    pub(super) fn folder(&self) -> PathBuf {
        match self.config.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        }
    }

    /// Where the company's repositories are mirrored.
    fn mirrors(&self) -> PathBuf {
        let mut name = self.config.file_stem().unwrap_or_default().to_owned();
        name.push("-git");
        self.config.with_file_name(name)
    }

    /// Writes the configuration beside the database, without credentials: there is no server that
    /// would ask for them any more. Returns its path.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write_configuration(&self, text: &str) -> Result<String, Failure> {
        let path = self.config.display().to_string();
        let text = text.replace(CREDENTIALS, "auth.kind = \"none\"");
        fs::write(&self.config, text)
            .map_err(|error| Failure::because(Exit::Failed, format!("writing {path}"), error))?;
        Ok(path)
    }
}

fn raw_tables() -> Vec<&'static str> {
    static NAMES: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let sources = Sources::all();
        let streams = sources.streams();
        streams
            .map(|(_, entry)| entry.collection.raw_table.clone())
            .collect()
    });
    names.iter().map(String::as_str).collect()
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Whether there is a file with anything in it.
fn is_filled(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.len() > 0)
}

fn remove_folder(path: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            let message = format!(
                "removing the mirrors of an earlier demo, {}",
                path.display()
            );
            Err(Failure::because(Exit::Failed, message, error))
        }
        _ => Ok(()),
    }
}

fn remove(path: &Path) -> Result<(), Failure> {
    for ending in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        match fs::remove_file(&name) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let message = format!(
                    "removing the database of an earlier demo, {}",
                    path.display()
                );
                return Err(Failure::because(Exit::Failed, message, error));
            }
        }
    }
    Ok(())
}
