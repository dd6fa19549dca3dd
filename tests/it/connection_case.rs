//! What can be wrong with a connection, and the program's opinion of it.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use headwater_simulator::{
    Consumer, Credentials, Fault, ListedWorkspace, OnRequest, Options, Simulator, Size,
};
use serde_json::Value;

use crate::network::Authority;

/// Every credential that appears in a situation; none may appear in an output.
const SECRETS: [&str; 12] = [
    "api-t0ken-secret",
    "few-sc0pes-secret",
    "no-pull-requests-secret",
    "old-t0ken-secret",
    "access-t0ken-secret",
    "narrow-t0ken-secret",
    "old-access-secret",
    "ATBBapp-passw0rd-secret",
    "consumer-secret",
    "wrong-secret",
    "proxy-secret",
    "issued-",
];

pub(crate) const API_TOKEN: &str =
    "kind = \"api-token\", email = \"me@example.com\", token = \"env:TOKEN\"";
pub(crate) const ACCESS_TOKEN: &str = "kind = \"access-token\", token = \"env:TOKEN\"";
pub(crate) const OAUTH: &str =
    "kind = \"oauth\", key = \"key\", secret = \"env:TOKEN\", token_url = \"TOKEN_URL\"";
pub(crate) const BASIC: &str = "kind = \"basic\", user = \"jane\", password = \"env:TOKEN\"";
pub(crate) const NONE: &str = "kind = \"none\"";

/// What is in the file and in the environment, and what must come out.
pub(crate) struct ConnectionCase {
    pub(crate) name: &'static str,
    auth: String,
    token: &'static str,
    scopes: &'static str,
    endpoint: Option<String>,
    further: String,
    proxy: String,
    fault: Option<(&'static str, Fault)>,
    code: &'static str,
    cause: &'static str,
    exit: i32,
    /// What the detail says.
    says: &'static str,
    /// What the next step says.
    advises: &'static str,
}

impl ConnectionCase {
    pub(crate) fn new(name: &'static str, auth: &str, token: &'static str) -> Self {
        Self {
            name,
            auth: auth.to_owned(),
            token,
            scopes: r#"["acme/*"]"#,
            endpoint: None,
            further: String::new(),
            proxy: String::new(),
            fault: None,
            code: "ok",
            cause: "",
            exit: 0,
            says: "acme",
            advises: "",
        }
    }

    /// One with an API token that is accepted.
    pub(crate) fn sound(name: &'static str) -> Self {
        Self::new(name, API_TOKEN, "api-t0ken-secret")
    }

    pub(crate) fn scopes(mut self, scopes: &'static str) -> Self {
        self.scopes = scopes;
        self
    }

    pub(crate) fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    pub(crate) fn further(mut self, lines: &str) -> Self {
        self.further.push_str(lines);
        self
    }

    pub(crate) fn proxy(mut self, address: impl Into<String>) -> Self {
        self.proxy = address.into();
        self.further.push_str("proxy = \"env:PROXY_ADDRESS\"\n");
        self
    }

    /// The fault hits every request whose path ends so.
    pub(crate) fn fault(mut self, path: &'static str, fault: Fault) -> Self {
        self.fault = Some((path, fault));
        self
    }

    pub(crate) fn status(self, status: u16, body: &'static str) -> Self {
        let fault = Fault::Status(status, body.into(), Vec::new());
        self.fault("", fault)
    }

    pub(crate) fn expect(
        mut self,
        code: &'static str,
        says: &'static str,
        advises: &'static str,
    ) -> Self {
        self.code = code;
        self.exit = match code {
            "ok" => 0,
            "invalid_credentials" | "invalid_permissions" | "no_resources" => 4,
            _ => 6,
        };
        self.says = says;
        self.advises = advises;
        self
    }

    pub(crate) fn unreachable(
        self,
        cause: &'static str,
        says: &'static str,
        advises: &'static str,
    ) -> Self {
        Self {
            cause,
            ..self.expect("unreachable", says, advises)
        }
    }

    fn config(&self, simulator: &Simulator) -> String {
        let endpoint = self.endpoint.clone();
        format!(
            "[[connection]]\nid = 1\nname = \"acme-cloud\"\nkind = \"bitbucket-cloud\"\n\
             endpoint = \"{}\"\nauth = {{ {} }}\nscopes = {}\n{}",
            endpoint.unwrap_or_else(|| simulator.endpoint()),
            self.auth.replace("TOKEN_URL", &simulator.token_url()),
            self.scopes,
            self.further,
        )
    }
}

/// The program without any variables of ours that would change what it does.
pub(crate) fn run(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
    command.args(arguments).current_dir(folder);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command
        .env_remove("HEADWATER_CONFIG")
        .env_remove("RUST_LOG");
    command.envs(variables.iter().copied()).output().unwrap()
}

pub(crate) async fn simulator() -> Simulator {
    let people = [
        "api-t0ken-secret",
        "few-sc0pes-secret",
        "no-pull-requests-secret",
        "no-pipelines-secret",
        "old-t0ken-secret",
    ];
    let people = people.map(|token| ("me@example.com".to_owned(), token.to_owned()));
    let scopes = [
        ("few-sc0pes-secret", vec!["read:user:bitbucket"]),
        ("no-pull-requests-secret", vec!["read:repository:bitbucket"]),
        (
            "no-pipelines-secret",
            vec!["read:repository:bitbucket", "read:pullrequest:bitbucket"],
        ),
        ("narrow-t0ken-secret", vec!["repository"]),
    ];
    let scopes = scopes.map(|(token, names)| {
        let names = names.into_iter().map(str::to_owned);
        (token.to_owned(), names.collect())
    });
    let credentials = Credentials {
        api_tokens: people.to_vec(),
        access_tokens: [
            "access-t0ken-secret",
            "narrow-t0ken-secret",
            "old-access-secret",
        ]
        .map(str::to_owned)
        .to_vec(),
        anonymous: true,
        scopes: scopes.to_vec(),
        expired: vec![
            "old-t0ken-secret".to_owned(),
            "old-access-secret".to_owned(),
        ],
        app_passwords: vec![("jane".to_owned(), "ATBBapp-passw0rd-secret".to_owned())],
        consumers: vec![Consumer::new("key", "consumer-secret")],
        ..Credentials::default()
    };
    let options = Options {
        size: Size::default(),
        listed_workspaces: vec![
            ListedWorkspace::new("empty", 0),
            ListedWorkspace::new("other", 3),
        ],
        credentials,
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

/// Runs the test as lines and as JSON, and compares both with what is expected.
pub(crate) async fn check(simulator: &Simulator, case: ConnectionCase) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("headwater.toml"), case.config(simulator)).unwrap();
    Authority::shared().write(&folder.path().join("ca.pem"));
    simulator.set_faults(case.fault.clone().map(|(path, fault)| {
        let faults: OnRequest =
            Arc::new(move |request| request.path.ends_with(path).then(|| fault.clone()));
        faults
    }));
    let name = case.name;
    let (proxy, token) = (case.proxy.clone(), case.token);
    let (lines, json) = tokio::task::spawn_blocking(move || {
        let variables = [("TOKEN", token), ("PROXY_ADDRESS", proxy.as_str())];
        let test = ["-vv", "connection", "test", "acme-cloud"];
        let lines = run(folder.path(), &variables, &test);
        let json = run(folder.path(), &variables, &["--json", "connection", "test"]);
        (lines, json)
    })
    .await
    .unwrap();

    let text = String::from_utf8(lines.stdout.clone()).unwrap();
    let log = String::from_utf8_lossy(&lines.stderr).into_owned();
    let told: Value = serde_json::from_slice(&json.stdout)
        .unwrap_or_else(|error| panic!("{name}: {error}: {text}\n{log}"));
    let code = told["code"].as_str().unwrap();
    assert_eq!(code, case.code, "{name}: {told}\n{log}");
    assert_eq!(
        told["cause"].as_str().unwrap_or_default(),
        case.cause,
        "{name}: {told}"
    );
    assert_eq!(told["exit"], case.exit, "{name}: {told}");
    assert_eq!(json.status.code(), Some(case.exit), "{name}: {told}");
    assert_eq!(lines.status.code(), Some(case.exit), "{name}: {text}");
    assert!(
        text.starts_with(&format!("acme-cloud: {code}")),
        "{name}: {text}"
    );
    let detail = told["detail"].as_str().unwrap();
    assert!(detail.contains(case.says), "{name}: {told}");
    match told["next"].as_str() {
        None => assert_eq!(code, "ok", "{name}"),
        Some(next) => {
            assert!(next.contains(case.advises), "{name}: {next}");
            assert!(text.contains(next), "{name}: {text}");
            assert!(
                next.ends_with('.') && !next.contains(". "),
                "{name}: one sentence: {next}"
            );
        }
    }
    let json_text = String::from_utf8_lossy(&json.stdout).into_owned();
    for secret in SECRETS {
        for output in [&text, &log, &json_text] {
            assert!(!output.contains(secret), "{name} shows {secret}: {output}");
        }
    }
}
