//! Names, titles and texts that people might write, in more scripts than one.

use rand::Rng;
use rand::seq::IndexedRandom;

/// Display names and the nicknames that go with them.
const PEOPLE: [(&str, &str); 16] = [
    ("Ada Lindqvist", "ada"),
    ("王小明", "xiaoming"),
    ("Zoë Müller-Lüdenscheidt", "zoe"),
    ("محمد الخالدي", "mohammed"),
    ("佐藤 さくら", "sakura"),
    ("Jose\u{301} A\u{301}lvarez", "jose"),
    ("Олена Шевченко", "olena"),
    ("Rosa Quiroga 🚀", "rosa"),
    ("יעל כהן", "yael"),
    ("Conor \"Con\" O'Dwyer", "con"),
    ("प्रिया नायर", "priya"),
    ("Łukasz Żak", "lukasz"),
    ("Ngọc Trần", "ngoc"),
    ("김민준", "minjun"),
    ("Tom & Jerry <bots>", "tj-bots"),
    ("Björk Þórsdóttir", "bjork"),
];

const REPOSITORIES: [&str; 16] = [
    "Payments API",
    "Web Shop",
    "Ledger",
    "Mobile App",
    "Search",
    "Billing Worker",
    "Notifier",
    "Data Platform",
    "Design System",
    "Gateway",
    "Fraud Rules",
    "Warehouse",
    "Release Scripts",
    "Identity",
    "Reporting",
    "Sandbox",
];

pub(crate) const PROJECTS: [(&str, &str); 3] = [
    ("PAY", "Payments"),
    ("WEB", "Web & Mobile"),
    ("OPS", "Опора 🛠"),
];

const LANGUAGES: [&str; 7] = ["rust", "python", "typescript", "java", "go", "c#", ""];

const VERBS: [&str; 12] = [
    "Add", "Fix", "Remove", "Speed up", "Document", "Refactor", "Retry", "Validate", "Cache",
    "Rename", "Split", "Log",
];

const THINGS: [&str; 18] = [
    "currency rounding",
    "the login form",
    "webhook delivery",
    "nightly export",
    "rate limits",
    "invoice numbering",
    "search index",
    "session expiry",
    "the retry queue",
    "error pages",
    "address parsing",
    "refund flow",
    "feature flags",
    "dark mode",
    "CSV import",
    "audit trail",
    "token rotation",
    "slow queries",
];

const FLAVOURS: [&str; 12] = [
    "for guests",
    "on weekends",
    "🎉",
    "(決済画面)",
    "— déjà vu",
    "بعد التحديث",
    "in <b>HTML</b> mails & \"quotes\"",
    "für Österreich",
    "עם תמיכה מלאה",
    "👩\u{200d}💻 pairing",
    "cafe\u{301} menu",
    "再試行",
];

const SENTENCES: [&str; 14] = [
    "Customers in two regions reported this last week.",
    "The old code read the value twice and trusted the first answer.",
    "I measured it on staging: p95 drops from 840 ms to 120 ms.",
    "この変更は後方互換です。",
    "Rollback is a plain revert, no migration involved.",
    "Please look at the error handling first, the rest is mechanical.",
    "Das Verhalten bei leeren Eingaben bleibt gleich.",
    "تم اختبار التغيير على بيئة الاختبار.",
    "The flag `checkout.v2` stays off until Monday.",
    "There is a follow-up for the documentation.",
    "Tests cover the empty list, one element and the page boundary.",
    "Naïve approach, but the table has fewer than a hundred rows 🙂.",
    "We agreed on this in the review of the previous attempt.",
    "Nothing outside the module calls it any more.",
];

const REMARKS: [&str; 14] = [
    "Looks good to me.",
    "Could this be a `const`?",
    "Why not reuse the existing parser?",
    "Nice catch! 👏",
    "nit: typo",
    "This will fail on an empty list.",
    "ここはテストが必要だと思います。",
    "Please add a test for the second branch.",
    "I would rather see an error here than a silent default.",
    "Done.",
    "Das verstehe ich nicht ganz.",
    "هل يمكن تبسيط هذا؟",
    "Agreed, let us do that in a follow-up.",
    "What happens when the clock goes back?",
];

const PATHS: [&str; 8] = [
    "src/lib.rs",
    "src/checkout/total.rs",
    "app/models/invoice.py",
    "web/src/components/Price.tsx",
    "docs/übersicht.md",
    "scripts/deploy.sh",
    "src/日本語/parser.go",
    "Makefile",
];

fn pick<'a, R: Rng + ?Sized>(rng: &mut R, from: &[&'a str]) -> &'a str {
    from.choose(rng).copied().unwrap_or_default()
}

/// The display name and nickname of the n-th person.
pub(crate) fn person(index: usize) -> (String, String) {
    let (name, nickname) = PEOPLE[index % PEOPLE.len()];
    match index / PEOPLE.len() {
        0 => (name.to_owned(), nickname.to_owned()),
        round => (
            format!("{name} {}", round + 1),
            format!("{nickname}{}", round + 1),
        ),
    }
}

/// The name of the n-th repository.
pub(crate) fn repository(index: usize) -> String {
    let name = REPOSITORIES[index % REPOSITORIES.len()];
    match index / REPOSITORIES.len() {
        0 => name.to_owned(),
        round => format!("{name} {}", round + 1),
    }
}

pub(crate) fn language<R: Rng + ?Sized>(rng: &mut R) -> &'static str {
    pick(rng, &LANGUAGES)
}

pub(crate) fn sentence<R: Rng + ?Sized>(rng: &mut R) -> &'static str {
    pick(rng, &SENTENCES)
}

pub(crate) fn path<R: Rng + ?Sized>(rng: &mut R) -> &'static str {
    pick(rng, &PATHS)
}

/// `PAY-123`.
pub(crate) fn issue_key<R: Rng + ?Sized>(rng: &mut R) -> String {
    let (key, _) = PROJECTS[rng.random_range(0..PROJECTS.len())];
    format!("{key}-{}", rng.random_range(1..4000))
}

/// `PAY-123`, or the number of an issue of the repository's own tracker, as `#7`.
fn mention<R: Rng + ?Sized>(rng: &mut R) -> String {
    let key = issue_key(rng);
    let number: Option<usize> = key.rsplit('-').next().and_then(|it| it.parse().ok());
    match number {
        Some(number) if number % 3 == 0 => format!("#{}", number % 16),
        _ => key,
    }
}

/// A pull-request title; most name an issue, some leave plain ASCII.
pub(crate) fn title<R: Rng + ?Sized>(rng: &mut R) -> String {
    let mut title = format!("{} {}", pick(rng, &VERBS), pick(rng, &THINGS));
    if rng.random_bool(0.6) {
        title = format!("{} {title}", mention(rng));
    }
    if rng.random_bool(0.3) {
        title = format!("{title} {}", pick(rng, &FLAVOURS));
    }
    title
}

/// A markdown description; one in twelve pull requests has none.
pub(crate) fn description<R: Rng + ?Sized>(rng: &mut R) -> String {
    if rng.random_bool(0.08) {
        return String::new();
    }
    let mut lines = vec![format!("## {}", pick(rng, &THINGS)), String::new()];
    lines.push(paragraph(rng, 3..6));
    lines.push(String::new());
    for _ in 0..rng.random_range(2..5) {
        lines.push(format!(
            "* {} {} ({})",
            pick(rng, &VERBS),
            pick(rng, &THINGS),
            issue_key(rng)
        ));
    }
    lines.push(String::new());
    lines.push(paragraph(rng, 2..4));
    lines.push(format!(
        "Closes {}, see also {}.",
        issue_key(rng),
        issue_key(rng)
    ));
    // Text typed into the web form arrives with both characters, text from scripts with one.
    lines.join(if rng.random_bool(0.5) { "\r\n" } else { "\n" })
}

fn paragraph<R: Rng + ?Sized>(rng: &mut R, sentences: std::ops::Range<usize>) -> String {
    let count = rng.random_range(sentences);
    let chosen: Vec<_> = (0..count).map(|_| sentence(rng)).collect();
    chosen.join(" ")
}

/// A review comment: mostly a line, now and then an argument.
pub(crate) fn remark<R: Rng + ?Sized>(rng: &mut R) -> String {
    match rng.random_range(0..6) {
        0 => format!("{}\n\n{}", pick(rng, &REMARKS), paragraph(rng, 1..4)),
        1 => format!("{} See {}.", pick(rng, &REMARKS), issue_key(rng)),
        _ => pick(rng, &REMARKS).to_owned(),
    }
}

pub(crate) fn commit_message<R: Rng + ?Sized>(rng: &mut R) -> String {
    let subject = title(rng);
    if rng.random_bool(0.3) {
        format!("{subject}\n\n{}\n", paragraph(rng, 1..3))
    } else {
        format!("{subject}\n")
    }
}

pub(crate) fn branch<R: Rng + ?Sized>(rng: &mut R) -> String {
    let kind = pick(rng, &["feature", "bugfix", "hotfix", "chore"]);
    let thing = pick(rng, &THINGS).replace(' ', "-").to_lowercase();
    format!("{kind}/{}-{thing}", issue_key(rng))
}
