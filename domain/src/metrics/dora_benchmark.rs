//! `dora_benchmarks`.

use headwater_macros::table;

/// The bands of one DORA metric in one report.
#[table("dora_benchmarks")]
pub struct Model {
    /// 1 to 8.
    #[key]
    pub id: i64,
    /// Name of the metric, as dashboards show it.
    pub metric: String,
    /// What low means.
    pub low: String,
    /// What medium means.
    pub medium: String,
    /// What high means.
    pub high: String,
    /// What elite means.
    pub elite: String,
    /// Year of the report: 2021 or 2023.
    #[width(20)]
    pub dora_report: String,
}
