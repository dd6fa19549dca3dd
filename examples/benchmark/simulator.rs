//! Bitbucket as a process of its own, so that its work is not counted as the client's.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use headwater_simulator::{Options, Simulator};

use crate::Failure;

/// What the child does: prints its endpoint and its repository, then answers every line with the
/// number of requests so far, until its standard input ends.
pub(crate) fn serve(pull_requests: usize, comments: usize) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let options = Options::benchmark(pull_requests, comments);
    let simulator = runtime.block_on(Simulator::start(options))?;
    let repository = {
        let world = simulator.world();
        let only = world
            .repositories()
            .first()
            .ok_or("a world without repositories")?;
        world.full_name(only)
    };
    let mut output = io::stdout().lock();
    writeln!(output, "{}\n{repository}", simulator.endpoint())?;
    output.flush()?;
    for line in io::stdin().lines() {
        line?;
        writeln!(output, "{}", simulator.request_count())?;
        output.flush()?;
    }
    Ok(())
}

/// The child, as its parent sees it. It ends with its parent, whatever happens to that.
pub(crate) struct Server {
    pub(crate) endpoint: String,
    /// Full name, `workspace/slug`.
    pub(crate) repository: String,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    child: Child,
}

impl Server {
    pub(crate) fn start(part: &[String]) -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(part)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut server = Self {
            endpoint: String::new(),
            repository: String::new(),
            questions: child.stdin.take(),
            answers: BufReader::new(child.stdout.take().ok_or("no pipe from the simulator")?),
            child,
        };
        server.endpoint = server.line()?;
        server.repository = server.line()?;
        Ok(server)
    }

    /// Requests that arrived so far.
    pub(crate) fn count(&mut self) -> Result<u64, Failure> {
        self.ask("count")
    }

    /// Lets a hundred items change.
    pub(crate) fn change(&mut self) -> Result<(), Failure> {
        self.ask("change").map(drop)
    }

    fn ask(&mut self, question: &str) -> Result<u64, Failure> {
        let questions = self.questions.as_mut().ok_or("no pipe to the simulator")?;
        writeln!(questions, "{question}")?;
        questions.flush()?;
        Ok(self.line()?.parse()?)
    }

    fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err("the simulator ended".into());
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.questions.take());
        // A child that is gone already is what is wanted here.
        let _ = self.child.wait();
    }
}
