//! Prism as a child process.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;

/// How long Prism may take to read the description.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running Prism; it ends when this is dropped.
pub(crate) struct Prism {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub(crate) origin: String,
}

impl Prism {
    /// Starts Prism in front of a server and waits until it listens. What it prints goes to `log`.
    pub(crate) async fn start(
        program: &Path,
        description: &Path,
        server: &str,
        log: &Path,
    ) -> Result<Self, Failure> {
        // Free now; should another program take it in between, Prism ends and says why.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let output = File::create(log)?;
        let child = Command::new(program)
            .arg("proxy")
            .arg("--errors")
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .args(["--verboseLevel", "warn"])
            .arg(description)
            .arg(server)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .map_err(|error| format!("{} does not start: {error}", program.display()))?;
        let mut prism = Self {
            child,
            origin: format!("http://127.0.0.1:{port}"),
        };
        prism.wait(port, log).await?;
        Ok(prism)
    }

    async fn wait(&mut self, port: u16, log: &Path) -> Result<(), Failure> {
        let begun = Instant::now();
        loop {
            let connected = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
            if connected.is_ok() {
                return Ok(());
            }
            if self.child.try_wait()?.is_some() || begun.elapsed() > PATIENCE {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                return Err(format!("Prism does not listen; it says:\n{said}").into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        // A child that is gone already is what is wanted here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
