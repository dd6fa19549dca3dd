//! What servers were seen to do that nothing documents.

use sea_orm::DbErr;

use crate::Store;
use crate::database::Row;
use crate::database::transaction::Transaction;
use crate::error::{During, StoreError};
use crate::rows::shape::Shape;

const HELD: &str = "held";
const BROKEN: &str = "broken";

/// How often a claim about the server of a connection was seen to hold, and how often it was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// How often it held.
    pub held: i64,
    /// How often it did not.
    pub broken: i64,
}

const PROOF: &str = "SELECT verdict, seen FROM _headwater_proofs \
                     WHERE connection_id = ? AND claim = ?";

fn read(rows: &[Row]) -> Result<Proof, DbErr> {
    let mut proof = Proof::default();
    for row in rows {
        let verdict: String = row.get(0)?;
        match verdict.as_str() {
            HELD => proof.held = row.get(1)?,
            _ => proof.broken = row.get(1)?,
        }
    }
    Ok(proof)
}

impl Store {
    /// What was seen of a claim about the server of a connection.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn proof(&self, connection_id: i64, claim: &str) -> Result<Proof, StoreError> {
        let values = vec![connection_id.into(), claim.into()];
        let rows = self.query_all(PROOF, values).await?;
        read(&rows).during(PROOF)
    }
}

impl Transaction<'_> {
    /// Adds what was seen of a claim about the server of a connection. Where two processes add at
    /// the same time one of the numbers may be lost, but never that there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_proof(
        &self,
        (connection_id, claim): (i64, &str),
        more: Proof,
    ) -> Result<(), StoreError> {
        let rows = self
            .query_all(PROOF, vec![connection_id.into(), claim.into()])
            .await?;
        let before = read(&rows).during(PROOF)?;
        let sums = [
            (HELD, before.held, more.held),
            (BROKEN, before.broken, more.broken),
        ];
        let seen = sums.into_iter().filter(|(_, _, more)| *more > 0);
        let rows = seen.map(|(verdict, before, more)| {
            let seen = before.saturating_add(more);
            vec![
                connection_id.into(),
                claim.into(),
                verdict.into(),
                seen.into(),
            ]
        });
        let shape = Shape::plain(
            "_headwater_proofs",
            &["connection_id", "claim", "verdict", "seen"],
            &["connection_id", "claim", "verdict"],
        );
        self.upsert(&shape, rows.collect()).await
    }
}
