//! From a documented struct to an entity of sea-orm.

use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Error, Expr, Field, Lit, LitInt, LitStr, Meta};

#[cfg(test)]
mod tests;

/// Names that keep their capital letter at the beginning of a column's comment.
const NAMES: [&str; 2] = ["Atlassian", "Bitbucket"];

/// Width of text that says nothing about it, in characters.
const WIDTH: u32 = 255;

pub(crate) fn expand(name: TokenStream, model: TokenStream) -> syn::Result<TokenStream> {
    let name: LitStr = syn::parse2(name)?;
    let mut model: DeriveInput = syn::parse2(model)?;
    if model.ident != "Model" {
        return Err(Error::new(model.ident.span(), "an entity is named Model"));
    }
    let Data::Struct(columns) = &mut model.data else {
        return Err(Error::new(model.span(), "an entity is a struct"));
    };
    for field in &mut columns.fields {
        let attribute = column(field)?;
        field.attrs.push(attribute);
    }
    // Rows with fractions are equal or not, but not equal to themselves in every case.
    let is_fraction =
        |field: &Field| matches!(&field.ty, syn::Type::Path(path) if path.path.is_ident("f64"));
    let eq = (!columns.fields.iter().any(is_fraction)).then(|| quote!(Eq,));
    let comment = documentation(&model.attrs)
        .ok_or_else(|| Error::new(model.ident.span(), "document what one row is"))?;
    Ok(quote! {
        #[allow(unused_imports)]
        use sea_orm::entity::prelude::*;

        #[derive(Clone, Debug, Default, PartialEq, #eq DeriveEntityModel)]
        #[sea_orm(table_name = #name, comment = #comment)]
        #model

        /// No relations: the tables have no foreign keys, as in DevLake.
        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub enum Relation {}

        impl ActiveModelBehavior for ActiveModel {}
    })
}

/// Takes our attributes off a field and gives sea-orm's.
fn column(field: &mut Field) -> syn::Result<Attribute> {
    let comment = documentation(&field.attrs)
        .ok_or_else(|| Error::new(field.span(), "document what the column holds"))?;
    let comment = column_comment(&comment);
    let key = take(field, "key").map(|attribute| attribute.meta.require_path_only().cloned());
    let text = take(field, "text").map(|attribute| attribute.meta.require_path_only().cloned());
    let width = take(field, "width").map(|attribute| attribute.parse_args::<LitInt>());
    let (key, text, width) = (key.transpose()?, text.transpose()?, width.transpose()?);

    let mut settings = Vec::new();
    if key.is_some() {
        settings.push(quote!(primary_key, auto_increment = false));
    }
    if is_text(field) {
        settings.push(match (text, width) {
            (Some(text), Some(_)) => return Err(Error::new(text.span(), "text has no width")),
            (Some(_), None) => quote!(column_type = "Text"),
            (None, Some(width)) => string_of(width.base10_parse()?),
            (None, None) => string_of(WIDTH),
        });
    } else if let Some(span) = text.map(|it| it.span()).or(width.map(|it| it.span())) {
        return Err(Error::new(span, "only a String has a width"));
    }
    settings.push(quote!(comment = #comment));
    Ok(syn::parse_quote!(#[sea_orm(#(#settings),*)]))
}

fn string_of(width: u32) -> TokenStream {
    let column_type = format!("String(StringLen::N({width}))");
    quote!(column_type = #column_type)
}

fn take(field: &mut Field, name: &str) -> Option<Attribute> {
    let place = field.attrs.iter().position(|it| it.path().is_ident(name))?;
    Some(field.attrs.remove(place))
}

/// True for `String` and `Option<String>`.
fn is_text(field: &Field) -> bool {
    let of_field = &field.ty;
    let written = quote!(#of_field).to_string().replace(' ', "");
    matches!(written.as_str(), "String" | "Option<String>")
}

/// The first paragraph, on one line; none when there is no documentation.
fn documentation(attributes: &[Attribute]) -> Option<String> {
    let lines: Vec<String> = attributes.iter().filter_map(line).collect();
    let paragraph: Vec<&str> = lines
        .iter()
        .map(|line| line.trim())
        .skip_while(|line| line.is_empty())
        .take_while(|line| !line.is_empty())
        .collect();
    (!paragraph.is_empty()).then(|| paragraph.join(" "))
}

fn line(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(doc) if doc.path.is_ident("doc") => match &doc.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(line) => Some(line.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// A sentence as a column's comment: `OPEN or CLOSED`, `when it was opened`, `Bitbucket's own id`.
fn column_comment(sentence: &str) -> String {
    let sentence = sentence.strip_suffix('.').unwrap_or(sentence);
    let end = sentence.find(|c: char| !c.is_alphanumeric() && c != '_');
    let (word, rest) = sentence.split_at(end.unwrap_or(sentence.len()));
    let mut letters = word.chars();
    match letters.next() {
        Some(first) if !NAMES.contains(&word) && letters.all(char::is_lowercase) => {
            let others = word.get(first.len_utf8()..).unwrap_or_default();
            format!("{}{others}{rest}", first.to_lowercase())
        }
        _ => sentence.to_owned(),
    }
}
