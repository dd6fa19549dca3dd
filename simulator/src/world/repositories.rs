//! Changes to repositories and to people.

use super::dice::Dice;
use super::model::{Fork, Repository, User, UserId};
use super::{Change, Refused, Time, Touched, World, prose};

impl Touched {
    fn repository(slug: &str) -> Touched {
        Touched {
            repository: Some(slug.to_owned()),
            ..Touched::default()
        }
    }
}

/// The address form of a name: lower case, dashes, ASCII.
pub(super) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        match letter {
            'a'..='z' | '0'..='9' | '.' | '_' => slug.push(letter),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    slug.trim_end_matches('-').to_owned()
}

impl World {
    /// Makes an empty repository; its slug follows from the name.
    pub fn add_repository(&mut self, name: &str) -> Result<Touched, Refused> {
        let slug = slug(name);
        if slug.is_empty() || self.repository_index(&slug).is_ok() {
            return Err(Refused::SlugTaken);
        }
        let at = self.tick();
        self.next_serial += 1;
        let revision = self.next_revision();
        let mut repository = new_repository(&mut self.dice, at, self.users.len());
        repository.slug.clone_from(&slug);
        name.clone_into(&mut repository.name);
        repository.serial = self.next_serial;
        repository.revision = revision;
        self.repositories.push(repository);
        Ok(Touched::repository(&slug))
    }

    /// Removes a repository: it and all below it answer 404 from now on.
    pub fn delete_repository(&mut self, slug: &str) -> Result<Touched, Refused> {
        let index = self.repository_index(slug)?;
        self.tick();
        self.next_revision();
        self.repositories.remove(index);
        Ok(Touched::repository(slug))
    }

    /// Changes what is given of a repository's description and language.
    pub fn edit_repository(
        &mut self,
        slug: &str,
        description: Option<&str>,
        language: Option<&str>,
    ) -> Result<Touched, Refused> {
        let index = self.repository_index(slug)?;
        let at = self.tick();
        let revision = self.next_revision();
        let repository = &mut self.repositories[index];
        if let Some(description) = description {
            description.clone_into(&mut repository.description);
        }
        if let Some(language) = language {
            language.clone_into(&mut repository.language);
        }
        repository.updated_on = at;
        repository.revision = revision;
        Ok(Touched::repository(slug))
    }

    /// Gives a repository another name and slug; its uuid stays, its old address answers 404 unless
    /// it is a habit that former names answer.
    pub fn rename_repository(&mut self, slug: &str, name: &str) -> Result<Touched, Refused> {
        let index = self.repository_index(slug)?;
        let new_slug = self::slug(name);
        if new_slug.is_empty() || self.repository_index(&new_slug).is_ok() {
            return Err(Refused::SlugTaken);
        }
        let at = self.tick();
        let revision = self.next_revision();
        // Every pull request of the repository prints its full name.
        self.shared_revision = revision;
        let repository = &mut self.repositories[index];
        let former = std::mem::replace(&mut repository.slug, new_slug.clone());
        name.clone_into(&mut repository.name);
        repository.updated_on = at;
        repository.revision = revision;
        self.former_slugs.insert(former, repository.uuid.clone());
        Ok(Touched::repository(&new_slug))
    }

    /// Gives the workspace another slug. Nothing answers under the one before.
    pub fn rename_workspace(&mut self, slug: &str) {
        self.tick();
        // Everything prints full names.
        self.shared_revision = self.next_revision();
        slug.clone_into(&mut self.workspace.slug);
    }

    /// Lets two repositories exchange their names and slugs.
    pub fn swap_repositories(&mut self, slug: &str, with: &str) -> Result<Touched, Refused> {
        let index = self.repository_index(slug)?;
        let other = self.repository_index(with)?;
        if index == other {
            return Err(Refused::SlugTaken);
        }
        let at = self.tick();
        let revision = self.next_revision();
        self.shared_revision = revision;
        let names = |it: &Repository| (it.slug.clone(), it.name.clone());
        let first = names(&self.repositories[index]);
        let second = names(&self.repositories[other]);
        for (place, (slug, name)) in [(index, second), (other, first)] {
            let repository = &mut self.repositories[place];
            (repository.slug, repository.name) = (slug, name);
            repository.updated_on = at;
            repository.revision = revision;
        }
        Ok(Touched::repository(with))
    }

    /// Draws another name for some repository, or lets two exchange theirs.
    pub(super) fn draw_rename<R: rand::Rng + ?Sized>(&self, rng: &mut R) -> Option<Change> {
        use rand::seq::IndexedRandom;

        let repository = self.repositories.choose(rng)?.slug.clone();
        if rng.random_bool(0.4) {
            let with = self.repositories.choose(rng)?.slug.clone();
            return (with != repository).then_some(Change::SwapRepositories { repository, with });
        }
        let former = self
            .former_slugs
            .keys()
            .filter(|slug| self.repository_index(slug).is_err());
        let former: Vec<&String> = former.collect();
        let name = match former.choose(rng) {
            // A name that was another's, or one's own, before.
            Some(former) if rng.random_bool(0.4) => (*former).clone(),
            _ => format!("{repository}-{}", rng.random_range(2..9)),
        };
        let is_free = name.len() < 60 && self.repository_index(&slug(&name)).is_err();
        is_free.then_some(Change::RenameRepository { repository, name })
    }

    /// Gives a user another display name and picture, in all payloads at once.
    pub fn rename_user(&mut self, user: UserId, display_name: &str) -> Result<Touched, Refused> {
        if self.user(user).is_none() {
            return Err(Refused::NoUser);
        }
        self.tick();
        self.shared_revision = self.next_revision();
        let picture = avatar(&mut self.dice);
        let found = self.users.get_mut(user.0).ok_or(Refused::NoUser)?;
        display_name.clone_into(&mut found.display_name);
        found.avatar = picture;
        Ok(Touched {
            user: Some(user),
            ..Touched::default()
        })
    }
}

impl World {
    /// Closes a user's account: in all payloads at once its UUID is all that is left of it.
    pub fn close_account(&mut self, user: UserId) -> Result<Touched, Refused> {
        self.change_user(user, |found, _| {
            found.account_id.clear();
            "Former user".clone_into(&mut found.display_name);
        })
    }

    /// Gives a user another picture, in all payloads at once.
    pub fn correct_picture(&mut self, user: UserId) -> Result<Touched, Refused> {
        self.change_user(user, |found, dice| found.avatar = avatar(dice))
    }

    fn change_user(
        &mut self,
        user: UserId,
        change: impl FnOnce(&mut User, &mut Dice),
    ) -> Result<Touched, Refused> {
        if self.user(user).is_none() {
            return Err(Refused::NoUser);
        }
        self.tick();
        self.shared_revision = self.next_revision();
        let found = self.users.get_mut(user.0).ok_or(Refused::NoUser)?;
        change(found, &mut self.dice);
        Ok(Touched {
            user: Some(user),
            ..Touched::default()
        })
    }

    /// Draws what becomes of some account: it gets another picture, or is closed.
    pub(super) fn draw_account_change<R: rand::Rng + ?Sized>(&self, rng: &mut R) -> Option<Change> {
        use rand::seq::IndexedRandom;

        let user = self.users.choose(rng)?;
        if rng.random_bool(0.5) {
            return Some(Change::CorrectPicture { user: user.id });
        }
        // Somebody has to be left.
        let open = self.users.iter().filter(|user| !user.account_id.is_empty());
        let closes = !user.account_id.is_empty() && open.count() > 1;
        closes.then_some(Change::CloseAccount { user: user.id })
    }
}

/// The address of a picture that no user has yet.
pub(super) fn avatar(dice: &mut Dice) -> String {
    let name = dice.uuid();
    format!("https://avatar-management--avatars.us-west-2.prod.public.atl-paas.net/{name}/128.png")
}

fn new_repository(dice: &mut Dice, at: Time, people: usize) -> Repository {
    use rand::Rng;

    let parent = dice.rng.random_bool(0.1).then(|| Fork {
        full_name: "upstream-org/toolbox".to_owned(),
        uuid: format!("{{{}}}", dice.uuid()),
    });
    Repository {
        uuid: format!("{{{}}}", dice.uuid()),
        slug: String::new(),
        name: String::new(),
        description: prose::sentence(&mut dice.rng).to_owned(),
        language: prose::language(&mut dice.rng).to_owned(),
        is_private: dice.rng.random_bool(0.75),
        project: dice.rng.random_range(0..prose::PROJECTS.len()),
        owner: (people > 0 && dice.rng.random_bool(0.3))
            .then(|| UserId(dice.rng.random_range(0..people))),
        parent,
        mainbranch: None,
        size: 0,
        created_on: at,
        updated_on: at,
        pull_requests: std::collections::BTreeMap::new(),
        main: Vec::new(),
        tags: std::collections::BTreeMap::new(),
        branches: std::collections::BTreeMap::new(),
        dropped: Vec::new(),
        issues: std::collections::BTreeMap::new(),
        last_issue: 0,
        builds: None,
        main_head: dice.hash(),
        next_pull_request: 1,
        serial: 0,
        revision: 0,
    }
}
