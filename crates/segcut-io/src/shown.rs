//! File names as they may stand in a message.

use std::fmt::{self, Display, Formatter, Write};
use std::path::Path;

/// A path for messages: control characters and text-direction marks are escaped as `\u{1b}`, so that
/// a file's name cannot steer a terminal or break a line.
///
/// ```
/// use std::path::Path;
/// assert_eq!(segcut_io::shown(Path::new("a\u{1b}]0;x\n.png")).to_string(), "a\\u{1b}]0;x\\u{a}.png");
/// ```
pub fn shown(path: &Path) -> Shown<'_> {
    Shown(path)
}

/// Displays a path; made by [`shown`].
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a>(&'a Path);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for c in self.0.to_string_lossy().chars() {
            if c.is_control() || is_direction_mark(c) {
                write!(f, "{}", c.escape_unicode())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
