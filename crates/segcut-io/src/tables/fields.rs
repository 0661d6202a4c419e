//! Text → lines of fields.

use super::error::{TableError, TableFault};
use crate::Input;

/// What stands between fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delimiter {
    /// This character.
    Char(char),
    /// Blanks and tabs, any number of them.
    Blanks,
}

impl Delimiter {
    /// Tabs are blanks, unless names with blanks, or empty cells, stand between them.
    fn of(line: &str) -> Self {
        let tabbed =
            |line: &str| line.contains('\t') && line.split('\t').any(|f| f.is_empty() || f.trim().contains(' '));
        let found = [',', ';'].into_iter().find(|&c| line.contains(c));
        found.or_else(|| tabbed(line).then_some('\t')).map_or(Self::Blanks, Self::Char)
    }
}

/// The lines of a table that hold something, with their numbers.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub(super) input: &'a Input,
    text: &'a str,
    delimiter: Delimiter,
}

impl<'a> Table<'a> {
    /// # Errors
    /// [`TableFault::NotText`] with the line.
    pub(super) fn new(input: &'a Input) -> Result<Self, TableError> {
        let text = std::str::from_utf8(&input.bytes).map_err(|error| {
            let line = 1 + input.bytes[..error.valid_up_to()].iter().filter(|&&b| b == b'\n').count();
            TableFault::NotText.at(&input.file, line)
        })?;
        let text = text.trim_start_matches('\u{feff}');
        let first = content_lines(text).next().map_or("", |(_, line)| line);
        Ok(Self { input, text, delimiter: Delimiter::of(first) })
    }

    /// Lines that are neither empty nor comments: number (from 1) and fields, without the blanks and quotes around.
    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, Vec<&'a str>)> + '_ {
        content_lines(self.text).map(|(number, line)| (number, self.fields(line)))
    }

    fn fields(&self, line: &'a str) -> Vec<&'a str> {
        match self.delimiter {
            Delimiter::Blanks => line.split_whitespace().map(unquoted).collect(),
            Delimiter::Char(c) if line.contains('"') => quoted_fields(line, c),
            Delimiter::Char(c) => line.split(c).map(str::trim).collect(),
        }
    }

    pub(super) fn fault(&self, line: impl Into<Option<usize>>, fault: TableFault) -> TableError {
        fault.at(&self.input.file, line)
    }
}

fn content_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_comment = |line: &str| ["#", "%", "//"].iter().any(|mark| line.starts_with(mark));
    (1..)
        .zip(text.lines())
        .map(|(number, line)| (number, line.trim()))
        .filter(move |(_, l)| !l.is_empty() && !is_comment(l))
}

fn unquoted(field: &str) -> &str {
    let field = field.trim();
    field.strip_prefix('"').and_then(|f| f.strip_suffix('"')).unwrap_or(field)
}

/// Splits where the delimiter stands outside quotes.
fn quoted_fields(line: &str, delimiter: char) -> Vec<&str> {
    let mut fields = Vec::new();
    let (mut start, mut inside) = (0, false);
    for (at, c) in line.char_indices() {
        if c == '"' {
            inside = !inside;
        } else if c == delimiter && !inside {
            fields.push(unquoted(&line[start..at]));
            start = at + c.len_utf8();
        }
    }
    fields.push(unquoted(&line[start..]));
    fields
}

/// A cell → a finite number.
pub(super) fn finite(column: impl FnOnce() -> String, text: &str) -> Result<f64, TableFault> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(TableFault::NotFinite { column: column(), text: text.to_owned() }),
        Err(_) => Err(TableFault::NotANumber { column: column(), text: text.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(usize, Vec<String>)> {
        let input = Input { file: "t".into(), bytes: text.as_bytes().to_vec() };
        let owned = |(n, fields): (usize, Vec<&str>)| (n, fields.into_iter().map(str::to_owned).collect());
        Table::new(&input).unwrap().rows().map(owned).collect()
    }

    #[test]
    fn delimiters_comments_and_quotes() {
        assert_eq!(
            rows("# c\n\n1 \t 2\n% d\n3  4\n"),
            [(3, vec!["1".to_owned(), "2".to_owned()]), (5, vec!["3".to_owned(), "4".to_owned()])]
        );
        assert_eq!(rows("\u{feff}a;b\r\n"), [(1, vec!["a".to_owned(), "b".to_owned()])]);
        assert_eq!(rows("\"Hi, Mr.\", 2,\n"), [(1, vec!["Hi, Mr.".to_owned(), "2".to_owned(), String::new()])]);
        let broken = Input { file: "t.csv".into(), bytes: b"1,2\n\xff".to_vec() };
        assert_eq!(Table::new(&broken).unwrap_err().to_string(), "t.csv line 2: the text is not UTF-8");
    }
}
