use super::*;
use crate::connect::LooksLike;

fn every_clue() -> Vec<Clues> {
    let mut clues = Vec::new();
    for auth_kind in ["api-token", "access-token", "oauth", "basic", "none"] {
        for looks_like in [
            LooksLike::ApiToken,
            LooksLike::AccessToken,
            LooksLike::AppPassword,
            LooksLike::Unknown,
        ] {
            for flag in [false, true] {
                clues.push(Clues {
                    auth_kind,
                    user_is_email: flag,
                    looks_like,
                    resolves_before_proxy: flag,
                });
            }
        }
    }
    clues
}

#[test]
fn every_status_has_one_word_and_one_sentence_for_every_kind_of_credentials() {
    let words = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    for clues in every_clue() {
        for status in (300..=599).chain([999]) {
            for message in ["", "Access token expired.", "CHANGE-2770", "CHANGE-3222"] {
                let reply = Reply {
                    status,
                    message: message.to_owned(),
                    required: words(&["repository"]),
                    granted: words(&["account"]),
                    ..Reply::default()
                };
                let found = of_reply("https://api.example/2.0/x", &reply, &clues).unwrap();
                let next = &found.next;
                assert!(
                    next.ends_with('.') && !next.contains(". "),
                    "{status}: {next}"
                );
                assert_ne!(found.code, Code::Ok);
                assert_eq!(found.code == Code::Unreachable, !found.cause.is_empty());
            }
        }
    }
}
