use quote::quote;

use super::*;

/// What the attribute makes of one documented table, without spaces.
fn expanded(model: TokenStream) -> String {
    let tokens = expand(quote!("commits"), model).unwrap_or_else(Error::into_compile_error);
    tokens.to_string().replace(' ', "")
}

#[test]
fn the_comment_is_the_first_paragraph_and_a_sentence_for_the_table_only() {
    let shown = expanded(quote! {
        /// One commit,
        /// by its hash.
        ///
        /// Git has more to say.
        pub struct Model {
            /// Hash of the commit.
            ///
            /// Never short.
            pub sha: String,
        }
    });
    assert!(
        shown.contains(r#"#[sea_orm(table_name="commits",comment="Onecommit,byitshash.")]"#),
        "{shown}"
    );
    assert!(shown.contains(r#"comment="hashofthecommit")"#), "{shown}");
    assert!(
        shown.contains("Githasmoretosay"),
        "documentation stays: {shown}"
    );
}

#[test]
fn the_type_of_a_column_follows_from_the_field_and_its_attribute() {
    for (field, expected) in [
        (
            quote!(pub a: String),
            r#"column_type="String(StringLen::N(255))","#,
        ),
        (
            quote!(pub a: Option<String>),
            r#"column_type="String(StringLen::N(255))","#,
        ),
        (
            quote!(#[width(40)] pub a: String),
            r#"column_type="String(StringLen::N(40))","#,
        ),
        (quote!(#[text] pub a: String), r#"column_type="Text","#),
        (quote!(pub a: i64), ""),
        (
            quote!(#[key] pub a: i64),
            "primary_key,auto_increment=false,",
        ),
        (
            quote!(#[key] #[width(7)] pub a: String),
            r#"primary_key,auto_increment=false,column_type="String(StringLen::N(7))","#,
        ),
    ] {
        let shown = expanded(quote! {
            /// One thing.
            pub struct Model {
                /// Its name.
                #field,
            }
        });
        let expected = format!(r#"#[sea_orm({expected}comment="itsname")]"#);
        assert!(shown.contains(&expected), "{field}: {shown}");
        for ours in ["#[key]", "#[text]", "#[width"] {
            assert!(!shown.contains(ours), "{field}: {shown}");
        }
    }
}

#[test]
fn a_comment_begins_small_unless_the_first_word_is_a_name_or_in_capitals() {
    for (sentence, comment) in [
        ("When it was opened (UTC).", "when it was opened (UTC)"),
        ("A commit.", "a commit"),
        ("E-mail address.", "e-mail address"),
        ("OPEN, CLOSED or MERGED.", "OPEN, CLOSED or MERGED"),
        ("UUID of the step.", "UUID of the step"),
        ("`IN_PROGRESS` or DONE.", "`IN_PROGRESS` or DONE"),
        ("Bitbucket's own id.", "Bitbucket's own id"),
        ("Atlassian account id.", "Atlassian account id"),
    ] {
        assert_eq!(column_comment(sentence), comment);
    }
}

#[test]
fn what_is_left_out_or_makes_no_sense_is_an_error_that_says_so() {
    for (model, says) in [
        (
            quote!(
                pub struct Model {
                    /** Name. */
                    pub a: String,
                }
            ),
            "document what one row is",
        ),
        (
            quote!(
                /** A row. */
                pub struct Model {
                    pub a: String,
                }
            ),
            "document what the column holds",
        ),
        (
            quote!(
                /** A row. */
                pub struct Row {
                    /** Name. */
                    pub a: String,
                }
            ),
            "an entity is named Model",
        ),
        (
            quote!(
                /** A row. */
                pub enum Model {
                    A,
                }
            ),
            "an entity is a struct",
        ),
        (
            quote!(
                /** A row. */
                pub struct Model {
                    /** Size. */
                    #[width(3)]
                    pub a: i64,
                }
            ),
            "only a String has a width",
        ),
        (
            quote!(
                /** A row. */
                pub struct Model {
                    /** Name. */
                    #[text]
                    #[width(3)]
                    pub a: String,
                }
            ),
            "text has no width",
        ),
        (
            quote!(
                /** A row. */
                pub struct Model {
                    /** Name. */
                    #[width]
                    pub a: String,
                }
            ),
            "expected attribute arguments",
        ),
        (
            quote!(
                /** A row. */
                pub struct Model {
                    /** Name. */
                    #[key(1)]
                    pub a: String,
                }
            ),
            "unexpected token",
        ),
    ] {
        let refused = expand(quote!("rows"), model).unwrap_err().to_string();
        assert!(refused.contains(says), "{says}: {refused}");
    }
}
