//! What is written as labels, mask or field is read back; hostile bytes are errors.

#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use segcut_core::{LabelMap, Mask, VOID};
use segcut_io::ScalarField;
use segcut_io::labels::*;

fn label_map() -> impl Strategy<Value = LabelMap> {
    let top = prop_oneof![
        Just(1u32),
        Just(254),
        Just(255),
        Just(256),
        Just(65_534),
        Just(65_535),
        Just(70_000),
        1..100_000u32
    ];
    (1..12usize, 1..12usize, top).prop_flat_map(|(height, width, top)| {
        let label = prop_oneof![5 => 0..top, 1 => Just(top - 1), 1 => Just(VOID)];
        prop::collection::vec(label, height * width)
            .prop_map(move |labels| LabelMap::new(height, width, labels).unwrap())
    })
}

proptest! {
    #[test]
    fn labels_come_back(map in label_map(), start_label in 0..2u32) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.png");
        let options = LabelOptions { start_label, ..LabelOptions::default() };
        write_labels(&file, &map, &options).unwrap();
        prop_assert_eq!(&read_labels(&file, &options).unwrap(), &map);
        prop_assert_eq!(std::fs::read(&file).unwrap(), encode_labels(&map, start_label).unwrap());
    }

    #[test]
    fn masks_come_back(height in 1..9usize, bits in prop::collection::vec(any::<bool>(), 1..9)) {
        let width = bits.len();
        let mask = Mask::new(height, width, bits.repeat(height)).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.png");
        write_mask(&file, &mask).unwrap();
        prop_assert_eq!(read_mask(&file, 127, &LabelOptions::default()).unwrap(), mask);
    }

    #[test]
    fn mutated_files_give_labels_or_errors(at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>(), tiff: bool) {
        let top = if tiff { 70_000 } else { 3 };
        let mut bytes = encode_labels(&LabelMap::new(2, 3, vec![0, 1, 2, VOID, top, 1]).unwrap(), 0).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(cut.index(4 * bytes.len()).max(8));
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a");
        std::fs::write(&file, &bytes).unwrap();
        let _ = read_labels(&file, &LabelOptions { max_pixels: 10_000, ..LabelOptions::default() });
    }
}

fn png(color: png::ColorType, depth: png::BitDepth, width: u32, height: u32, data: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    encoder.write_header().unwrap().write_image_data(data).unwrap();
    file
}

#[test]
fn the_largest_value_of_a_whole_byte_is_void_and_of_a_bit_is_not() {
    let options = LabelOptions::default();
    let bits = png(png::ColorType::Grayscale, png::BitDepth::One, 10, 1, &[0b1010_0000, 0b0100_0000]);
    assert_eq!(read_labels(bits.path(), &options).unwrap().labels(), [1, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
    let gray = png(png::ColorType::Grayscale, png::BitDepth::Eight, 2, 1, &[255, 254]);
    assert_eq!(read_labels(gray.path(), &options).unwrap().labels(), [VOID, 254]);
    assert!(read_mask(bits.path(), 127, &options).unwrap().bits()[0]);
}

#[test]
fn colors_are_no_labels_but_equal_channels_are_a_mask() {
    let options = LabelOptions::default();
    let rgb = png(png::ColorType::Rgb, png::BitDepth::Eight, 2, 1, &[200, 200, 200, 0, 0, 0]);
    let error = read_labels(rgb.path(), &options).unwrap_err();
    assert!(matches!(error, LabelsError::Color { .. }) && error.to_string().contains("indexed"));
    assert_eq!(read_mask(rgb.path(), 127, &options).unwrap().bits(), [true, false]);
    let color = png(png::ColorType::Rgb, png::BitDepth::Eight, 1, 1, &[200, 100, 200]);
    assert!(matches!(read_mask(color.path(), 127, &options), Err(LabelsError::Color { .. })));
}

#[test]
fn size_is_checked_before_decoding_and_other_files_are_named() {
    let gray = png(png::ColorType::Grayscale, png::BitDepth::Eight, 2, 1, &[1, 2]);
    let options = LabelOptions { max_pixels: 1, ..LabelOptions::default() };
    assert!(matches!(read_labels(gray.path(), &options), Err(LabelsError::TooLarge { width: 2, height: 1, .. })));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x\u{1b}[2J.png");
    std::fs::write(&file, "<html>").unwrap();
    let message = read_labels(&file, &options).unwrap_err().to_string();
    assert!(message.contains("\\u{1b}[2J.png is neither"), "{message}");
    assert!(matches!(read_labels(dir.path(), &options), Err(LabelsError::Read(_))));
}

#[test]
fn fields_keep_16_bits_and_refuse_other_ranges() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ucm.png");
    let values: Vec<f32> = (0..=100).map(|i| i as f32 / 100.0).collect();
    write_field(&file, &ScalarField::new(1, 101, values.clone()).unwrap()).unwrap();
    let again = read_field(&file, &LabelOptions::default()).unwrap();
    assert!(again.values().iter().zip(&values).all(|(a, b)| (a - b).abs() <= 0.5 / 65_535.0 + 1e-7));
    for bad in [f32::NAN, -0.1, 1.1] {
        let field = ScalarField::new(1, 2, vec![0.0, bad]).unwrap();
        assert!(matches!(write_field(&file, &field), Err(LabelsError::FieldRange { row: 0, column: 1, .. })));
    }
}

#[test]
fn a_large_label_map_is_a_tiff_that_others_read() {
    let map = LabelMap::new(1, 3, vec![0, 70_000, VOID]).unwrap();
    let bytes = encode_labels(&map, 0).unwrap();
    let mut decoder = tiff::decoder::Decoder::new(std::io::Cursor::new(bytes)).unwrap();
    assert_eq!(decoder.colortype().unwrap(), tiff::ColorType::Gray(32));
    let tiff::decoder::DecodingResult::U32(values) = decoder.read_image().unwrap() else { panic!("not u32") };
    assert_eq!(values, [0, 70_000, u32::MAX]);
}
