//! The running server.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderValue, Response, header};
use chrono::TimeDelta;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::behaviour::{Admission, Behaviour, Limiter, ListQuirks, RateUse};
use crate::cloud::{self, Accepted, Answer, Cache, Query, Quirks, Reader};
use crate::connections::{Line, Lines};
use crate::fault::{Fault, FaultKind, FaultPlan, OnRequest};
use crate::git::{self, Disk};
use crate::options::{ListedWorkspace, Options};
use crate::reply::{self, Ending, Reply};
use crate::requests::{Log, RequestRecord};
use crate::world::{Change, Habits, World};

/// A Bitbucket Cloud that listens on loopback until it is stopped or dropped.
#[derive(Debug)]
pub struct Simulator {
    site: Arc<Site>,
    stopping: watch::Sender<bool>,
    server: Option<JoinHandle<io::Result<()>>>,
}

impl Simulator {
    /// Builds a world and serves it on a free port.
    pub async fn start(options: Options) -> io::Result<Simulator> {
        let Options {
            seed,
            ref workspace,
            ref size,
            ..
        } = options;
        let mut world = World::generate(seed, workspace, size);
        if let Some(issues) = options.trackers {
            world.open_trackers(issues);
        }
        Simulator::serve(options, world).await
    }

    /// Serves a world that exists; seed, size and workspace of the options play no part.
    pub async fn serve(options: Options, world: World) -> io::Result<Simulator> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (stopping, stopped) = watch::channel(false);
        let site = Arc::new(Site::new(options, world, address, stopped.clone()));
        let routes = axum::Router::new()
            .fallback(handle)
            .with_state(Arc::clone(&site))
            .into_make_service_with_connect_info::<Line>();
        let server =
            axum::serve(Lines(listener), routes).with_graceful_shutdown(reply::until(stopped));
        let server = Some(tokio::spawn(async move { server.await }));
        Ok(Simulator {
            site,
            stopping,
            server,
        })
    }

    /// The API's base address, `http://127.0.0.1:PORT/2.0/`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}/2.0/", self.site.origin)
    }

    /// The same API by another name of this machine, `http://localhost:PORT/2.0/`: what it answers
    /// leads to that name, too.
    #[must_use]
    pub fn other_endpoint(&self) -> String {
        self.endpoint().replace("127.0.0.1", "localhost")
    }

    /// Where OAuth consumers ask for tokens.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("{}{}", self.site.origin, cloud::TOKEN_PATH)
    }

    /// Where git serves the repositories, `http://127.0.0.1:PORT/{scope}.git`; `{scope}` means
    /// the full name of one.
    #[must_use]
    pub fn git_url(&self) -> String {
        format!("{}/{{scope}}.git", self.site.origin)
    }

    /// Lets git serve a bare repository on disk under a full name, `group/name`, whatever the
    /// world has under it. Whoever may read anything may read it.
    pub fn serve_git(&self, full_name: &str, folder: std::path::PathBuf) {
        self.site.disk.put(full_name, folder);
    }

    /// The world, to look at or to change. Requests wait while the guard lives.
    pub fn world(&self) -> MutexGuard<'_, World> {
        locked(&self.site.world)
    }

    /// The world under shared ownership, for code that outlives a borrow such as a fault.
    #[must_use]
    pub fn shared_world(&self) -> Arc<Mutex<World>> {
        Arc::clone(&self.site.world)
    }

    /// Replaces the workspaces beside the world's own.
    pub fn set_listed_workspaces(&self, workspaces: Vec<ListedWorkspace>) {
        *written(&self.site.listed) = Arc::new(workspaces);
    }

    /// Every request since the start or the last [`take_requests`](Simulator::take_requests).
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.site.log.all()
    }

    /// The same, and forgets them.
    #[must_use = "the records are gone afterwards"]
    pub fn take_requests(&self) -> Vec<RequestRecord> {
        self.site.log.take()
    }

    /// How many requests have arrived since the start, recorded or not.
    #[must_use]
    pub fn request_count(&self) -> u64 {
        self.site.log.count()
    }

    /// Sets what decides about faults; `None` ends them.
    pub fn set_faults(&self, faults: Option<OnRequest>) {
        *written(&self.site.faults) = faults;
    }

    /// Starts a plan of faults in place of whatever decided before.
    pub fn follow(&self, plan: FaultPlan) {
        self.set_faults(Some(plan.start()));
    }

    /// How the service as a whole behaves at present.
    #[must_use]
    pub fn behaviour(&self) -> Behaviour {
        Behaviour::clone(&self.site.behaviour())
    }

    /// Decides how the service as a whole behaves. Another rate limit than before starts with
    /// empty windows.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        let mut present = written(&self.site.behaviour);
        if present.limit != behaviour.limit {
            *locked(&self.site.limiter) = Limiter::new(Instant::now());
        }
        *present = Arc::new(behaviour);
    }

    /// Ends every fault and every odd behaviour: from now on the service is the usual one.
    pub fn behave(&self) {
        self.set_faults(None);
        self.set_behaviour(Behaviour::default());
        self.world().set_habits(Habits::default());
    }

    /// How many times each fault took effect since the start, by name. Behaviours of the whole
    /// service count where a response shows them.
    #[must_use]
    pub fn faults_given(&self) -> BTreeMap<String, u64> {
        locked(&self.site.given).clone()
    }

    /// The changes that [`Fault::Shift`] made since the last call, in their order, for the script
    /// of a test.
    #[must_use = "the changes are forgotten afterwards"]
    pub fn take_shifts(&self) -> Vec<Change> {
        std::mem::take(&mut locked(&self.site.shifts))
    }

    /// What each credential did under the rate limit since that was set, in the order of their
    /// first requests.
    #[must_use]
    pub fn rate_use(&self) -> Vec<RateUse> {
        locked(&self.site.limiter).used()
    }

    /// Stops listening, lets running responses finish and ends hanging ones.
    pub async fn stop(mut self) {
        self.stopping.send_replace(true);
        if let Some(server) = self.server.take() {
            // A client that keeps a connection busy must not keep the test waiting.
            let _ = tokio::time::timeout(Duration::from_secs(5), server).await;
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stopping.send_replace(true);
    }
}

fn written<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A test that panics while it holds the world should fail by itself, not in every later request.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the requests share.
pub(crate) struct Site {
    pub(crate) origin: String,
    pub(crate) accepted: Accepted,
    pub(crate) disk: Disk,
    listed: RwLock<Arc<Vec<ListedWorkspace>>>,
    gzip: bool,
    quirks: Quirks,
    pub(crate) world: Arc<Mutex<World>>,
    cache: Mutex<Cache>,
    log: Log,
    faults: RwLock<Option<OnRequest>>,
    behaviour: RwLock<Arc<Behaviour>>,
    limiter: Mutex<Limiter>,
    given: Mutex<BTreeMap<String, u64>>,
    pub(crate) shifts: Mutex<Vec<Change>>,
    stopped: watch::Receiver<bool>,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Site")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl Site {
    fn new(
        options: Options,
        world: World,
        address: SocketAddr,
        stopped: watch::Receiver<bool>,
    ) -> Site {
        Site {
            origin: format!("http://{address}"),
            accepted: Accepted::new(&options.credentials),
            disk: Disk::new(options.git_filters),
            listed: RwLock::new(Arc::new(options.listed_workspaces)),
            gzip: options.gzip,
            quirks: Quirks {
                issues_status: options.issues_status,
                sorted_states_limit: options.sorted_states_limit,
                activity_by_cursor: options.activity_by_cursor,
                without_size: false,
                without_next: false,
                lists: ListQuirks::default(),
                unending_pipelines: None,
                pipelines_off: None,
                ignores_fields: false,
            },
            world: Arc::new(Mutex::new(world)),
            cache: Mutex::new(Cache::new(options.cache_bytes)),
            log: Log::new(options.log_requests),
            faults: RwLock::new(options.on_request),
            behaviour: RwLock::new(Arc::new(options.behaviour)),
            limiter: Mutex::new(Limiter::new(Instant::now())),
            given: Mutex::default(),
            shifts: Mutex::default(),
            stopped,
        }
    }

    /// Writes the request down and asks what should go wrong with it.
    fn receive(&self, request: &HttpRequest) -> (u64, Option<Fault>) {
        let number = self.log.arrival();
        let faults = self
            .faults
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if !self.log.is_recording() && faults.is_none() {
            return (number, None);
        }
        let record = RequestRecord {
            number,
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            status: 0,
            fault: None,
        };
        self.log.record(&record);
        (number, faults.and_then(|faults| faults(&record)))
    }

    /// The proper answer.
    fn answer(&self, request: &HttpRequest, behaviour: &Behaviour) -> Answer {
        if request.method() != axum::http::Method::GET {
            return Answer::method_not_allowed();
        }
        let path = request.uri().path();
        let reader = match self.accepted.reader(authorization(request.headers()), path) {
            Ok(reader) => reader,
            Err(refusal) => return refusal,
        };
        if let Some(removed) = behaviour.removal(path) {
            self.count(&[FaultKind::RemovedEndpoint.name().to_owned()]);
            return match removed.status {
                410 => Answer::retired(&removed.change),
                404 => Answer::no_route(),
                status => Answer::error(status, "Resource removed"),
            };
        }
        let query = Query::parse(request.uri().query().unwrap_or_default());
        self.read(path, query, reader, behaviour)
    }

    /// What a reader gets at that address.
    pub(crate) fn read(
        &self,
        path: &str,
        query: Query,
        reader: Reader,
        behaviour: &Behaviour,
    ) -> Answer {
        let listed = self.listed.read().unwrap_or_else(PoisonError::into_inner);
        let listed = Arc::clone(&listed);
        let request = cloud::Request {
            origin: &self.origin,
            path,
            query,
            reader,
            listed: &listed,
            hidden: &behaviour.hidden,
            quirks: Quirks {
                without_size: behaviour.hides_size(path),
                without_next: behaviour.hides_next(path),
                lists: behaviour.of_lists(path, self.log.count()),
                unending_pipelines: behaviour.unending_pipelines,
                pipelines_off: behaviour.pipelines_off,
                ignores_fields: behaviour.ignores_fields,
                ..self.quirks
            },
        };
        // The world first, always: both locks are held together.
        let world = locked(&self.world);
        let mut cache = locked(&self.cache);
        cloud::answer(&world, &mut cache, &request)
    }

    /// The origin that was asked, where that is this machine by another name.
    fn other_origin(request: &HttpRequest) -> Option<String> {
        let host = request.headers().get(axum::http::header::HOST)?;
        let host = host.to_str().ok()?;
        host.starts_with("localhost:")
            .then(|| format!("http://{host}"))
    }

    /// Gives a consumer a token.
    async fn issue_token(&self, request: HttpRequest) -> Reply {
        let (parts, body) = request.into_parts();
        let form = axum::body::to_bytes(body, 1 << 16)
            .await
            .unwrap_or_default();
        let answer = self.accepted.token(authorization(&parts.headers), &form);
        Reply::replaced(answer.status, answer.body.into(), &[])
    }

    pub(crate) fn proper_reply(&self, request: &HttpRequest, behaviour: &Behaviour) -> Reply {
        let mut answer = self.answer(request, behaviour);
        if behaviour.secrets && answer.status == 200 {
            answer.body = cloud::with_secrets(&answer.body, self.log.count());
        }
        if let Some(origin) = Self::other_origin(request) {
            // Addresses of pages lead to where they were asked for.
            answer.body = answer.body.replace(&self.origin, &origin);
            answer.location = answer.location.replace(&self.origin, &origin);
        }
        let mut reply = Reply::proper(answer);
        let told = self
            .accepted
            .headers(authorization(request.headers()), request.uri().path());
        for (name, value) in told {
            reply.say(name, &value);
        }
        let odd = behaviour.in_pages(request.uri().path());
        if !odd.is_empty() && reply.is_numbered_page() {
            let names: Vec<String> = odd.iter().map(|kind| kind.name().to_owned()).collect();
            self.count(&names);
        }
        reply
    }

    fn behaviour(&self) -> Arc<Behaviour> {
        let behaviour = self.behaviour.read();
        Arc::clone(&behaviour.unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the request passes the rate limit; `None` where there is none to pass.
    fn admit(&self, request: &HttpRequest, behaviour: &Behaviour) -> Option<(Admission, Reader)> {
        let limit = behaviour.limit.as_ref()?;
        let credentials = authorization(request.headers());
        let reader = self
            .accepted
            .reader(credentials, request.uri().path())
            .ok()?;
        let mut limiter = locked(&self.limiter);
        // Read under the lock, so that moments come in order.
        let now = Instant::now();
        let admission = limiter.admit(limit, authorization(request.headers()), now);
        Some((admission, reader))
    }

    /// The simulated time in the form of HTTP, so much later and off by the skew.
    pub(crate) fn date(&self, behaviour: &Behaviour, later: TimeDelta) -> String {
        let now = locked(&self.world).now() + behaviour.date_skew + later;
        now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    fn count(&self, names: &[String]) {
        let mut given = locked(&self.given);
        for name in names {
            *given.entry(name.clone()).or_default() += 1;
        }
    }
}

pub(crate) fn authorization(headers: &HeaderMap) -> Option<&str> {
    let authorization = headers.get(header::AUTHORIZATION);
    authorization.map(|value| value.to_str().unwrap_or_default())
}

async fn handle(
    State(site): State<Arc<Site>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: HttpRequest,
) -> Response<Body> {
    let (number, fault) = site.receive(&request);
    let behaviour = site.behaviour();
    if fault.is_none() && request.uri().path() == cloud::TOKEN_PATH {
        let gzip = site.gzip && reply::accepts_gzip(request.headers());
        let reply = site.issue_token(request).await;
        site.log.answered(number, reply.status);
        return reply.send(gzip, &line, site.stopped.clone()).await;
    }
    let (request, question) = git::Question::taken(request);
    // The limit is the API's.
    let admission = match &question {
        Some(_) => None,
        None => site.admit(&request, &behaviour),
    };
    let refused = admission.as_ref().and_then(|(it, _)| it.refused_for);
    let (mut reply, names) = match (refused, fault) {
        (Some(wait), _) => site.refuse(&behaviour, wait),
        (None, Some(fault)) => {
            tokio::time::sleep(fault.delay()).await;
            let git = site.git_reply(question).await;
            site.misbehave(&request, &behaviour, fault, git)
        }
        (None, None) => match site.git_reply(question).await {
            Some(reply) => (reply, Vec::new()),
            None => (site.proper_reply(&request, &behaviour), Vec::new()),
        },
    };
    if let (Some((admission, reader)), Some(limit)) = (admission, &behaviour.limit) {
        reply.tell_limit(limit, &admission, reader);
    }
    if !names.is_empty() {
        site.count(&names);
        site.log.misbehaved(number, names.join(" + "));
    }
    let has_head = reply.ending != Ending::Nothing;
    let gzip = site.gzip && reply::accepts_gzip(request.headers());
    let mut response = reply.send(gzip, &line, site.stopped.clone()).await;
    let date = site.date(&behaviour, TimeDelta::zero());
    if let Ok(date) = HeaderValue::from_str(&date) {
        response.headers_mut().entry(header::DATE).or_insert(date);
    }
    if has_head {
        site.log.answered(number, response.status().as_u16());
    }
    response
}
