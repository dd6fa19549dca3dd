//! Git processes that a killed run left behind.
//!
//! A git that is being read from ends when its reader is gone, but one that waits for a silent
//! server does not. So its process is noted beside the mirror, together with the time it was
//! started, since numbers of processes are used again. This works where there is `/proc`;
//! elsewhere the next run waits until such a git gives up by itself.

use std::path::Path;

use super::place::Place;

/// Where a child is noted; the note goes with this.
pub(super) struct Note<'a> {
    place: &'a Place,
}

impl<'a> Note<'a> {
    pub(super) fn beside(place: &'a Place) -> Self {
        Self { place }
    }

    /// Notes a child that runs; without `/proc` nothing is noted.
    pub(super) fn child(&self, id: Option<u32>) {
        if let Some((id, process)) = id.and_then(|id| Some((id, Process::read(id)?))) {
            let note = format!("{id} {} {}\n", process.started, process.parent);
            // Without the note there is only a longer wait after a kill.
            let _ = std::fs::write(self.place.child(), note);
        }
    }
}

impl Drop for Note<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.place.child());
    }
}

/// Ends the noted children, of all mirrors beside this one, whose parent is gone. All, because a
/// child of another mirror may hold this one's lock.
pub(super) fn end_all(folder: &Path) {
    let Some(entries) = folder
        .parent()
        .and_then(|root| std::fs::read_dir(root).ok())
    else {
        return;
    };
    for entry in entries.flatten() {
        let place = Place {
            folder: entry.path(),
        };
        if let Ok(note) = std::fs::read_to_string(place.child()) {
            end(&note);
        }
    }
}

/// Ends the process group that a note names, if it is the same one and its parent is gone.
fn end(note: &str) -> Option<()> {
    let mut numbers = note.split_whitespace();
    let id: u32 = numbers.next()?.parse().ok()?;
    let started: u64 = numbers.next()?.parse().ok()?;
    let parent: u32 = numbers.next()?.parse().ok()?;
    let process = Process::read(id)?;
    if process.started != started || process.parent == parent || process.group != id {
        return None;
    }
    #[cfg(unix)]
    {
        let group = rustix::process::Pid::from_raw(i32::try_from(id).ok()?)?;
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    Some(())
}

/// What the system says of a process.
struct Process {
    parent: u32,
    group: u32,
    /// In ticks since the system was started.
    started: u64,
}

impl Process {
    fn read(id: u32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name, in parentheses, may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
        })
    }
}
