//! Results to stdout; everything else to stderr.

use crate::exit::{Code, Failure, Outcome};
use serde::Serialize;
use std::io::{ErrorKind, Write};

/// Writes a line of the result to stdout. A reader that has gone away (`| head`) ends the program
/// quietly.
pub fn out(line: &str) -> Result<(), Failure> {
    out_bytes(format!("{line}\n").as_bytes()).map(|_| ())
}

/// Writes bytes to stdout, as [`out`] does.
pub fn out_bytes(bytes: &[u8]) -> Outcome {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(Code::Fine),
        Err(e) if e.kind() == ErrorKind::BrokenPipe => std::process::exit(Code::Fine as i32),
        Err(e) => Err(Failure::output(format!("stdout: {e}"))),
    }
}

/// Writes the result as JSON to stdout.
pub fn out_json(value: &impl Serialize) -> Outcome {
    let text = serde_json::to_string_pretty(value).map_err(|e| Failure::output(format!("JSON: {e}")))?;
    out(&text)?;
    Ok(Code::Fine)
}

/// Writes a line to stderr; control characters (which a file name may hold) are escaped.
pub fn note(line: &str) {
    let mut stderr = std::io::stderr().lock();
    // Nobody is left to tell when stderr is closed.
    let _ = writeln!(stderr, "{}", escaped(line));
}

/// The text with control characters shown as escapes.
pub fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let plain = !c.is_control();
            let escape = (!plain).then(|| c.escape_default());
            plain.then_some(c).into_iter().chain(escape.into_iter().flatten())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(escaped("a\u{1b}]0;b\n"), "a\\u{1b}]0;b\\n");
        assert_eq!(escaped("über"), "über");
    }
}
