//! One, two and four times as much: the time of a first sync grows with it, and no faster.

use crate::databases::{into_file, into_server, median, name};
use crate::{Arguments, Failure, bench};

/// How many times as much is synced.
const FACTORS: [usize; 3] = [1, 2, 4];

/// Variables that hold the addresses of servers on which databases may be made.
const SERVERS: [&str; 2] = ["HEADWATER_TEST_POSTGRES", "HEADWATER_TEST_MARIADB"];

pub(crate) fn measure(arguments: &Arguments) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new()?;
    let servers: Vec<String> = SERVERS
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .collect();
    let mut databases = vec![None];
    databases.extend(servers.iter().map(Some));
    // Seconds by database and factor.
    let mut seconds = vec![[f64::NAN; FACTORS.len()]; databases.len()];
    for (place, factor) in FACTORS.into_iter().enumerate() {
        let mut bench = bench(arguments, factor)?;
        for (database, server) in databases.iter().enumerate() {
            let mut rounds = Vec::new();
            for _ in 0..arguments.rounds {
                let (first, _) = match server {
                    None => into_file(&mut bench)?,
                    Some(server) => into_server(&mut bench, &runtime, server)?,
                };
                rounds.push(first.seconds);
            }
            seconds[database][place] = median(rounds.into_iter());
            let (name, took) = (name(*server), seconds[database][place]);
            println!("{factor} times as much into {name}: {took:.2} s");
        }
    }
    println!("\n| database | 1 × s | 2 × s | 4 × s | 2 × to 1 × | 4 × to 1 × |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    for (server, [one, two, four]) in databases.iter().zip(seconds) {
        println!(
            "| {} | {one:.2} | {two:.2} | {four:.2} | {:.2} | {:.2} |",
            name(*server),
            two / one,
            four / one,
        );
    }
    Ok(())
}
