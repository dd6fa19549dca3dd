//! `completions` and `man`: what the command line says of itself, in the forms of shells and `man`.

use std::path::Path;

use clap_complete::Shell;

use crate::cli::{self, Shared};
use crate::exit::{Exit, Failure};
use crate::output::{self, written};

pub(super) fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut cli::command(), "headwater", &mut script);
    print(&script)
}

pub(super) fn man(shared: &Shared, folder: Option<&Path>) -> Result<Exit, Failure> {
    let Some(folder) = folder else {
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(cli::plain_command()).render(&mut page);
        rendered.map_err(|error| Failure::because(Exit::Failed, "writing the page", error))?;
        return print(&page);
    };
    let shown = folder.display();
    let failed = |error| Failure::because(Exit::Failed, format!("writing pages to {shown}"), error);
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(cli::plain_command(), folder).map_err(failed)?;
    if !shared.quiet {
        output::line(format_args!(
            "wrote a page for each command to {shown}; `man {shown}/headwater.1` shows the first"
        ));
    }
    Ok(Exit::Ok)
}

fn print(text: &[u8]) -> Result<Exit, Failure> {
    let mut out = output::data();
    let printed = std::io::Write::write_all(&mut out, text);
    written(printed.and_then(|()| std::io::Write::flush(&mut out)))
}
