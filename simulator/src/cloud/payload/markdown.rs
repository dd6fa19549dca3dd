//! The rendered form of what people write: enough markdown for headings, lists and code.

use crate::cloud::payload::json::Object;

/// `{raw, markup, html}` as a member of another object.
pub(super) fn member(it: &mut Object<'_>, key: &str, raw: &str) {
    it.object(key, |it| {
        it.text("raw", raw);
        it.text("markup", "markdown");
        it.text("html", &html(raw));
    });
}

pub(super) fn html(raw: &str) -> String {
    let mut html = String::with_capacity(raw.len() + raw.len() / 4);
    let mut open = "";
    for line in raw.lines() {
        let (block, text) = match line {
            "" => ("", ""),
            _ if line.starts_with("## ") => ("h2", &line[3..]),
            _ if line.starts_with("* ") => ("ul", &line[2..]),
            _ => ("p", line),
        };
        if block != open {
            close(&mut html, open);
            if !block.is_empty() {
                html.extend(["<", block, ">"]);
            }
        } else if block == "p" {
            html.push('\n');
        }
        open = block;
        if block == "ul" {
            html.push_str("\n<li>");
        }
        inline(&mut html, text);
        if block == "ul" {
            html.push_str("</li>");
        }
    }
    close(&mut html, open);
    html.truncate(html.trim_end().len());
    html
}

fn close(html: &mut String, block: &str) {
    match block {
        "" => {}
        "ul" => html.push_str("\n</ul>\n"),
        _ => html.extend(["</", block, ">\n"]),
    }
}

/// Escapes text and turns backquotes into code.
fn inline(html: &mut String, text: &str) {
    let mut code = false;
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '`' => {
                html.push_str(if code { "</code>" } else { "<code>" });
                code = !code;
            }
            _ => html.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::html;

    #[test]
    fn blocks_open_and_close() {
        assert_eq!(html(""), "");
        assert_eq!(html("a <b>\r\nc"), "<p>a &lt;b&gt;\nc</p>");
        assert_eq!(
            html("## t\n\n* x `y`\n* z\n\nend"),
            "<h2>t</h2>\n<ul>\n<li>x <code>y</code></li>\n<li>z</li>\n</ul>\n<p>end</p>"
        );
    }
}
