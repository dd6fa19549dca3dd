//! The `headwater` program.

use std::process::ExitCode;

use headwater::{cli, commands, output};

/// Rows are many small texts: an allocator made for that saves a fifth of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match cli::parse() {
        Ok(cli) => cli,
        Err(message) => return cli::print(&message).into(),
    };
    commands::start_logging(cli.shared.verbose);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            output::note(format_args!(
                "headwater: the runtime could not be started: {error}"
            ));
            return headwater::exit::Exit::Failed.into();
        }
    };
    let only_prints = cli.command.only_prints();
    let exit = match runtime.block_on(commands::run(cli)) {
        Ok(exit) => exit,
        Err(failure) => {
            output::note(format_args!("headwater: {}", failure.chain()));
            failure.exit
        }
    };
    output::finish(exit, only_prints).into()
}
