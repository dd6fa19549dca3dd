//! Runs a program and measures it from outside, through `/proc`.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::Failure;

/// How often a running program is looked at; what it does after the last look is not seen.
const INTERVAL: Duration = Duration::from_millis(3);
/// Linux gives times of processes in hundredths of a second, whatever the kernel counts in.
const TICKS_PER_SECOND: f64 = 100.0;

/// What one run took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    pub(crate) seconds: f64,
    /// Processor time in seconds, user and system.
    pub(crate) processor: f64,
    pub(crate) peak_megabytes: f64,
    pub(crate) requests: u64,
}

impl Measured {
    /// Two programs, one after the other.
    pub(crate) fn then(self, next: Self) -> Self {
        Self {
            seconds: self.seconds + next.seconds,
            processor: self.processor + next.processor,
            peak_megabytes: self.peak_megabytes.max(next.peak_megabytes),
            requests: self.requests + next.requests,
        }
    }
}

/// Runs a program in a folder until it ends; a failure shows what it wrote.
pub(crate) fn measure(command: &mut Command, folder: &Path) -> Result<Measured, Failure> {
    // Files instead of pipes: no reader is needed while the program runs.
    let (output, errors) = (folder.join("stdout.txt"), folder.join("stderr.txt"));
    command.current_dir(folder);
    command.stdout(File::create(&output)?);
    command.stderr(File::create(&errors)?);
    let started = Instant::now();
    let spawned = command.spawn();
    let mut child = spawned.map_err(|error| format!("{command:?}: {error}"))?;
    let mut measured = watch(&child)?;
    let status = child.wait()?;
    measured.seconds = started.elapsed().as_secs_f64();
    if status.success() {
        return Ok(measured);
    }
    let program = Path::new(command.get_program()).display();
    let arguments: Vec<_> = command.get_args().map(|it| it.to_string_lossy()).collect();
    let said = fs::read_to_string(errors)? + &fs::read_to_string(output)?;
    Err(format!("{program} {}: {status}\n{said}", arguments.join(" ")).into())
}

/// Looks at a program until it has ended but still lies there to be waited for: only then are
/// its times final.
fn watch(child: &Child) -> Result<Measured, Failure> {
    let process = Path::new("/proc").join(child.id().to_string());
    let mut measured = Measured::default();
    loop {
        let stat = fs::read_to_string(process.join("stat"))?;
        let (state, ticks) = state_and_ticks(&stat)?;
        measured.processor = ticks / TICKS_PER_SECOND;
        if state == "Z" {
            return Ok(measured);
        }
        let peak = peak_kilobytes(&fs::read_to_string(process.join("status"))?);
        measured.peak_megabytes = measured.peak_megabytes.max(peak / 1024.0);
        std::thread::sleep(INTERVAL);
    }
}

/// State and processor time of `/proc/PID/stat`.
fn state_and_ticks(stat: &str) -> Result<(&str, f64), Failure> {
    // The name of the program comes before, and may hold spaces and parentheses.
    let (_, fields) = stat.rsplit_once(')').ok_or("unreadable /proc/PID/stat")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let [state, .., user, system] = fields.get(..13).ok_or("short /proc/PID/stat")? else {
        return Err("short /proc/PID/stat".into());
    };
    Ok((state, user.parse::<f64>()? + system.parse::<f64>()?))
}

/// Largest resident memory so far; 0 when the program has just ended.
fn peak_kilobytes(status: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    number
        .and_then(|number| number.trim().parse().ok())
        .unwrap_or_default()
}
