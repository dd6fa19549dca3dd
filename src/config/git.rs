//! `[git]` and the git side of connections: where mirrors live and where repositories are.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// The folder of mirrors unless the file says otherwise.
pub const DEFAULT_GIT_FOLDER: &str = "headwater-git";
/// The program unless the file says otherwise.
pub const DEFAULT_GIT_PROGRAM: &str = "git";
/// Where Bitbucket Cloud serves the repositories of its API.
pub const DEFAULT_CLOUD_GIT_URL: &str = "https://bitbucket.org/{scope}.git";
/// The placeholder of a scope's name in `git.url`.
pub(super) const SCOPE_PLACEHOLDER: &str = "{scope}";

/// Where mirrors of git repositories live, and with which program they are read.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct GitStore {
    /// The folder of the mirrors, relative to this file's folder. Default: `"headwater-git"`.
    #[schemars(default, extend("default" = DEFAULT_GIT_FOLDER))]
    pub folder: PathBuf,
    /// How much room the mirrors may take together, such as `"500 MB"` or `"20 GB"`: those that
    /// were not used for longest are removed first, and made anew when they are needed.
    /// Default: `"20 GB"`.
    #[schemars(default, extend("default" = DiskQuota::DEFAULT.to_string()))]
    pub quota: DiskQuota,
    /// The program: a name that is looked up in `PATH`, or a path. Default: `"git"`.
    #[schemars(default, extend("default" = DEFAULT_GIT_PROGRAM))]
    pub program: String,
}

impl Default for GitStore {
    fn default() -> Self {
        Self {
            folder: PathBuf::from(DEFAULT_GIT_FOLDER),
            quota: DiskQuota::DEFAULT,
            program: DEFAULT_GIT_PROGRAM.to_owned(),
        }
    }
}

impl GitStore {
    /// The folder of the mirrors, seen from the configuration file's folder.
    #[must_use]
    pub fn folder_below(&self, configuration: &Path) -> PathBuf {
        configuration.join(&self.folder)
    }
}

/// What a connection says about git.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Git {
    /// Name of a scope -> path or URL of its repository, for connections of kind `git`.
    /// Default: `{}`.
    #[schemars(default, extend("default" = serde_json::json!({})))]
    pub urls: BTreeMap<String, String>,
    /// Whether commits, branches and tags come from git instead of the API, for connections with
    /// an API. Default: `false`.
    #[schemars(default, extend("default" = false))]
    pub enabled: bool,
    /// Where the repositories are; `{scope}` is replaced by a repository's full name. It must be
    /// written out where the API is not Bitbucket Cloud's own, because credentials are sent there.
    /// Default: `"https://bitbucket.org/{scope}.git"`, for Bitbucket Cloud's own API only.
    #[schemars(default, extend("default" = DEFAULT_CLOUD_GIT_URL))]
    pub url: Option<String>,
}

impl Git {
    /// Path or URL of a scope's repository; none for a connection that does not use git, or a
    /// scope that it has no address for.
    #[must_use]
    pub fn url_of(&self, scope: &str) -> Option<String> {
        if let Some(url) = self.urls.get(scope) {
            return Some(url.clone());
        }
        let template = self.url.as_ref().filter(|_| self.enabled)?;
        Some(template.replace(SCOPE_PLACEHOLDER, scope))
    }
}

/// An amount of disk space, such as `20 GB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DiskQuota {
    count: u64,
    unit: DiskUnit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum DiskUnit {
    Megabytes,
    Gigabytes,
    Terabytes,
}

impl DiskUnit {
    const ALL: [Self; 3] = [Self::Megabytes, Self::Gigabytes, Self::Terabytes];

    fn as_str(self) -> &'static str {
        match self {
            Self::Megabytes => "MB",
            Self::Gigabytes => "GB",
            Self::Terabytes => "TB",
        }
    }

    fn bytes(self) -> u64 {
        match self {
            Self::Megabytes => 1_000_000,
            Self::Gigabytes => 1_000_000_000,
            Self::Terabytes => 1_000_000_000_000,
        }
    }
}

impl DiskQuota {
    /// What holds unless the file says otherwise.
    pub const DEFAULT: Self = Self {
        count: 20,
        unit: DiskUnit::Gigabytes,
    };

    /// The amount in bytes; a megabyte is a million of them.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.count.saturating_mul(self.unit.bytes())
    }
}

impl Default for DiskQuota {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Why a text is no amount of disk space; reads on after the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiskQuotaError {
    /// It has another form.
    #[error("is not an amount of disk space such as \"500 MB\" or \"20 GB\"")]
    Form,
    /// The number is zero or very large.
    #[error("is out of range: from 1 to 1000000 of a unit")]
    Range,
}

impl FromStr for DiskQuota {
    type Err = DiskQuotaError;

    fn from_str(text: &str) -> Result<Self, DiskQuotaError> {
        let text = text.trim();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (count, unit) = text.split_at(digits);
        let unit = unit.trim();
        let unit = DiskUnit::ALL
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(unit));
        let (Some(unit), false) = (unit, count.is_empty()) else {
            return Err(DiskQuotaError::Form);
        };
        match count.parse() {
            Ok(count) if (1..=1_000_000).contains(&count) => Ok(Self { count, unit }),
            _ => Err(DiskQuotaError::Range),
        }
    }
}

impl fmt::Display for DiskQuota {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.count, self.unit.as_str())
    }
}

impl JsonSchema for DiskQuota {
    fn schema_name() -> Cow<'static, str> {
        "DiskQuota".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A number and a unit: MB, GB or TB, each a thousand of the one before.",
            "pattern": r"^\s*[0-9]+\s*([Mm][Bb]|[Gg][Bb]|[Tt][Bb])\s*$",
            "examples": ["500 MB", "20 GB"]
        })
    }
}
