//! How long the machine runs.

/// A machine since it started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Uptime {
    /// What names the machine and this start of it; empty where that is not known.
    pub(super) name: String,
    /// How long it runs, asleep or not, in milliseconds.
    pub(super) millis: i64,
}

/// This machine; none where the system does not tell.
#[cfg(target_os = "linux")]
pub(super) fn now() -> Option<Uptime> {
    let read = |path| std::fs::read_to_string(path).ok();
    let name = read("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
    let seconds: f64 = read("/proc/uptime")?.split(' ').next()?.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "years of milliseconds fit")]
    let millis = (seconds * 1000.0) as i64;
    (!name.is_empty() && name.len() <= 64).then_some(Uptime { name, millis })
}

/// This machine; none where the system does not tell.
#[cfg(not(target_os = "linux"))]
pub(super) fn now() -> Option<Uptime> {
    None
}
