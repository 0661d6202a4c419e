//! The colors of label numbers in an indexed PNG.

/// The color of a label after the PASCAL VOC development kit: bit i of the label's k-th octal digit
/// becomes bit 7−k of channel i. 0 is black, 255 (void) is a light cream.
///
/// ```
/// use segcut_io::labels::voc_color;
/// assert_eq!([voc_color(0), voc_color(1), voc_color(255)], [[0, 0, 0], [128, 0, 0], [224, 224, 192]]);
/// ```
pub fn voc_color(label: u8) -> [u8; 3] {
    let mut color = [0; 3];
    for bit in (0..8).filter(|bit| label >> bit & 1 == 1) {
        color[bit % 3] |= 128 >> (bit / 3);
    }
    color
}

/// 256 colors as the bytes of a palette chunk.
pub(crate) fn voc_palette() -> Vec<u8> {
    (0..=255).flat_map(voc_color).collect()
}
