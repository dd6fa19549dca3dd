//! Converted rows as text that people can read, for snapshots.

use headwater_domain::{Origin, Rows, Sourced};
use headwater_testing::show_row;
use sea_orm::EntityTrait;

use crate::{Convert, Related};

pub(crate) use headwater_testing::{column, scope};

type Driver<C> = <<C as Convert>::Driver as EntityTrait>::Model;

/// A row made of the raw row with this id.
pub(crate) fn sourced<M>(id: i64, row: M) -> Sourced<M> {
    let origin = Origin {
        id,
        ..Origin::default()
    };
    Sourced { row, origin }
}

/// What a driver row, made of raw row 1, becomes together with its related rows.
pub(crate) fn convert<C: Convert>(driver: Driver<C>, related: &Related) -> Rows {
    let driver = sourced(1, driver);
    let mut rows = Rows::default();
    rows.from_origin(driver.origin.clone());
    C::convert(&scope(), driver, related, &mut rows);
    let written: Vec<&str> = C::writes().iter().map(|write| write.table.name).collect();
    for table in rows.tables() {
        assert!(
            written.contains(&table.table.name),
            "{} is declared",
            table.table.name
        );
    }
    rows
}

/// The same as text: every row as its table, its raw row, and one line per column.
pub(crate) fn converted<C: Convert>(driver: Driver<C>, related: &Related) -> String {
    let rows = convert::<C>(driver, related);
    let mut text = String::new();
    for table in rows.tables() {
        for row in &table.rows {
            let heading = format!("{} of raw row {}", table.table.name, row.origin.id);
            show_row(&mut text, &heading, table.table, &row.values);
        }
    }
    text
}
