//! Git's `.mailmap`: which address and name stand for others.

use std::collections::BTreeMap;

/// What a mailmap says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mailmap {
    /// Address in commits, with the name in them where it counts -> proper address.
    addresses: BTreeMap<(String, Option<String>), String>,
    /// Proper address -> proper name.
    names: BTreeMap<String, String>,
}

/// A line that is none of a mailmap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadLine {
    /// From 1.
    pub(crate) line: u64,
    /// What it says.
    pub(crate) text: String,
}

impl Mailmap {
    /// Reads the text of a mailmap.
    ///
    /// # Errors
    /// With the first line that is none.
    pub(crate) fn parse(text: &str) -> Result<Self, BadLine> {
        let mut mailmap = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            let entry = line.split('#').next().unwrap_or_default().trim();
            if entry.is_empty() {
                continue;
            }
            if mailmap.add(entry).is_none() {
                return Err(BadLine {
                    line: number,
                    text: line.to_owned(),
                });
            }
        }
        Ok(mailmap)
    }

    fn add(&mut self, entry: &str) -> Option<()> {
        let (name, proper, rest) = part(entry)?;
        let proper = proper.to_lowercase();
        if !name.is_empty() {
            self.names.insert(proper.clone(), name.to_owned());
        }
        if rest.is_empty() {
            // It only says how somebody is written.
            return (!name.is_empty()).then_some(());
        }
        let (in_commits, address, rest) = part(rest)?;
        let in_commits = (!in_commits.is_empty()).then(|| in_commits.to_lowercase());
        self.addresses
            .insert((address.to_lowercase(), in_commits), proper);
        rest.is_empty().then_some(())
    }

    /// The proper address of who commits under this name and address, in small letters.
    pub(crate) fn address_of(&self, name: &str, email: &str) -> String {
        let email = email.to_lowercase();
        let named = (email.clone(), Some(name.to_lowercase()));
        let known = self.addresses.get(&named);
        let known = known.or_else(|| self.addresses.get(&(email.clone(), None)));
        known.cloned().unwrap_or(email)
    }

    /// The proper name of who has this proper address.
    pub(crate) fn name_of(&self, address: &str) -> Option<&str> {
        self.names.get(address).map(String::as_str)
    }
}

/// `Name <address>` and what follows.
fn part(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once('<')?;
    let (address, rest) = rest.split_once('>')?;
    let address = address.trim();
    (!address.is_empty()).then(|| (name.trim(), address, rest.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_line_is_read() {
        let text = "# people\n\
                    Ann Archer <ann@acme.org>\n\
                    <bob@acme.org> <bob@home.org>\n\
                    Cy <cy@acme.org> <cy@laptop> # old\n\
                    Di <di@acme.org> root <shared@acme.org>\n";
        let mailmap = Mailmap::parse(text).unwrap();
        for (name, email, expected) in [
            ("x", "Bob@home.org", "bob@acme.org"),
            ("x", "cy@laptop", "cy@acme.org"),
            ("Root", "shared@acme.org", "di@acme.org"),
            ("else", "shared@acme.org", "shared@acme.org"),
        ] {
            assert_eq!(mailmap.address_of(name, email), expected, "{name} {email}");
        }
        assert_eq!(mailmap.name_of("ann@acme.org"), Some("Ann Archer"));
    }

    #[test]
    fn a_line_that_is_none_is_told() {
        for text in ["ann@acme.org", "Ann <>", "<ann@acme.org>", "A <a> B <b> C"] {
            let bad = Mailmap::parse(&format!("\n{text}\n")).unwrap_err();
            assert_eq!((bad.line, bad.text.as_str()), (2, text));
        }
    }
}
