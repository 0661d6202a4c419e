//! Rows → PNG, one row at a time.

use std::io::{self, Write};

/// What the rows of a PNG hold.
pub(crate) struct PngFormat<'a> {
    pub height: usize,
    pub width: usize,
    pub color: png::ColorType,
    pub depth: png::BitDepth,
    pub palette: Option<&'a [u8]>,
}

/// Writes a PNG whose rows `fill(row, bytes)` provides. Nothing but two rows is held.
///
/// The deflate form is the fast one of the `fdeflate` crate. It lives on zeros, which the filters leave of
/// regions of one label (Up) and of smooth pictures (Paeth).
pub(crate) fn write_png<W, F>(out: W, format: &PngFormat<'_>, mut fill: F) -> io::Result<()>
where
    W: Write,
    F: FnMut(usize, &mut [u8]),
{
    let side = |n: usize| u32::try_from(n).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput));
    let mut encoder = png::Encoder::new(out, side(format.width)?, side(format.height)?);
    encoder.set_color(format.color);
    encoder.set_depth(format.depth);
    if let Some(palette) = format.palette {
        encoder.set_palette(palette.to_vec());
    }
    encoder.set_deflate_compression(png::DeflateCompression::FdeflateUltraFast);
    let filter = if format.color == png::ColorType::Rgb { png::Filter::Paeth } else { png::Filter::Up };
    encoder.set_filter(filter);
    let mut writer = encoder.write_header()?;
    let mut stream = writer.stream_writer_with_size(1 << 16)?;
    let bytes = format.color.samples() * if format.depth == png::BitDepth::Sixteen { 2 } else { 1 };
    let mut row = vec![0; format.width * bytes];
    for at in 0..format.height {
        fill(at, &mut row);
        stream.write_all(&row)?;
    }
    stream.finish()?;
    writer.finish()?;
    Ok(())
}
