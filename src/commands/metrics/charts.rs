//! Small charts of text.

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One character for each value, as high as it is beside the greatest; a dot where there is none.
pub(super) fn sparkline(values: &[Option<f64>]) -> String {
    let greatest = values.iter().flatten().copied().fold(0.0, f64::max);
    let level = |value: &Option<f64>| match value {
        None => '·',
        Some(value) if greatest > 0.0 => LEVELS[place(*value / greatest, LEVELS.len() - 1)],
        Some(_) => LEVELS[0],
    };
    values.iter().map(level).collect()
}

/// A bar as long as a share of 0 to 1 is of `width` characters.
pub(super) fn bar(share: f64, width: usize) -> String {
    let filled = place(share, width);
    "█".repeat(filled) + &"░".repeat(width - filled)
}

fn place(share: f64, greatest: usize) -> usize {
    let greatest = u16::try_from(greatest).unwrap_or(u16::MAX);
    (0..=greatest)
        .rev()
        .find(|place| share * f64::from(greatest) + 0.5 >= f64::from(*place))
        .map_or(0, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_as_high_as_they_are_beside_the_greatest_one() {
        let values = [Some(0.0), Some(1.0), None, Some(4.0), Some(8.0)];
        assert_eq!(sparkline(&values), "▁▂·▅█");
        assert_eq!(sparkline(&[Some(0.0), None]), "▁·");
        assert_eq!(sparkline(&[]), "");
    }

    #[test]
    fn a_bar_is_as_long_as_its_share() {
        assert_eq!(bar(0.0, 4), "░░░░");
        assert_eq!(bar(0.5, 4), "██░░");
        assert_eq!(bar(1.0, 4), "████");
    }
}
