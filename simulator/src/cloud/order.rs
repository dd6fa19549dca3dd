//! The `sort` parameter, and choosing items by filter and order.

use std::cmp::Ordering;

use super::answer::Answer;
use super::filter::{Filter, Kind, Value};
use super::query::Query;

/// One field, upwards or downwards.
#[derive(Debug)]
pub(super) struct Order<'a> {
    pub(super) field: &'a str,
    pub(super) descending: bool,
}

impl<'a> Order<'a> {
    /// The order asked for, else the list's own.
    fn parse(query: &'a Query, sortable: &[&str], usual: Order<'a>) -> Result<Order<'a>, Answer> {
        let Some(sort) = query.get("sort") else {
            return Ok(usual);
        };
        let field = sort.strip_prefix('-').unwrap_or(sort);
        if !sortable.contains(&field) {
            return Err(Answer::bad_request("Invalid sort attribute"));
        }
        Ok(Order {
            field,
            descending: sort.starts_with('-'),
        })
    }

    fn compare(&self, left: &Value<'_>, right: &Value<'_>) -> Ordering {
        let order = left.partial_cmp(right).unwrap_or(Ordering::Equal);
        if self.descending {
            order.reverse()
        } else {
            order
        }
    }
}

/// What a list of one kind of item understands.
pub(super) struct Listing<'a> {
    /// Fields that `q` may mention.
    pub(super) fields: &'a [(&'a str, Kind)],
    /// Fields that `sort` may name.
    pub(super) sortable: &'a [&'a str],
    /// The order when none is asked for.
    pub(super) usual: (&'a str, bool),
}

/// `q` and `sort` of one request, checked.
pub(super) struct Choice<'a> {
    pub(super) filter: Option<Filter>,
    order: Order<'a>,
}

impl Listing<'_> {
    pub(super) fn read<'q>(&'q self, query: &'q Query) -> Result<Choice<'q>, Answer> {
        let (field, descending) = self.usual;
        let order = Order::parse(query, self.sortable, Order { field, descending })?;
        let filter = query
            .get("q")
            .map(|q| Filter::parse(q, self.fields))
            .transpose();
        let filter = filter.map_err(|message| Answer::bad_request(&message))?;
        Ok(Choice { filter, order })
    }
}

impl Choice<'_> {
    /// The items that pass, in order. Equal ones keep the order of their keys, in the same direction.
    pub(super) fn of<'a, T: 'a, K: Ord>(
        &self,
        items: impl Iterator<Item = &'a T>,
        field: impl Fn(&'a T, &str) -> Value<'a>,
        key: impl Fn(&T) -> K,
    ) -> Vec<K> {
        let passing = items.filter(|&item| {
            let filter = self.filter.as_ref();
            filter.is_none_or(|filter| filter.matches(&|name| field(item, name)))
        });
        let mut chosen: Vec<(Value<'a>, K)> = passing
            .map(|item| (field(item, self.order.field), key(item)))
            .collect();
        chosen.sort_by(|(left, left_key), (right, right_key)| {
            let keys = left_key.cmp(right_key);
            let keys = if self.order.descending {
                keys.reverse()
            } else {
                keys
            };
            self.order.compare(left, right).then(keys)
        });
        chosen.into_iter().map(|(_, key)| key).collect()
    }
}
