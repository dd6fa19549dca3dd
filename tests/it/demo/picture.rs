//! The picture in README, made of what the demo prints.

use std::fmt::Write as _;
use std::path::Path;

/// Size of a character and of a line, in pixels, and the space around all of them.
const CHARACTER: f64 = 7.83;
const LINE: usize = 17;
const AROUND: usize = 14;

/// Fails unless the picture shows this text; writes it where `HEADWATER_WRITE_PICTURE` is set.
pub(super) fn assert_current(text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/demo.svg");
    let expected = drawn(&format!("$ headwater demo\n{text}"));
    if std::env::var_os("HEADWATER_WRITE_PICTURE").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/demo.svg is old: run this test with HEADWATER_WRITE_PICTURE=1 to write it"
    );
}

fn drawn(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let height = lines.len() * LINE + 2 * AROUND;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"660\" height=\"{height}\" \
         font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, monospace\" \
         font-size=\"13\" fill=\"#e6e6e6\">\n\
         <rect width=\"660\" height=\"{height}\" rx=\"8\" fill=\"#1c2128\"/>\n"
    );
    for (place, line) in lines.iter().enumerate() {
        let baseline = AROUND + (place + 1) * LINE - 4;
        let width = line.chars().count();
        if width > 0 {
            // A given length keeps columns below each other, whatever font there is.
            let length = CHARACTER * f64::from(u32::try_from(width).unwrap());
            writeln!(
                svg,
                "<text x=\"{AROUND}\" y=\"{baseline}\" xml:space=\"preserve\" \
                 textLength=\"{length:.1}\">{}</text>",
                escaped(line)
            )
            .unwrap();
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn escaped(line: &str) -> String {
    let line = line.replace('&', "&amp;");
    line.replace('<', "&lt;").replace('>', "&gt;")
}
