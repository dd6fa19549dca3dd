//! What the company runs: its repositories, how they change and how they are shipped.

use crate::world::builds::Environment;

/// How pull requests become commits of the main branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merging {
    Squash,
    MergeCommit,
}

/// When the main branch goes to production.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shipping {
    /// Each merge does.
    EachMerge,
    /// A release does, every so many weeks.
    Release { weeks: i64 },
}

/// One repository.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) language: &'static str,
    /// Place in the world's projects.
    pub(super) project: usize,
    /// Place in the teams.
    pub(super) team: usize,
    /// Pull requests in ten weeks.
    pub(super) pace: i64,
    pub(super) merging: Merging,
    pub(super) shipping: Shipping,
    pub(super) environments: &'static [Environment],
    /// The step that deploys to the last environment.
    pub(super) last_step: &'static str,
    /// Share of changes, in percent, that cause an incident.
    pub(super) risk: u32,
    /// The release that was there when the year began.
    pub(super) version: (u64, u64),
    /// What changes are about.
    pub(super) things: &'static [&'static str],
}

/// Key and name of each project.
pub(super) const PROJECTS: [(&str, &str); 2] = [("SHOP", "Shop"), ("OPS", "Operations")];

const USUAL: &[Environment] = &[
    ("Staging", "staging", "Staging"),
    ("Production", "production", "Production"),
];

/// The flaw that is planted in the company: an environment that customers use, but that was made
/// as one for tests.
const MISNAMED: &[Environment] = &[
    ("Staging", "staging", "Staging"),
    ("live-eu", "live-eu", "Test"),
];

const TO_PRODUCTION: &str = "Deploy to production";

pub(super) const SERVICES: [Service; 5] = [
    Service {
        name: "web-shop",
        description: "What customers see",
        language: "typescript",
        project: 0,
        team: 0,
        pace: 18,
        merging: Merging::Squash,
        shipping: Shipping::EachMerge,
        environments: USUAL,
        last_step: TO_PRODUCTION,
        risk: 14,
        version: (0, 0),
        things: &[
            "delivery dates",
            "gift cards",
            "the size guide",
            "saved baskets",
            "voucher codes",
            "the image zoom",
            "guest checkout",
            "order history",
            "search suggestions",
        ],
    },
    Service {
        name: "payments-api",
        description: "Takes payments and gives money back",
        language: "kotlin",
        project: 0,
        team: 1,
        pace: 13,
        merging: Merging::MergeCommit,
        shipping: Shipping::EachMerge,
        environments: USUAL,
        last_step: TO_PRODUCTION,
        risk: 12,
        version: (0, 0),
        things: &[
            "partial refunds",
            "card tokens",
            "instalments",
            "currency rounding",
            "the fraud check",
            "payout reports",
            "3-D Secure",
            "idempotency keys",
        ],
    },
    Service {
        name: "catalog",
        description: "Products, prices and stock",
        language: "go",
        project: 0,
        team: 2,
        pace: 11,
        merging: Merging::Squash,
        shipping: Shipping::Release { weeks: 1 },
        environments: USUAL,
        last_step: TO_PRODUCTION,
        risk: 12,
        version: (2, 14),
        things: &[
            "price lists",
            "stock levels",
            "product variants",
            "the supplier feed",
            "category trees",
            "discount rules",
            "the search index",
        ],
    },
    Service {
        name: "mobile-app",
        description: "The shop on telephones",
        language: "kotlin",
        project: 0,
        team: 0,
        pace: 8,
        merging: Merging::MergeCommit,
        shipping: Shipping::Release { weeks: 2 },
        environments: USUAL,
        last_step: TO_PRODUCTION,
        risk: 12,
        version: (5, 3),
        things: &[
            "push messages",
            "the barcode scanner",
            "offline baskets",
            "dark mode",
            "deep links",
            "sign-in by fingerprint",
        ],
    },
    Service {
        name: "order-worker",
        description: "Packs orders and prints labels",
        language: "rust",
        project: 1,
        team: 3,
        pace: 9,
        merging: Merging::Squash,
        shipping: Shipping::EachMerge,
        environments: MISNAMED,
        last_step: "Deploy to live-eu",
        risk: 12,
        version: (0, 0),
        things: &[
            "shipping labels",
            "the pick list",
            "returns",
            "carrier prices",
            "split deliveries",
            "customs papers",
        ],
    },
];
