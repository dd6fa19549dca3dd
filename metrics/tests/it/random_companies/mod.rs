//! Small random companies, whose numbers are computed once more by brute force: from the
//! definitions, with sets and loops, and without the code under test.

mod brute;
mod counted;
mod world;

use chrono::{Days, NaiveDate};
use headwater_metrics::{By, Edition, Metric, Range, explain, measure, report};
use serde_json::json;

use crate::hand_made_cases::{compare, parts_add_up};
use brute::Brute;
use counted::Window;
use world::World;

const COMPANIES: u64 = 150;

const ALL: [By; 6] = [
    By::Day,
    By::Week,
    By::Month,
    By::Quarter,
    By::Repository,
    By::Environment,
];

#[test]
fn random_companies_give_the_numbers_that_brute_force_gives() {
    let mut wrong = Vec::new();
    for seed in 1..=COMPANIES {
        let mut world = World::of(seed);
        let (facts, rules) = (world.facts(), world.rules.clone());
        let measured = measure(&facts, &rules);
        let windows = ALL.map(|by| (by, world.dice(15), 1 + world.dice(70)));
        let brute = Brute::of(&world);
        let place = format!("company {seed}");
        let rows = crate::hand_made_cases::rows_of("project_pr_metrics", &measured);
        compare(&brute.pull_requests(), &json!(rows), &place, &mut wrong);
        let links = "project_incident_deployment_relationships";
        let links = crate::hand_made_cases::rows_of(links, &measured);
        compare(&brute.links(), &json!(links), &place, &mut wrong);
        let unlinked = measured.unlinked.iter();
        let unlinked: std::collections::BTreeMap<&str, &str> = unlinked
            .map(|(id, reason)| (id.as_str(), reason.name()))
            .collect();
        assert_eq!(json!(unlinked), brute.unlinked(), "{place}");
        assert_eq!(
            json!(
                measured
                    .previous
                    .iter()
                    .map(|((id, _), before)| (id, before))
                    .collect::<std::collections::BTreeMap<_, _>>()
            ),
            brute.previous(),
            "{place}"
        );
        for (by, after, days) in windows {
            let from = NaiveDate::from_ymd_opt(2024, 2, 20).unwrap() + Days::new(after);
            let to = from + Days::new(days);
            let range = Range::new(from, to, rules.timezone).unwrap();
            let given = report(&facts, &rules, &measured, &range, by, Edition::Report2023);
            let window = Window {
                from,
                to,
                by,
                rules: &rules,
            };
            let place = format!("{place} {from} {to} {}", by.name());
            compare(&brute.report(&window), &given, &place, &mut wrong);
            for metric in Metric::ALL {
                let explained = explain(&facts, &rules, &measured, &range, metric);
                parts_add_up(metric, &explained, &place, &mut wrong);
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
