//! A TIFF as the `tiff` crate is shown it: one directory entry says "gray".

use super::pages::{Page, Words};
use std::io::{self, Read, Seek, SeekFrom};

/// Reads a file's bytes with the photometric interpretation of one page replaced by 1, "black is zero".
pub(super) struct ShownAsGray<'a> {
    bytes: &'a [u8],
    at: usize,
    patch: Vec<u8>,
    position: usize,
}

impl<'a> ShownAsGray<'a> {
    /// Finds the entry of `page` to patch.
    pub fn new(bytes: &'a [u8], page: &Page) -> Self {
        let words = Words::of(bytes);
        let (at, patch) = page.photometric.map_or((0, Vec::new()), |(at, _)| (at, gray_entry(words)));
        Self { bytes, at, patch, position: 0 }
    }
}

/// Tag 262, type SHORT, count 1, value 1.
fn gray_entry(words: Words<'_>) -> Vec<u8> {
    let word = |value: u16, length: usize| {
        let mut bytes = vec![0; length];
        bytes[..2].copy_from_slice(&value.to_le_bytes());
        if words.big_endian {
            bytes.reverse();
        }
        bytes
    };
    let count = word(1, if words.big_tiff { 8 } else { 4 });
    let mut entry = [word(262, 2), word(3, 2), count, word(1, 2)].concat();
    // The value stands at the left of its field in both byte orders.
    entry.resize(words.entry_length(), 0);
    entry
}

impl Read for ShownAsGray<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let length = rest.len().min(out.len());
        out[..length].copy_from_slice(&rest[..length]);
        let (from, to) = (self.at.max(self.position), (self.at + self.patch.len()).min(self.position + length));
        if from < to {
            out[from - self.position..to - self.position].copy_from_slice(&self.patch[from - self.at..to - self.at]);
        }
        self.position += length;
        Ok(length)
    }
}

impl Seek for ShownAsGray<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (base, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::End(by) => (self.bytes.len() as u64, by),
            SeekFrom::Current(by) => (self.position as u64, by),
        };
        let position = base.checked_add_signed(by).ok_or(io::ErrorKind::InvalidInput)?;
        self.position = usize::try_from(position).map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::tiff::pages;

    #[test]
    fn only_one_entry_changes() {
        for (order, wanted) in
            [(b"II*\0", [6u8, 1, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0]), (b"MM\0*", [1, 6, 0, 3, 0, 0, 0, 1, 0, 1, 0, 0])]
        {
            let le = order == b"II*\0";
            let short = |v: u16| if le { v.to_le_bytes() } else { v.to_be_bytes() };
            let long = |v: u32| if le { v.to_le_bytes() } else { v.to_be_bytes() };
            let mut file = order.to_vec();
            file.extend(long(8));
            file.extend(short(1));
            file.extend([short(262), short(3)].concat());
            file.extend(long(1));
            file.extend([short(2), short(0)].concat());
            file.extend(long(0));
            let pages = pages::walk(&file);
            assert_eq!(pages[0].photometric, Some((10, 2)));
            let mut read = Vec::new();
            ShownAsGray::new(&file, &pages[0]).read_to_end(&mut read).unwrap();
            assert_eq!(read[10..22], wanted);
            assert_eq!((&read[..10], &read[22..]), (&file[..10], &file[22..]));
        }
    }
}
