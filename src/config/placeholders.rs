//! What `headwater init` writes in place of what it cannot know.

use url::Url;

use super::connection::DEFAULT_CLOUD_ENDPOINT;
use super::reader::{Field, TableReader};
use super::template::{EMAIL, SCOPE};

/// Reports what is left of the template. At an endpoint of one's own, such as a simulator's, it may
/// be what is meant.
pub(super) fn check(table: &mut TableReader<'_>, auth: Option<&Field<'_>>, endpoint: Option<&Url>) {
    if endpoint.is_some_and(|endpoint| endpoint.as_str() != DEFAULT_CLOUD_ENDPOINT) {
        return;
    }
    let email = auth.and_then(|auth| auth.of_table("email"));
    if let Some(email) = email.filter(|field| field.plain_text() == Some(EMAIL)) {
        let problem = email.error("is still the example that `headwater init` wrote");
        let expected = "the address with which the token's owner logs in to Atlassian";
        email.report(problem.expecting(expected));
    }
    let scopes = table.field("scopes").and_then(|field| field.elements());
    for scope in scopes.unwrap_or_default() {
        let text = scope.plain_text().unwrap_or_default();
        if text == SCOPE {
            let problem = scope.error("is still the example that `headwater init` wrote");
            let expected = "your workspace, as bitbucket.org/WORKSPACE has it, and /*, or one \
                            repository as workspace/slug";
            scope.report(problem.expecting(expected));
        }
    }
}
