//! Secrets in payloads, as members that the API's description marks as secret.

use serde_json::{Value, json};

use crate::behaviour::SECRET;

/// The answer with secrets in each of its items; the number makes them others at each request.
pub(crate) fn with_secrets(body: &str, number: u64) -> String {
    let Ok(mut document) = serde_json::from_str::<Value>(body) else {
        return body.to_owned();
    };
    match document.get_mut("values").and_then(Value::as_array_mut) {
        Some(items) => {
            for item in items {
                spoil(item, number);
            }
        }
        None => spoil(&mut document, number),
    }
    document.to_string()
}

fn spoil(item: &mut Value, number: u64) {
    let Some(members) = item.as_object_mut() else {
        return;
    };
    let secret = |what: &str| format!("{SECRET}-{what}-{number}");
    let image = json!({
        "name": "acme/build",
        "username": secret("user"),
        "password": secret("\"quoted\""),
        "aws": {"access-key": secret("access"), "secret-key": secret("key")},
    });
    let variables = json!([{"key": "A", "value": secret("value"), "secured": true}]);
    members.insert("image".to_owned(), image);
    members.insert("variables".to_owned(), variables);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_has_other_secrets_at_each_request() {
        for (body, secrets) in [
            (r#"{"values": [{"id": 1}, {"id": 2}]}"#, 10),
            (r#"{"id": 1}"#, 5),
        ] {
            let (one, two) = (with_secrets(body, 1), with_secrets(body, 2));
            assert_ne!(one, two);
            assert_eq!(one.matches(SECRET).count(), secrets, "{one}");
        }
    }
}
