//! First bytes into a format, or into a name for what they are instead.

use super::DecodeError;
use std::fmt::{self, Display, Formatter};

/// An image format that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Format {
    /// PNG and APNG.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    WebP,
    /// GIF.
    Gif,
    /// Windows bitmap.
    Bmp,
    /// PBM, PGM, PPM and PAM.
    Pnm,
    /// TIFF and BigTIFF.
    Tiff,
    /// A numpy array.
    Npy,
}

impl Format {
    /// The name as people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Pnm => "PNM",
            Self::Tiff => "TIFF",
            Self::Npy => ".npy",
        }
    }

    /// Name endings in lower case that go with the format.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Png => &["png", "apng"],
            Self::Jpeg => &["jpg", "jpeg", "jpe", "jfif", "mpo"],
            Self::WebP => &["webp"],
            Self::Gif => &["gif"],
            Self::Bmp => &["bmp", "dib"],
            Self::Pnm => &["pnm", "pbm", "pgm", "ppm", "pam"],
            Self::Tiff => &["tif", "tiff", "gtiff", "btf"],
            Self::Npy => &["npy"],
        }
    }
}

impl Display for Format {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What bytes look like that are no readable image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Content {
    /// No bytes.
    #[error("an empty file (0 bytes)")]
    Nothing,
    /// A signature with nothing behind it.
    #[error("a {0} signature with nothing behind it")]
    SignatureOnly(Format),
    /// A web page, often a saved error message.
    #[error("an HTML page")]
    Html,
    /// A pointer that Git LFS left in place of the file.
    #[error("a Git LFS pointer (run `git lfs pull`)")]
    GitLfs,
    /// Text of some other kind.
    #[error("text")]
    Text,
    /// A ZIP archive.
    #[error("a ZIP archive")]
    Zip,
    /// A gzip stream.
    #[error("gzip-compressed data")]
    Gzip,
    /// Unknown bytes.
    #[error("unknown binary data")]
    Unknown,
    /// A document or picture format that is known and not read.
    #[error("{0}")]
    Other(&'static str),
}

/// The format by content, or the error that says what it is instead.
pub(super) fn sniff(bytes: &[u8]) -> Result<Format, DecodeError> {
    if let Some((format, signature)) = image_format(bytes) {
        if bytes.len() <= signature {
            return Err(DecodeError::Unrecognised { content: Content::SignatureOnly(format) });
        }
        return Ok(format);
    }
    if let Some(name) = other_format(bytes) {
        return Err(DecodeError::UnsupportedContent { content: Content::Other(name) });
    }
    Err(DecodeError::Unrecognised { content: what_else(bytes) })
}

/// The format and the length of its signature.
fn image_format(bytes: &[u8]) -> Option<(Format, usize)> {
    const SIGNATURES: [(&[u8], Format); 10] = [
        (b"\x89PNG\r\n\x1a\n", Format::Png),
        (b"\xff\xd8\xff", Format::Jpeg),
        (b"GIF87a", Format::Gif),
        (b"GIF89a", Format::Gif),
        (b"BM", Format::Bmp),
        (b"II*\0", Format::Tiff),
        (b"MM\0*", Format::Tiff),
        (b"II+\0\x08\0\0\0", Format::Tiff),
        (b"MM\0+\0\x08\0\0", Format::Tiff),
        (b"\x93NUMPY", Format::Npy),
    ];
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Some((Format::WebP, 12));
    }
    if let [b'P', b'1'..=b'7', b' ' | b'\t' | b'\r' | b'\n' | b'#', ..] = bytes {
        return Some((Format::Pnm, 3));
    }
    let (signature, format) = SIGNATURES.iter().find(|(signature, _)| bytes.starts_with(signature))?;
    Some((*format, signature.len()))
}

fn other_format(bytes: &[u8]) -> Option<&'static str> {
    const SIGNATURES: [(&[u8], &str); 12] = [
        (b"%PDF-", "a PDF document"),
        (b"%!PS", "a PostScript document"),
        (b"\xc5\xd0\xd3\xc6", "an EPS document"),
        (b"8BPS", "a Photoshop document"),
        (b"\0\0\x01\0", "an ICO image"),
        (b"\0\0\0\x0cjP  ", "a JPEG 2000 image"),
        (b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
        (b"\xff\x0a", "a JPEG XL image"),
        (b"\0\0\0\x0cJXL ", "a JPEG XL image"),
        (b"\x76\x2f\x31\x01", "an OpenEXR image"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"qoif", "a QOI image"),
    ];
    if let Some((_, name)) = SIGNATURES.iter().find(|(signature, _)| bytes.starts_with(signature)) {
        return Some(name);
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return Some("an HEIC, AVIF or video file");
    }
    if bytes.get(128..132) == Some(b"DICM") {
        return Some("a DICOM file");
    }
    has_tag(bytes, "<svg").then_some("an SVG drawing")
}

fn what_else(bytes: &[u8]) -> Content {
    if bytes.is_empty() {
        return Content::Nothing;
    }
    if bytes.starts_with(b"version https://git-lfs") {
        return Content::GitLfs;
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Content::Zip;
    }
    if bytes.starts_with(b"\x1f\x8b") {
        return Content::Gzip;
    }
    if has_tag(bytes, "<html") || has_tag(bytes, "<!doctype html") {
        return Content::Html;
    }
    if is_text(bytes) { Content::Text } else { Content::Unknown }
}

/// Whether text begins, within its first KiB, with this tag in any case.
fn has_tag(bytes: &[u8], tag: &str) -> bool {
    let head = &bytes[..bytes.len().min(1024)];
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    text.starts_with(b"<") && text.windows(tag.len()).any(|window| window.eq_ignore_ascii_case(tag.as_bytes()))
}

fn is_text(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(512)].iter().all(|&b| b >= 0x20 || matches!(b, b'\t' | b'\r' | b'\n' | 0x0c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bytes: &[u8]) -> String {
        sniff(bytes).unwrap_err().to_string()
    }

    #[test]
    fn formats_by_content() {
        assert_eq!(sniff(b"P6\n1 1 255\nabc").unwrap(), Format::Pnm);
        assert_eq!(sniff(b"II+\0\x08\0\0\0...").unwrap(), Format::Tiff);
        assert_eq!(sniff(b"RIFF\x10\0\0\0WEBPVP8 ").unwrap(), Format::WebP);
    }

    #[test]
    fn says_what_else_it_is() {
        assert!(said(b"").contains("0 bytes"));
        assert!(said(b"\x89PNG\r\n\x1a\n").contains("nothing behind"));
        assert!(said(b"\xef\xbb\xbf <!DOCTYPE HTML><title>").contains("HTML"));
        assert!(said(b"version https://git-lfs.github.com/spec/v1\noid").contains("LFS"));
        assert!(said(b"hello, world").contains("text"));
        assert!(said(b"\x00\x01\x02\x03").contains("binary"));
        assert_eq!(sniff(b"<?xml version='1.0'?><svg/>").unwrap_err().code(), "unsupported");
        assert_eq!(sniff(b"%PDF-1.7").unwrap_err().code(), "unsupported");
    }
}
