//! What a fault makes of a response.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::extract::Request as HttpRequest;
use bytes::Bytes;
use chrono::TimeDelta;
use serde_json::Value;

use crate::behaviour::Behaviour;
use crate::cloud::envelope::Envelope;
use crate::cloud::{Query, Reader};
use crate::fault::{Fault, FaultKind, Loop, RetryForm, Shift};
use crate::reply::{Ending, Reply, whole_seconds};
use crate::server::{Site, locked};
use crate::shift;

impl Site {
    /// 429 for a request beyond the rate limit, and the name of what happened.
    pub(crate) fn refuse(&self, behaviour: &Behaviour, wait: Duration) -> (Reply, Vec<String>) {
        let form = behaviour.limit.as_ref().and_then(|limit| limit.retry_after);
        let retry_after = form.map(|form| (form, wait));
        let names = vec![FaultKind::RollingHour.name().to_owned()];
        (self.rate_limited(behaviour, retry_after), names)
    }

    /// The response after a fault, and the names of what took effect. Where the request is one of
    /// git's, its proper response is given.
    pub(crate) fn misbehave(
        &self,
        request: &HttpRequest,
        behaviour: &Behaviour,
        fault: Fault,
        git: Option<Reply>,
    ) -> (Reply, Vec<String>) {
        let parts = parts(fault);
        let mut names = BTreeSet::new();
        for (name, fault) in &parts {
            let happened = match fault {
                // It has passed before anyone asked for the response.
                Fault::Delay(_) => true,
                Fault::Shift(shift) => self.shift(request, behaviour, *shift).is_some(),
                _ => false,
            };
            if happened {
                names.insert(name.clone());
            }
        }
        let mut reply = git.unwrap_or_else(|| self.proper_reply(request, behaviour));
        for (name, fault) in parts {
            if self.spoil(&mut reply, request, behaviour, fault) {
                names.insert(name);
            }
        }
        (reply, names.into_iter().collect())
    }

    /// Spoils a response; `false` when the fault has nothing to spoil in it.
    fn spoil(
        &self,
        reply: &mut Reply,
        request: &HttpRequest,
        behaviour: &Behaviour,
        fault: Fault,
    ) -> bool {
        match fault {
            Fault::Status(status, body, headers) => {
                *reply = Reply::replaced(status, body, &headers);
            }
            Fault::Body(body, kind) => {
                *reply = Reply::replaced(200, body, &[("content-type".to_owned(), kind)]);
            }
            Fault::RateLimited(retry_after) => *reply = self.rate_limited(behaviour, retry_after),
            Fault::Hang => reply.ending = Ending::Silence,
            Fault::Slow(pause) => reply.ending = Ending::Slow(pause),
            Fault::Stall => reply.ending = Ending::Stalled,
            Fault::CutConnection => reply.ending = Ending::Cut,
            Fault::CutBeforeHead => reply.ending = Ending::Nothing,
            Fault::Truncate => reply.body = reply.body.slice(..reply.body.len() / 2),
            Fault::Huge { bytes, packed } => {
                *reply = Reply::replaced(200, Bytes::from_static(b"{"), &[]);
                reply.ending = Ending::Huge { bytes, packed };
            }
            Fault::NextLoops(way) => return turn_next(reply, |_| self.looping(request, way)),
            Fault::NextElsewhere(origin) => {
                return turn_next(reply, |next| {
                    let here = self.looping(request, Loop::SamePage);
                    next.unwrap_or(here).replacen(&self.origin, &origin, 1)
                });
            }
            Fault::NoNext => return drop_member(reply, "next"),
            Fault::NoSize => return drop_member(reply, "size"),
            // They happened before; a name is no fault.
            Fault::Delay(_) | Fault::Shift(_) | Fault::Together(_) | Fault::Named(..) => {
                return false;
            }
        }
        true
    }

    fn rate_limited(
        &self,
        behaviour: &Behaviour,
        retry_after: Option<(RetryForm, Duration)>,
    ) -> Reply {
        let text = retry_after.map(|(form, wait)| {
            let seconds = whole_seconds(wait);
            match form {
                RetryForm::Seconds => seconds.to_string(),
                RetryForm::Date => {
                    let later = i64::try_from(seconds).unwrap_or_default();
                    self.date(behaviour, TimeDelta::seconds(later))
                }
            }
        });
        Reply::rate_limited(text.as_deref())
    }

    /// The address of the page that was asked for, or of the first one of its list.
    fn looping(&self, request: &HttpRequest, way: Loop) -> String {
        let query = request.uri().query().unwrap_or_default();
        let query = match way {
            Loop::SamePage => query.to_owned(),
            Loop::FirstPage => Query::parse(query).at_first(),
        };
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{}{mark}{query}", self.origin, request.uri().path())
    }

    /// Changes the world so that the list that is being paged shifts under the reader.
    fn shift(&self, request: &HttpRequest, behaviour: &Behaviour, shift: Shift) -> Option<()> {
        let path = request.uri().path();
        let query = Query::parse(request.uri().query().unwrap_or_default());
        let page: u64 = query.get("page")?.parse().ok()?;
        let upwards = query.get("sort").is_some_and(|sort| !sort.starts_with('-'));
        let wanted = if shift == Shift::Update && !upwards {
            page
        } else {
            page.checked_sub(1)?
        };
        let earlier = Query::parse(&query.at("page", &wanted.to_string()));
        let answer = self.read(path, earlier, Reader::Person, behaviour);
        let shown: Value = serde_json::from_str(&answer.body).ok()?;
        let items = shown.get("values")?.as_array()?;
        let mut world = locked(&self.world);
        let change = shift::change(&world, path, shift, items)?;
        world.apply(&change).ok()?;
        locked(&self.shifts).push(change);
        Some(())
    }
}

/// A fault's parts, each under the name it counts by.
fn parts(fault: Fault) -> Vec<(String, Fault)> {
    match fault {
        Fault::Named(name, fault) => {
            let parts = parts(*fault).into_iter();
            parts.map(|(_, part)| (name.clone(), part)).collect()
        }
        Fault::Together(faults) => faults.into_iter().flat_map(parts).collect(),
        fault => vec![(fault.name(), fault)],
    }
}

/// Gives a page another `next`, which may depend on the one it has.
fn turn_next(reply: &mut Reply, address: impl FnOnce(Option<String>) -> String) -> bool {
    let Some(mut page) = Envelope::open(&reply.body) else {
        return false;
    };
    let address = address(page.next());
    page.set_next(&address);
    put(reply, page)
}

fn drop_member(reply: &mut Reply, name: &str) -> bool {
    Envelope::open(&reply.body).is_some_and(|mut page| page.remove(name) && put(reply, page))
}

fn put(reply: &mut Reply, page: Envelope) -> bool {
    let Some(text) = page.close() else {
        return false;
    };
    reply.body = text.into();
    true
}
