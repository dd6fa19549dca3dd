//! The bands of the DORA reports, as dashboards show them.

use headwater_domain::metrics::dora_benchmark::Model;

/// Report, metric, then low, medium, high and elite.
const BANDS: [[&str; 6]; 8] = [
    [
        "2021",
        "Deployment frequency",
        "Fewer than once per six months(low)",
        "Between once per month and once every 6 months(medium)",
        "Between once per day and once per month(high)",
        "On-demand(elite)",
    ],
    [
        "2021",
        "Lead time for changes",
        "More than six months(low)",
        "Between one week and six months(medium)",
        "Less than one week(high)",
        "Less than one hour(elite)",
    ],
    [
        "2021",
        "Change failure rate",
        "> 30%(low)",
        "21%-30%(medium)",
        "16%-20%(high)",
        "0-15%(elite)",
    ],
    [
        "2021",
        "Time to restore service",
        "More than one week(low)",
        "Between one day and one week(medium)",
        "Less than one day(high)",
        "Less than one hour(elite)",
    ],
    [
        "2023",
        "Deployment frequency",
        "Fewer than once per month(low)",
        "Between once per week and once per month(medium)",
        "Between once per day and once per week(high)",
        "On-demand(elite)",
    ],
    [
        "2023",
        "Lead time for changes",
        "More than one month(low)",
        "Between one week and one month(medium)",
        "Between one day and one week(high)",
        "Less than one day(elite)",
    ],
    [
        "2023",
        "Change failure rate",
        "> 15%(low)",
        "10%-15%(medium)",
        "5%-10%(high)",
        "0-5%(elite)",
    ],
    [
        "2023",
        "Failed deployment recovery time",
        "More than one week(low)",
        "Between one day and one week(medium)",
        "Less than one day(high)",
        "Less than one hour(elite)",
    ],
];

/// The rows of `dora_benchmarks`, numbered from 1.
pub(super) fn all() -> Vec<Model> {
    let rows = (1..).zip(BANDS).map(|(id, band)| {
        let [dora_report, metric, low, medium, high, elite] = band.map(str::to_owned);
        Model {
            id,
            metric,
            low,
            medium,
            high,
            elite,
            dora_report,
        }
    });
    rows.collect()
}
