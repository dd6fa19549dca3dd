//! Whose data a row is: a connection and a repository, or the workspace above it.

use serde::{Deserialize, Serialize};

/// One repository, or one workspace, read through one connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// Id of the connection in the configuration; part of domain ids.
    #[serde(rename = "ConnectionId")]
    pub connection_id: i64,
    /// Full name of the repository, `workspace/slug`; or `workspace` alone.
    #[serde(rename = "FullName")]
    pub full_name: String,
}

impl Scope {
    /// A scope of this connection.
    pub fn new(connection_id: i64, full_name: impl Into<String>) -> Self {
        Self {
            connection_id,
            full_name: full_name.into(),
        }
    }

    /// The scope as raw tables name it, byte for byte as `DevLake` writes it:
    /// `{"ConnectionId":1,"FullName":"workspace/slug"}`.
    #[must_use]
    pub fn params(&self) -> String {
        let name = serde_json::Value::from(self.full_name.as_str());
        format!(
            r#"{{"ConnectionId":{},"FullName":{name}}}"#,
            self.connection_id
        )
    }

    /// All scopes together: where rows are derived whose keys span scopes. It has no raw rows.
    #[must_use]
    pub fn everywhere() -> Self {
        Self::new(0, "")
    }

    /// True for all scopes together.
    #[must_use]
    pub fn is_everywhere(&self) -> bool {
        self.full_name.is_empty()
    }

    /// True for what a workspace has of its own: its projects and members.
    #[must_use]
    pub fn is_workspace(&self) -> bool {
        !self.full_name.contains('/') && !self.is_everywhere()
    }

    /// The workspace that the scope is in, or is.
    #[must_use]
    pub fn workspace(&self) -> Self {
        let name = self.full_name.split('/').next().unwrap_or_default();
        Self::new(self.connection_id, name)
    }

    /// Reads a scope back from its raw `params`.
    ///
    /// # Errors
    /// When the text is not of that form, or the name is neither `workspace/slug` nor `workspace`.
    pub fn from_params(params: &str) -> Result<Self, BadParams> {
        let scope: Self = serde_json::from_str(params).map_err(|_| BadParams)?;
        match scope.full_name.split_once('/') {
            Some((workspace, slug)) if !workspace.is_empty() && !slug.is_empty() => Ok(scope),
            None if !scope.full_name.is_empty() => Ok(scope),
            _ => Err(BadParams),
        }
    }
}

/// The text of a `params` column does not name a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadParams;

impl std::error::Error for BadParams {}

impl std::fmt::Display for BadParams {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .write_str(r#"params must look like {"ConnectionId":1,"FullName":"workspace/slug"}"#)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn params_are_written_as_devlake_writes_them() {
        let scope = Scope::new(1, "likyh/likyhphp");
        assert_eq!(
            scope.params(),
            r#"{"ConnectionId":1,"FullName":"likyh/likyhphp"}"#
        );
        assert_eq!(Scope::from_params(&scope.params()), Ok(scope));
    }

    #[test]
    fn a_workspace_is_a_scope_of_its_own() {
        let rocket = Scope::new(1, "acme/rocket");
        let acme = rocket.workspace();
        assert!(acme.is_workspace() && !rocket.is_workspace());
        assert_eq!(acme.params(), r#"{"ConnectionId":1,"FullName":"acme"}"#);
        assert_eq!(Scope::from_params(&acme.params()), Ok(acme.clone()));
        assert_eq!(acme.workspace(), acme);
    }

    #[test]
    fn params_without_a_repository_are_refused() {
        for params in [
            "",
            "{}",
            r#"{"ConnectionId":1,"FullName":""}"#,
            r#"{"ConnectionId":1,"FullName":"acme/"}"#,
            "[1]",
        ] {
            assert_eq!(Scope::from_params(params), Err(BadParams), "{params}");
        }
    }
}
