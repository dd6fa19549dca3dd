//! The pause of a whole credential after the server said that it asks too much.

use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rand::Rng;
use tokio::time::{Instant, sleep_until};

use super::token_bucket::Counted;

/// First pause where the server names none; each further one is twice as long. Tests do not wait.
const FIRST: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 1000 });

/// Doublings after which pauses grow no more: about four minutes.
const DOUBLINGS: u32 = 8;

/// When requests of a credential go on.
#[derive(Default)]
pub(super) struct Pause(Mutex<State>);

#[derive(Clone, Copy, Default)]
struct State {
    began: Option<Instant>,
    until: Option<Instant>,
    /// Refusals one after the other, those of one moment counted once.
    streak: u32,
}

impl Pause {
    /// Notes that a request sent at this time was refused. Returns how long everything pauses now.
    ///
    /// A server that asks to come back at once, and then refuses again, is not obeyed the next time.
    pub(super) fn refused(
        &self,
        sent: Instant,
        asked: Option<Duration>,
        longest: Duration,
    ) -> Duration {
        let mut state = self.lock();
        let now = Instant::now();
        // Requests that were under way together are refused together.
        let same_moment = state.began.is_some_and(|began| sent < began);
        if !same_moment {
            state.streak += 1;
            state.began = Some(now);
        }
        let own = match asked {
            Some(_) if state.streak <= 1 => Duration::ZERO,
            Some(_) => backoff(state.streak - 1),
            None if same_moment => Duration::ZERO,
            None => backoff(state.streak),
        };
        let pause = asked.unwrap_or_default().max(own).min(longest);
        state.until = state.until.max(Some(now + pause));
        state.until.map_or(pause, |until| until - now)
    }

    /// Pauses for a time that the server named.
    pub(super) fn pause(&self, pause: Duration) {
        let mut state = self.lock();
        state.until = state.until.max(Some(Instant::now() + pause));
    }

    /// Notes that a request sent at this time went through.
    pub(super) fn passed(&self, sent: Instant) {
        let mut state = self.lock();
        if state.began.is_none_or(|began| sent >= began) {
            state.streak = 0;
        }
    }

    /// True while requests must wait.
    pub(super) fn is_on(&self) -> bool {
        self.lock()
            .until
            .is_some_and(|until| Instant::now() < until)
    }

    /// Returns when requests may go.
    pub(super) async fn over(&self, waiting: &AtomicUsize) {
        loop {
            let until = self.lock().until;
            match until {
                Some(until) if Instant::now() < until => {
                    let _counted = Counted::new(waiting);
                    sleep_until(until).await;
                }
                _ => return,
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Between half and all of the exponential pause, so that processes do not come back together.
fn backoff(streak: u32) -> Duration {
    let full = FIRST * 2u32.saturating_pow(streak.saturating_sub(1).min(DOUBLINGS));
    full.mul_f64(rand::rng().random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn everything_waits_as_long_as_the_server_asks_up_to_the_window() {
        for (asked, expected) in [(0, 0), (7, 7), (3600, 3600), (1_000_000, 3600)] {
            let pause = Pause::default();
            let began = Instant::now();
            pause.refused(began, Some(seconds(asked)), HOUR);
            assert_eq!(pause.is_on(), expected > 0);
            pause.over(&AtomicUsize::new(0)).await;
            assert_eq!(began.elapsed().as_secs(), expected, "{asked}");
            assert!(!pause.is_on());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_of_one_moment_count_once_and_later_ones_wait_longer() {
        let pause = Pause::default();
        let mut last = Duration::ZERO;
        for streak in 1..12 {
            let sent = Instant::now();
            tokio::time::advance(Duration::from_millis(1)).await;
            let own = FIRST * 2u32.pow((streak - 1).min(DOUBLINGS));
            for _ in 0..8 {
                last = pause.refused(sent, None, HOUR);
                assert!(last <= own && last >= own / 2, "{streak}: {last:?}");
            }
            pause.over(&AtomicUsize::new(0)).await;
        }
        assert!(last > FIRST);
        pause.passed(Instant::now());
        assert!(pause.refused(Instant::now(), None, HOUR) <= FIRST);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_asks_to_come_back_at_once_again_and_again_is_not_hammered() {
        let pause = Pause::default();
        let began = Instant::now();
        for _ in 0..10 {
            pause.refused(Instant::now(), Some(seconds(0)), HOUR);
            pause.over(&AtomicUsize::new(0)).await;
        }
        assert!(began.elapsed() >= FIRST * 100, "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_shorter_pause_does_not_end_a_longer_one() {
        let pause = Pause::default();
        let sent = Instant::now();
        pause.refused(sent, Some(seconds(60)), HOUR);
        assert_eq!(pause.refused(sent, Some(seconds(1)), HOUR).as_secs(), 60);
        pause.pause(Duration::from_secs(5));
        pause.over(&AtomicUsize::new(0)).await;
        assert_eq!(sent.elapsed().as_secs(), 60);
    }
}
