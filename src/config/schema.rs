//! The JSON Schema of the configuration file, for editors.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use serde_json::Value;

use super::Config;

/// The JSON Schema (draft 2020-12) of `headwater.toml`, derived from the documented structs.
#[must_use]
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Config>();
    RecursiveTransform(forbid_null).transform(&mut schema);
    schema.to_value()
}

/// TOML has no null: a key without a value is left out.
fn forbid_null(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    if let Some(types) = object.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(choices) = object.get_mut("anyOf").and_then(Value::as_array_mut) {
        choices.retain(|choice| choice.get("type") != Some(&Value::from("null")));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            object.extend(only);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::schema;
    use crate::config::tests::{EXAMPLE, MINIMAL, accepted};

    /// Names of all properties that the schema describes, at any depth.
    pub(in crate::config) fn property_names(schema: &Value) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        collect_properties(schema, &mut |name, _| {
            names.insert(name.to_owned());
        });
        names
    }

    fn collect_properties(schema: &Value, visit: &mut dyn FnMut(&str, &Value)) {
        let children: Vec<&Value> = match schema {
            Value::Object(object) => object.values().collect(),
            Value::Array(array) => array.iter().collect(),
            _ => return,
        };
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            properties
                .iter()
                .for_each(|(name, property)| visit(name, property));
        }
        for child in children {
            collect_properties(child, visit);
        }
    }

    #[test]
    fn every_key_of_the_example_is_in_the_schema() {
        let names = property_names(&schema());
        let document = toml_edit::Document::parse(EXAMPLE).unwrap();
        let mut keys = BTreeSet::new();
        collect_keys(document.as_item(), &mut keys);
        let chosen_by_users = ["default", "prod-*", "BUG", "REQUIREMENT"];
        for key in keys {
            let known = names.contains(&key) || chosen_by_users.contains(&key.as_str());
            assert!(known, "{key} is not in the schema");
        }
    }

    fn collect_keys(item: &toml_edit::Item, keys: &mut BTreeSet<String>) {
        if let Some(tables) = item.as_array_of_tables() {
            for (key, item) in tables.iter().flat_map(toml_edit::Table::iter) {
                keys.insert(key.to_owned());
                collect_keys(item, keys);
            }
        }
        for (key, item) in item
            .as_table_like()
            .into_iter()
            .flat_map(|table| table.iter())
        {
            keys.insert(key.to_owned());
            collect_keys(item, keys);
        }
    }

    #[test]
    fn the_descriptions_state_the_defaults_of_the_schema() {
        let mut stated = 0;
        collect_properties(&schema(), &mut |name, property| {
            let description = property["description"].as_str().unwrap_or_default();
            let Some(default) = property.get("default").filter(|default| !default.is_null()) else {
                return;
            };
            // Whole sections default to what their keys default to.
            if [
                "database",
                "connection",
                "scope_config",
                "project",
                "issue_status",
            ]
            .contains(&name)
                && !description.contains("Default: `")
            {
                return;
            }
            let flat = description.replace('\n', " ");
            assert!(
                flat.contains(&format!("Default: `{default}`")),
                "{name}: {default}: {flat}"
            );
            stated += 1;
        });
        assert!(stated >= 20, "only {stated} defaults are stated");
    }

    #[test]
    fn writing_the_defaults_out_changes_nothing() {
        let schema = schema();
        let defaults = |definition: &str, left_out: &[&str]| {
            let properties = schema["$defs"][definition]["properties"]
                .as_object()
                .unwrap();
            let lines = properties.iter().filter_map(|(name, property)| {
                let default = property
                    .get("default")
                    .filter(|default| !default.is_null())?;
                let wanted = !left_out.contains(&name.as_str());
                wanted.then(|| format!("{name} = {}\n", toml(default)))
            });
            lines.collect::<String>()
        };
        let foreign = [
            "requests_per_hour",
            "requests_per_second",
            "burst",
            "git",
            "scopes",
        ];
        let written = format!(
            "[database]\n{}{MINIMAL}{}requests_per_hour = 60\n[scope_config.default]\n{}\
             [scope_config.default.issue_status]\n{}",
            defaults("Database", &[]),
            defaults("Connection", &foreign),
            defaults("ScopeConfig", &["issue_status"]),
            defaults("IssueStatus", &[]),
        );
        assert_eq!(
            format!("{:#?}", accepted(&written)),
            format!("{:#?}", accepted(MINIMAL))
        );
    }

    /// A JSON value as TOML writes it.
    fn toml(value: &Value) -> String {
        let Value::Object(object) = value else {
            return value.to_string();
        };
        let pairs = object
            .iter()
            .map(|(key, value)| format!("{key} = {}", toml(value)));
        format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn the_schema_names_its_draft_and_forbids_unknown_keys() {
        let schema = schema();
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        assert!(!schema.to_string().contains("\"null\""), "TOML has no null");
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["$defs"]["Connection"]["additionalProperties"], false);
        let required = schema["$defs"]["Connection"]["required"]
            .as_array()
            .unwrap();
        assert_eq!(required, &["id", "name", "kind"]);
    }
}
