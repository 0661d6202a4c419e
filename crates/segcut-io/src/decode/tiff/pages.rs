//! The chain of image directories of a TIFF.

/// One image directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    /// Where the entry of tag 262 lies, and its value.
    pub photometric: Option<(usize, u32)>,
    /// Whether it is a smaller copy or a mask of another page (tag 254).
    pub reduced: bool,
}

/// The byte order and the word sizes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words<'a> {
    bytes: &'a [u8],
    pub big_endian: bool,
    pub big_tiff: bool,
}

impl<'a> Words<'a> {
    /// Reads byte order and width from the header.
    pub fn of(bytes: &'a [u8]) -> Self {
        let big_endian = bytes.starts_with(b"MM");
        let big_tiff = bytes.starts_with(b"II+") || bytes.starts_with(b"MM\0+");
        Self { bytes, big_endian, big_tiff }
    }

    fn word<const N: usize>(self, at: usize) -> Option<u64> {
        let mut little: [u8; N] = self.bytes.get(at..at.checked_add(N)?)?.try_into().ok()?;
        if self.big_endian {
            little.reverse();
        }
        let mut wide = [0; 8];
        wide[..N].copy_from_slice(&little);
        Some(u64::from_le_bytes(wide))
    }

    fn offset(self, at: usize) -> Option<usize> {
        let offset = if self.big_tiff { self.word::<8>(at) } else { self.word::<4>(at) };
        usize::try_from(offset?).ok()
    }

    /// The length of a directory entry.
    pub fn entry_length(self) -> usize {
        if self.big_tiff { 20 } else { 12 }
    }

    /// A number in an entry of type SHORT or LONG and count 1.
    fn number(self, entry: usize) -> Option<u64> {
        let value = entry + self.entry_length() - if self.big_tiff { 8 } else { 4 };
        match self.word::<2>(entry + 2)? {
            3 => self.word::<2>(value),
            4 => self.word::<4>(value),
            _ => None,
        }
    }
}

/// All pages in order; a loop or a cut ends the list.
///
/// Source: TIFF 6.0, section 2; BigTIFF as Adobe's technical note and libtiff have it.
pub(super) fn walk(bytes: &[u8]) -> Vec<Page> {
    const MOST: usize = 65_536;
    let words = Words::of(bytes);
    let mut pages = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    let mut next = words.offset(if words.big_tiff { 8 } else { 4 });
    while let Some(at) = next.filter(|&at| at != 0 && pages.len() < MOST && seen.insert(at)) {
        let Some((page, end)) = page_at(words, at) else { break };
        pages.push(page);
        next = words.offset(end);
    }
    pages
}

/// The directory at an offset, and where the offset of the next one lies.
fn page_at(words: Words<'_>, at: usize) -> Option<(Page, usize)> {
    let (count, first) = if words.big_tiff { (words.word::<8>(at)?, at + 8) } else { (words.word::<2>(at)?, at + 2) };
    let count = usize::try_from(count).ok()?;
    let end = first.checked_add(count.checked_mul(words.entry_length())?)?;
    if end > words.bytes.len() {
        return None;
    }
    let mut page = Page { photometric: None, reduced: false };
    for entry in (first..end).step_by(words.entry_length()) {
        match words.word::<2>(entry)? {
            254 => page.reduced = words.number(entry).is_some_and(|kind| kind & 0b101 != 0),
            262 => page.photometric = words.number(entry).map(|v| (entry, u32::try_from(v).unwrap_or(u32::MAX))),
            _ => {}
        }
    }
    Some((page, end))
}
