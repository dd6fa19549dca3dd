//! The attribute that turns a documented struct into an entity.

mod table;

/// Makes the struct `Model` below it the entity of a table: one row, with its documentation.
///
/// ```text
/// /// One pull request.
/// #[table("pull_requests")]
/// pub struct Model {
///     /// Domain id.
///     #[key]
///     pub id: String,
///     /// OPEN, CLOSED or MERGED.
///     #[width(100)]
///     pub status: String,
///     /// Description, Markdown as typed.
///     #[text]
///     pub description: String,
/// }
/// ```
///
/// `#[key]` makes a column part of the primary key. Text has 255 characters, or as many as
/// `#[width(...)]` says, or no limit with `#[text]`. A field of an `Option` may be NULL.
///
/// The first paragraph of each documentation is the comment of the table or column: as it is for
/// the table, from a small letter on and without the full stop for a column.
///
/// What every entity has in common is added: the derives, the enum `Relation` without a member
/// (the tables have no foreign keys, as in DevLake), the behaviour of `ActiveModel`, and the
/// prelude of sea-orm, whose derives name its items.
#[proc_macro_attribute]
pub fn table(
    name: proc_macro::TokenStream,
    model: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    table::expand(name.into(), model.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
