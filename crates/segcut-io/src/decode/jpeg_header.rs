//! The markers of a JPEG before its first scan.

/// What the markers say.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Header<'a> {
    /// The frame: process (the n of SOFn), bits a sample, height, width, components.
    pub frame: Option<Frame>,
    /// The color transform of the Adobe marker (0 none, 1 YCbCr, 2 YCCK), where there is one.
    pub adobe: Option<u8>,
    /// The TIFF-shaped content of the EXIF marker.
    pub exif: Option<&'a [u8]>,
    /// Whether an MPF marker tells of further pictures behind this one.
    pub several: bool,
    /// How many components the first scan holds.
    pub first_scan: Option<u8>,
    /// Where the coded data of the first scan begin.
    pub data: Option<usize>,
}

/// The start-of-frame marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub process: u8,
    pub bits: u8,
    pub height: u16,
    pub width: u16,
    pub components: u8,
    /// Whether a component is sampled more than once per row of blocks (4:2:0, 4:4:0).
    pub tall: bool,
}

/// Walks the markers up to the start of scan; what is cut off is simply missing from the result.
///
/// Source: ITU-T T.81, annex B.
pub(super) fn walk(bytes: &[u8]) -> Header<'_> {
    let mut header = Header::default();
    let mut at = 2;
    while let Some(&byte) = bytes.get(at) {
        let Some(&marker) = bytes.get(at + 1) else { break };
        // Fill bytes and stray bytes between markers are stepped over.
        if byte != 0xff || matches!(marker, 0x00 | 0xff) {
            at += 1;
            continue;
        }
        at += 2;
        match marker {
            0x01 | 0xd0..=0xd8 => continue,
            0xd9 => break,
            _ => {}
        }
        let Some(length) = bytes.get(at..at + 2).map(|b| usize::from(u16::from_be_bytes([b[0], b[1]]))) else { break };
        let Some(content) = bytes.get(at + 2..at + length.max(2)) else { break };
        note(&mut header, marker, content);
        if marker == 0xda {
            header.data = Some(at + length.max(2));
            break;
        }
        at += length.max(2);
    }
    header
}

/// Where the end-of-image marker lies that ends the first scan, if such a marker ends it.
pub(super) fn end_of_image(bytes: &[u8], data: usize) -> Option<usize> {
    let coded = bytes.get(data..)?;
    // Within coded data 0xff is followed by 0 (a stuffed 0xff) or is a restart marker.
    let ends = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff);
    let at = coded.windows(2).position(ends)?;
    (coded[at + 1] == 0xd9).then_some(data + at)
}

fn note<'a>(header: &mut Header<'a>, marker: u8, content: &'a [u8]) {
    match (marker, content) {
        // 0xc4, 0xc8 and 0xcc are tables, not frames.
        (
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf,
            &[bits, h1, h0, w1, w0, components, ref factors @ ..],
        ) => {
            header.frame.get_or_insert(Frame {
                process: marker - 0xc0,
                bits,
                height: u16::from_be_bytes([h1, h0]),
                width: u16::from_be_bytes([w1, w0]),
                components,
                // Identifier, sampling factors (horizontal, vertical), table.
                tall: factors.chunks_exact(3).any(|factor| factor[1] & 0x0f > 1),
            });
        }
        (0xe1, _) if content.starts_with(b"Exif\0\0") => {
            header.exif.get_or_insert(&content[6..]);
        }
        (0xe2, _) if content.starts_with(b"MPF\0") => header.several = true,
        (0xda, _) => header.first_scan = content.first().copied(),
        (0xee, _) if content.starts_with(b"Adobe") => header.adobe = content.get(11).copied(),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_markers() {
        let bytes = [
            &b"\xff\xd8\xff\xe1\x00\x0cExif\0\0II*\0"[..],
            b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x02",
            b"\xff\xff\xc2\x00\x0b\x08\x01\x02\x03\x04\x01\x01\x11\x00\xff\xda",
        ]
        .concat();
        let header = walk(&bytes);
        assert_eq!(header.exif, Some(&b"II*\0"[..]));
        assert_eq!(header.adobe, Some(2));
        let frame = Frame { process: 2, bits: 8, height: 0x102, width: 0x304, components: 1, tall: false };
        assert_eq!(header.frame, Some(frame));
    }

    #[test]
    fn cut_markers_are_missing() {
        assert_eq!(walk(b"\xff\xd8\xff\xe1\x40\x00Exif"), Header::default());
        assert_eq!(walk(b"\xff\xd8\xff"), Header::default());
    }
}
