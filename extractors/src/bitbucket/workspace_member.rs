//! Members of workspaces.

use headwater_domain::tool::bitbucket::workspace_member::{self, WorkspaceMembers};
use headwater_domain::{Item, Rows, Table};
use serde::Deserialize;

use super::User;
use crate::Extract;

impl Extract for WorkspaceMembers {
    type Payload = Payload;

    const VERSION: u32 = 2;

    fn tables() -> Vec<&'static Table> {
        vec![Table::of::<workspace_member::Entity>()]
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        let user = payload.user.unwrap_or_default();
        // A membership has no time: it fills in what no other item says.
        rows.mention(item, None, user.profile());
        rows.push(workspace_member::Model {
            connection_id: item.scope.connection_id,
            workspace: item.scope.full_name.clone(),
            account_id: user.account_id,
            uuid: user.uuid,
            display_name: user.display_name,
        });
    }
}

#[derive(Debug, Deserialize)]
pub struct Payload {
    user: Option<User>,
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::workspace_member::WorkspaceMembers;
    use insta::assert_snapshot;

    use crate::shown_rows::extracted;

    #[test]
    fn a_member_becomes_one_row_and_describes_an_account() {
        let member = r#"{"type": "workspace_membership", "user": {"account_id": "ann",
            "display_name": "Ann", "uuid": "{ann}", "nickname": "annie",
            "links": {"avatar": {"href": "https://a"}}}, "workspace": {"slug": "acme"}}"#;
        assert_snapshot!(
            [member, r#"{"user": {"uuid": "{x}"}}"#]
                .map(|payload| extracted::<WorkspaceMembers>("", "{ann}", payload))
                .concat()
        );
    }
}
