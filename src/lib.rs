//! Headwater
