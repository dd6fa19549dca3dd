//! Schedules of projects: kept as the configuration has them, and fired once each time.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use headwater_store::queue::{NewRun, ScheduleRecord};
use headwater_store::{Store, StoreError};

use crate::config::{Project, Schedule};

/// The schedules of a configuration, in a database.
#[derive(Clone, Copy, Debug)]
pub struct Schedules<'a> {
    /// Where they are kept.
    pub store: &'a Store,
    /// The projects of the configuration.
    pub projects: &'a [Project],
}

impl Schedules<'_> {
    /// Makes the kept schedules those of the configuration: new ones begin with their next time, a
    /// changed one too, and one that is gone is forgotten. A pause stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let kept = self.store.schedules().await?;
        for project in self.projects {
            let Some(schedule) = &project.schedule else {
                continue;
            };
            let known = kept.iter().find(|record| record.project == project.name);
            let timezone = project.timezone.name();
            let fresh = ScheduleRecord {
                project: project.name.clone(),
                expression: schedule.as_str().to_owned(),
                timezone: timezone.to_owned(),
                fired: known.map_or(0, |known| known.fired),
                next_due_at: schedule.next_after(now, project.timezone),
                ..ScheduleRecord::default()
            };
            match known {
                None => self.store.add_schedule(&fresh).await?,
                Some(known)
                    if known.expression != fresh.expression || known.timezone != timezone =>
                {
                    self.store.change_schedule(&fresh).await?;
                }
                Some(_) => {}
            }
        }
        for gone in kept.iter().filter(|record| self.of(record).is_none()) {
            self.store.remove_schedule(&gone.project).await?;
        }
        Ok(())
    }

    /// Queues a run for each schedule that is due. However long nobody looked, it is one run: what
    /// was missed meanwhile would find nothing more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fire_due(&self, now: DateTime<Utc>) -> Result<Vec<i64>, StoreError> {
        let mut fired = Vec::new();
        for record in self.store.schedules().await? {
            let (Some(due_at), Some((schedule, timezone))) = (record.next_due_at, self.of(&record))
            else {
                continue;
            };
            if record.paused || due_at > now {
                continue;
            }
            let missed = schedule
                .next_after(due_at, timezone)
                .is_some_and(|next| next <= now);
            let run = NewRun {
                command: "sync".to_owned(),
                project: record.project.clone(),
                reason: if missed { "catch-up" } else { "schedule" },
                due_at: Some(due_at),
            };
            let next = schedule.next_after(now, timezone);
            let queued = self.store.fire_schedule(&record, next, (&run, now)).await?;
            fired.extend(queued);
        }
        Ok(fired)
    }

    fn of(&self, record: &ScheduleRecord) -> Option<(&Schedule, Tz)> {
        let project = self.projects.iter().find(|it| it.name == record.project)?;
        Some((project.schedule.as_ref()?, project.timezone))
    }
}

/// The next times of a schedule after a time (UTC), at most as many as are asked for.
#[must_use]
pub fn upcoming(
    schedule: &Schedule,
    timezone: Tz,
    after: DateTime<Utc>,
    most: usize,
) -> Vec<DateTime<Utc>> {
    let next = |time: &DateTime<Utc>| schedule.next_after(*time, timezone);
    std::iter::successors(next(&after), next)
        .take(most)
        .collect()
}
