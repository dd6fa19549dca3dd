use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

/// Holds what encodings treat differently: `/`, `=`, `"`, `+`, `%` and a letter beyond ASCII.
const SECRET: &str = "ATATT3x/Ff=GF\"0+A%2Bü9";

fn json_escaped(text: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::new();
    for unit in text.encode_utf16() {
        let _ = write!(escaped, "\\u{unit:04x}");
    }
    escaped
}

fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn encodings(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).unwrap();
    let json = json[1..json.len() - 1].to_owned();
    let twice = serde_json::to_string(&json).unwrap();
    vec![
        secret.to_owned(),
        json.replace('/', "\\/"),
        json.replace('=', "\\u003d"),
        json.clone(),
        twice[1..twice.len() - 1].to_owned(),
        json_escaped(secret),
        json_escaped(secret).replace('\\', "\\\\"),
        percent_encoded(secret),
        percent_encoded(&percent_encoded(secret)),
        percent_encoded(secret)
            .replace("%2F", "%2f")
            .replace("%3D", "%3d"),
        secret
            .replace('"', "&quot;")
            .replace('/', "&#x2F;")
            .replace('=', "&#61;"),
        format!("{secret:?}").trim_matches('"').to_owned(),
        format_hex(secret, false),
        format_hex(secret, true),
        STANDARD.encode(format!("me@example.com:{secret}")),
        STANDARD.encode(format!("m@example.com:{secret}")),
        STANDARD.encode(format!(":{secret}")),
        URL_SAFE_NO_PAD.encode(format!("user:{secret}")),
        STANDARD.encode(secret),
        percent_encoded(&STANDARD.encode(format!("u:{secret}"))),
        json_escaped(&STANDARD.encode(format!("u:{secret}"))),
    ]
}

#[test]
fn a_secret_is_hidden_in_every_encoding() {
    let secrets = Secrets::new([SECRET]);
    for encoded in encodings(SECRET) {
        let text = format!("before {encoded} after");
        let shown = secrets.hide(&text);
        assert!(shown.starts_with("before ***"), "{text} became {shown}");
        assert!(shown.ends_with("*** after"), "{text} became {shown}");
        assert!(shown.chars().count() < 25, "{text} became {shown}");
        let shown = secrets.shown(&text, 200);
        assert_eq!(shown, "before *** after", "{text}");
    }
}

#[test]
fn a_text_without_secrets_stays_as_it_is() {
    let secrets = Secrets::new([SECRET, "", "hunter2"]);
    for text in [
        "",
        "nothing here",
        "100 % \\ & %zz \\u12 &#; &amp;",
        "aHVudGVy",
        "ATATT",
    ] {
        assert_eq!(secrets.hide(text), text);
    }
    assert_eq!(Secrets::default().hide("x"), "x");
}

#[test]
fn a_cut_leaves_no_part_of_a_secret() {
    let secrets = Secrets::new([SECRET]);
    for (at, _) in SECRET.char_indices().skip(SHORTEST_PART) {
        let text = format!("said {}", &SECRET[..at]);
        assert_eq!(secrets.hide_in_part(&text), "said ***");
    }
    for (at, _) in SECRET.char_indices().skip(1) {
        let rest = &SECRET[at..];
        if rest.chars().count() >= SHORTEST_PART {
            let shown = secrets.hide_in_part(&format!("{rest} said"));
            assert_eq!(shown, "*** said", "{rest}");
        }
    }
    let long = format!("{}{SECRET}", "x".repeat(LONGEST - 7));
    assert!(!secrets.shown(&long, usize::MAX).contains("ATATT"));
    for longest in 0..40 {
        let shown = secrets.shown(&format!("a {SECRET} b"), longest);
        assert!(!shown.contains("AT"), "{shown}");
    }
}

#[test]
fn characters_between_the_letters_of_a_secret_do_not_hide_it() {
    let secrets = Secrets::new(["s3cr3t-token"]);
    for text in [
        "s3cr3t\u{0}-token",
        "s3c\u{1b}[0mr3t-token",
        "s3cr3t-\u{200b}token",
    ] {
        assert_eq!(secrets.shown(text, 200), "***", "{text:?}");
    }
}

#[test]
fn secrets_of_others_in_addresses_are_hidden_too() {
    let secrets = Secrets::default();
    for (text, expected) in [
        ("see https://me:pw@host/x", "see https://host/x"),
        (
            "GET /x?access_token=abc&page=2",
            "GET /x?access_token=***&page=2",
        ),
        ("https://x-token-auth:abc@host/x", "https://host/x"),
        ("PASSWORD=abc", "PASSWORD=***"),
        ("https://host/a?b=c@d", "https://host/a?b=c@d"),
    ] {
        assert_eq!(secrets.shown(text, 200), expected, "{text}");
    }
}

#[test]
fn several_secrets_are_hidden_and_their_type_prints_none() {
    let secrets = Secrets::new(["first-one", "first-one-and-more"]).and(["other"]);
    assert_eq!(
        secrets.hide("first-one-and-more first-one other"),
        "*** *** ***"
    );
    let both = Secrets::new(["mine!"]).and_those_of(&secrets);
    assert_eq!(both.hide("mine! other"), "*** ***");
    assert_eq!(format!("{secrets:?}"), "Secrets");
}

proptest! {
    #[test]
    fn no_encoding_of_any_secret_gets_through(
        secret in "[ -~]{8,40}",
        user in "[a-z]{0,6}",
        before in "[ -~]{0,8}",
        after in "[ -~]{0,8}",
    ) {
        let secrets = Secrets::new([secret.as_str()]);
        let json = serde_json::to_string(&secret).unwrap();
        let json = &json[1..json.len() - 1];
        for encoded in [
            secret.clone(),
            json.to_owned(),
            json_escaped(&secret),
            percent_encoded(&secret),
            format_hex(&secret, false),
            STANDARD.encode(format!("{user}:{secret}")),
        ] {
            let shown = secrets.hide(&format!("{before} {encoded} {after}"));
            prop_assert!(!shown.contains(&encoded), "{shown}");
            prop_assert!(shown.contains(HIDDEN));
        }
    }

    #[test]
    fn any_text_can_be_looked_through(text in any::<String>(), secret in any::<String>()) {
        let secrets = Secrets::new([secret.as_str()]);
        let _ = secrets.hide(&text);
        let _ = secrets.hide_in_part(&text);
        let shown = secrets.shown(&text, 50);
        prop_assert!(shown.chars().count() <= 50);
        prop_assert!(!shown.chars().any(char::is_control));
    }
}
