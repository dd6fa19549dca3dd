//! Files that end: a pipe or a device may never do.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Reads a whole file that is a regular one and not larger than this many bytes.
///
/// # Errors
/// When it is something else, is larger, or cannot be read.
pub fn read_regular(path: &Path, largest: u64) -> io::Result<Vec<u8>> {
    // Asked before it is opened: opening a pipe waits for its writer.
    require_regular(&std::fs::metadata(path)?)?;
    let file = File::open(path)?;
    require_regular(&file.metadata()?)?;
    let mut bytes = Vec::new();
    file.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        let what = format!("it is larger than {largest} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    Ok(bytes)
}

fn require_regular(metadata: &std::fs::Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let what = "it is no regular file but a folder, a pipe or a device";
    Err(io::Error::new(io::ErrorKind::InvalidInput, what))
}
