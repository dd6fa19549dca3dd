//! Whether the simulator obeys Atlassian's description of the API, and headwater with it.
//!
//! Prism is a proxy between headwater and the simulator and refuses every request and every answer
//! that breaks the description. `.ci/prism` installs Prism and runs this.
//!
//! ```text
//! cargo build --bins --examples
//! cargo run --example prism -- --prism PROGRAM --description FILE
//! ```

mod coverage;
mod exemptions;
mod front;
mod proxy;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;
use headwater::config::DatabaseAddress;
use headwater::sources::bitbucket::bitbucket;
use headwater_simulator::{
    Change, Fault, Habits, Options, Simulator, Size, SourceRepository, World,
};
use headwater_store::compare::tables_equal;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rusqlite::OptionalExtension;

use coverage::Template;
use exemptions::Exemption;
use front::{Front, Seen};
use proxy::Prism;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Lets Prism check the simulator's answers and headwater's requests.
#[derive(Parser)]
struct Arguments {
    /// The prism program.
    #[arg(long)]
    prism: PathBuf,
    /// The description of the API: an `OpenAPI` 3 document in JSON.
    #[arg(long)]
    description: PathBuf,
    /// The headwater program; by default the one built together with this one.
    #[arg(long)]
    headwater: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    // The HTTP client wants to know whose cryptography to use; a second answer changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let check = Check::start(arguments).await?;
    let description = coverage::read(&arguments.description)?;
    let outcome = async {
        check.sync().await?;
        check.ask_for_items().await?;
        check.report(&description)?;
        check.ask_the_rest().await?;
        check.compare().await?;
        check.refuse_broken_answers(&description).await
    };
    let outcome = outcome.await;
    check.simulator.stop().await;
    outcome
}

/// What runs, and where its files are.
struct Check {
    headwater: PathBuf,
    folder: tempfile::TempDir,
    front: Front,
    _prism: Prism,
    simulator: Simulator,
}

impl Check {
    async fn start(arguments: &Arguments) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let simulator = Simulator::start(Options {
            size: size(),
            // Prism reads bodies as they are.
            gzip: false,
            ..Options::default()
        })
        .await?;
        push_and_tag(&mut simulator.world());
        lose_people_and_forks(&mut simulator.world())?;
        let endpoint = simulator.endpoint();
        let server = endpoint.trim_end_matches('/');
        let log = folder.path().join("prism.log");
        let prism = Prism::start(&arguments.prism, &arguments.description, server, &log).await?;
        let simulator_origin = server.trim_end_matches("/2.0");
        let headwater = match &arguments.headwater {
            Some(program) => program.clone(),
            None => beside_this_program()?,
        };
        Ok(Self {
            headwater,
            folder,
            front: Front::start(&prism.origin, simulator_origin).await?,
            _prism: prism,
            simulator,
        })
    }

    /// A first sync of everything, and one with named repositories after something is deleted:
    /// together they ask every endpoint there is.
    async fn sync(&self) -> Result<(), Failure> {
        let endpoint = self.front.endpoint();
        self.headwater("checked.db", &endpoint, "\"acme/*\"", &[])
            .await?;
        let names: Vec<String> = {
            let mut world = self.simulator.world();
            let slug = world
                .repositories()
                .iter()
                .find(|r| !r.pull_requests.is_empty());
            let slug = slug.ok_or("a world without pull requests")?.slug.clone();
            let id = world
                .repository(&slug)
                .and_then(|r| r.pull_requests.keys().next().copied());
            world
                .delete_pull_request(&slug, id.unwrap_or_default())
                .map_err(|refused| format!("{refused:?}"))?;
            let repositories = world.repositories().iter();
            repositories
                .map(|r| format!("\"{}\"", world.full_name(r)))
                .collect()
        };
        self.headwater("checked.db", &endpoint, &names.join(", "), &["--full"])
            .await
    }

    /// Runs `headwater sync`, which must succeed.
    async fn headwater(
        &self,
        database: &str,
        endpoint: &str,
        scopes: &str,
        arguments: &[&str],
    ) -> Result<(), Failure> {
        let configuration = format!(
            "[database]\nurl = \"sqlite:{database}\"\n\n[[connection]]\nid = 1\n\
             name = \"acme-cloud\"\nkind = \"bitbucket-cloud\"\nendpoint = \"{endpoint}\"\n\
             auth.kind = \"api-token\"\nauth.email = \"me@example.com\"\n\
             auth.token = \"api-token\"\nrequests_per_hour = 1000000\nscopes = [{scopes}]\n\n\
             [scope_config.default]\ncommit_statuses = true\npull_request_sizes = true\n"
        );
        std::fs::write(self.folder.path().join("headwater.toml"), configuration)?;
        let mut command = Command::new(&self.headwater);
        command
            .arg("sync")
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("HEADWATER_CONFIG")
            .env_remove("RUST_LOG");
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        no_violations(&self.front.take_seen())?;
        Err(format!("headwater sync: {}\n{said}", output.status).into())
    }

    /// A sync asks for a single item before it takes it for deleted, which few can be here: one of
    /// each stream is asked for by hand.
    async fn ask_for_items(&self) -> Result<(), Failure> {
        let database = self.folder.path().join("checked.db");
        for stream in bitbucket().streams {
            let collection = stream.collection;
            let Some(path) = collection.endpoint.item_path else {
                continue;
            };
            let table = &collection.raw_table;
            let sql = format!(
                "SELECT item_key, params FROM {table} WHERE item_key NOT LIKE '%/%' LIMIT 1"
            );
            let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let found: Option<(String, String)> = rusqlite::Connection::open(&database)?
                .query_row(&sql, [], read)
                .optional()?;
            let Some((key, params)) = found else {
                // A tracker that Atlassian removed.
                continue;
            };
            let params: BTreeMap<String, serde_json::Value> = serde_json::from_str(&params)?;
            let name = params.values().find_map(serde_json::Value::as_str);
            let path = path.replace("{scope}", name.unwrap_or_default());
            self.get(&path.replace("{item}", &key)).await?;
        }
        Ok(())
    }

    /// Tells what was checked; fails when an endpoint was not, or something was wrong.
    fn report(&self, description: &serde_json::Value) -> Result<(), Failure> {
        let seen = self.front.take_seen();
        for endpoint in coverage::endpoints() {
            let count = endpoint.count(&seen.passed);
            let told = match endpoint.schema(description) {
                Some(_) => "",
                None => "  (of the answer Atlassian describes nothing)",
            };
            println!("{count:>5} x {}{told}", endpoint.0);
            if count == 0 {
                return Err(format!("nothing was asked of {}", endpoint.0).into());
            }
        }
        no_violations(&seen)?;
        Exemption::all_needed(&seen.exempted)
    }

    /// Endpoints that no stream asks, or only of more than there is here, so that the simulator obeys there too.
    async fn ask_the_rest(&self) -> Result<(), Failure> {
        let mut paths: Vec<String> = ["user", "user/workspaces", "workspaces/acme"]
            .map(str::to_owned)
            .into();
        {
            let world = self.simulator.world();
            let with_comments = world.repositories().iter().find_map(|repository| {
                let mut found = repository.pull_requests.values();
                let found = found.find(|found| !found.comments.is_empty())?;
                Some((world.full_name(repository), found.id, found.comments[0].id))
            });
            let (name, id, comment) = with_comments.ok_or("a world without comments")?;
            let list = format!("repositories/{name}/pullrequests");
            paths.push(format!("{list}/activity"));
            paths.push(format!("{list}/{id}/comments/{comment}"));
            paths.push(format!("{list}/{id}/statuses"));
        }
        for path in &paths {
            self.get(path).await?;
        }
        let seen = self.front.take_seen();
        no_violations(&seen)?;
        if seen.passed.len() != paths.len() {
            return Err(format!("of {paths:?} only {:?} answered", seen.passed).into());
        }
        println!("{:>5} endpoints that no stream asked", paths.len());
        Ok(())
    }

    async fn get(&self, path: &str) -> Result<(), Failure> {
        let url = format!("{}{path}", self.front.endpoint());
        let client = reqwest::Client::builder().no_proxy().build()?;
        let request = client.get(url);
        let request = request.basic_auth("me@example.com", Some("api-token"));
        request.send().await?.bytes().await?;
        Ok(())
    }

    /// The tables must not depend on what is in between.
    async fn compare(&self) -> Result<(), Failure> {
        self.headwater("direct.db", &self.simulator.endpoint(), "\"acme/*\"", &[])
            .await?;
        let open = async |name: &str| {
            headwater::database::connect(&DatabaseAddress::of_file(&self.folder.path().join(name)))
                .await
        };
        let (checked, direct) = (open("checked.db").await?, open("direct.db").await?);
        let tables = bitbucket().tables();
        let differences = tables_equal(&checked, &direct, &tables, usize::MAX).await?;
        // Raw rows name the address they were asked of, which is the front's here.
        let told = differences.iter().filter(|difference| {
            let column = difference
                .cell
                .as_ref()
                .map(|(column, _, _)| column.as_str());
            !(difference.table.starts_with("_raw_") && column == Some("url"))
        });
        let told: Vec<String> = told.take(20).map(ToString::to_string).collect();
        if !told.is_empty() {
            let told = told.join("\n");
            return Err(format!("here: through Prism, there: without it\n{told}").into());
        }
        println!("the tables equal those of a sync without Prism");
        Ok(())
    }

    /// A check that finds nothing proves nothing unless it finds what is there.
    async fn refuse_broken_answers(&self, description: &serde_json::Value) -> Result<(), Failure> {
        let described = |endpoint: &Template| endpoint.schema(description).is_some();
        for endpoint in coverage::endpoints().into_iter().filter(described) {
            let path = endpoint.0.replace("{workspace}", "acme");
            let path = path.replace("{repo_slug}", "any").replace("{parent}", "1");
            let path = path.replace("{item}", "1");
            self.simulator.set_faults(Some(std::sync::Arc::new(|_| {
                let item = r#""type": "any", "id": "NaN", "uuid": 7, "name": 7, "links": 7"#;
                let body = format!("{{{item}, \"size\": \"many\", \"values\": [{{{item}}}]}}");
                Some(Fault::Body(body.into(), "application/json".to_owned()))
            })));
            self.get(path.trim_start_matches('/')).await?;
            let seen = self.front.take_seen();
            let found = |violation: &String| violation.contains("must be");
            if !seen.violations.iter().any(found) {
                return Err(format!("a broken answer of {} went unnoticed", endpoint.0).into());
            }
        }
        self.simulator.set_faults(None);
        println!("broken answers are refused");
        Ok(())
    }
}

/// Some of everything, and so little that Prism is done in seconds.
fn size() -> Size {
    Size {
        repositories: 3,
        pull_requests_per_repository: 12,
        people: 8,
        ..Size::default()
    }
}

/// Gives repositories commits, branches and tags.
fn push_and_tag(world: &mut World) {
    let mut random = StdRng::seed_from_u64(1);
    world.set_habits(Habits {
        git_share: 0.7,
        ..Habits::default()
    });
    for _ in 0..300 {
        let change = world.propose(&mut random);
        if matches!(change, Change::Git { .. }) {
            // What is refused leaves the world as it was.
            let _ = world.apply(&change);
        }
    }
}

/// Makes what is rare in a small world: a source repository and a comment's author that are gone.
fn lose_people_and_forks(world: &mut World) -> Result<(), Failure> {
    let (mut fork, mut comment) = (None, None);
    for repository in world.repositories() {
        for found in repository.pull_requests.values() {
            if matches!(found.source, SourceRepository::Fork(_)) {
                fork = Some((repository.slug.clone(), found.id));
            }
            let mut comments = found.comments.iter();
            if let Some(of_nobody) = comments.find(|comment| comment.user.is_none()) {
                comment = Some((repository.slug.clone(), found.id, of_nobody.id));
            }
        }
    }
    let (slug, id) = fork.ok_or("a world without forks")?;
    let refused = |refused| format!("{refused:?}");
    world.remove_fork(&slug, id).map_err(refused)?;
    let (slug, id, comment) = comment.ok_or("a world in which nobody has left")?;
    world
        .delete_comment(&slug, id, comment, false)
        .map_err(refused)?;
    Ok(())
}

fn no_violations(seen: &Seen) -> Result<(), Failure> {
    for (reason, times) in &seen.exempted {
        println!("{times:>5} x exempt: {reason}");
    }
    if seen.violations.is_empty() {
        return Ok(());
    }
    let violations: Vec<&str> = seen.violations.iter().map(String::as_str).collect();
    Err(format!("Prism refuses:\n{}", violations.join("\n")).into())
}

/// `target/debug/examples/prism` is beside `target/debug/headwater`.
fn beside_this_program() -> Result<PathBuf, Failure> {
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(Path::parent);
    Ok(folder.ok_or("this program is nowhere")?.join("headwater"))
}
