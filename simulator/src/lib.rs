//! Bitbucket Cloud over real HTTP on loopback, for tests, benchmarks and the demo.
//!
//! A [`Simulator`] serves a [`World`]: one workspace with repositories, pull requests, comments,
//! commits and activity, generated from a seed. The same seed and [`Size`] give the same bytes.
//! The world has its own clock, and tests change it while it is served: merge, comment, approve,
//! force-push, rename, delete, or let [`World::random_change`] decide.
//!
//! What it is: the read side of the 2.0 API that code-review data comes from, with the rules a
//! client trips over. Pages are ten long unless asked otherwise, fifty at most for pull requests
//! and activity, and asking for more is an error; `next` is opaque; commits are paged by cursor;
//! participants come only when asked for; retired endpoints answer 410; a deleted fork leaves
//! null behind. [`Fault`]s make any request misbehave, on a [`FaultPlan`] or as a function decides;
//! a [`Behaviour`] does so for the service as a whole, its rate limit included. [`FaultKind`] names
//! everything that can go wrong.
//!
//! Credentials are API tokens, access tokens without a user, OAuth consumers whose tokens end, and
//! app passwords, which are refused; each may be limited to some scopes. Further workspaces
//! ([`ListedWorkspace`]) have as many repositories as a test wants, without pull requests.
//!
//! Git serves the same repositories over smart HTTP, with the same hashes ([`Simulator::git_url`]);
//! what a repository has in git is written to a temporary folder when it is asked for.
//!
//! What it is not: a place to write, through the API or through git, or a proof of what the real
//! service does where that was not observed.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! use headwater_simulator::{Options, Simulator, Size};
//! use rand::SeedableRng;
//!
//! let simulator = Simulator::start(Options { size: Size::tiny(), ..Options::default() }).await?;
//! assert!(simulator.endpoint().starts_with("http://127.0.0.1:"));
//!
//! let before = simulator.world().now();
//! let change = simulator.world().random_change(&mut rand::rngs::StdRng::seed_from_u64(7));
//! assert!(simulator.world().now() > before, "{change:?} takes time");
//! simulator.stop().await;
//! # Ok(())
//! # }
//! ```

mod behaviour;
mod cloud;
mod connections;
mod fault;
mod git;
mod misbehaviour;
mod options;
mod reply;
mod requests;
mod server;
mod shift;
mod world;

pub use behaviour::{Behaviour, PipelinesOff, RateLimit, RateUse, Removed, SECRET};
pub use fault::{
    Fault, FaultKind, FaultPlan, FaultSettings, Loop, OnRequest, RetryForm, Shift, When,
};
pub use options::{Consumer, Credentials, ListedWorkspace, Options};
pub use requests::RequestRecord;
pub use server::Simulator;
pub use world::{
    Activity, Change, Comment, Commit, Company, Deployment, Difference, ENVIRONMENTS, Environment,
    Event, Fork, GitChange, Habits, Hash, Inline, Issue, IssueChange, IssueComment, MergedAs,
    Participant, Pipeline, PipelineStep, Project, PullRequest, Refused, Repository, Size,
    SourceRepository, Spread, State, Tag, Time, Touched, TrackerChange, Update, User, UserId,
    Verdict, Workspace, World, environment_uuid,
};
