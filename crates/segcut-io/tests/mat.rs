//! The `.mat` reader against scipy's files, against the PNG form of BSDS500, and on damaged bytes.

#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use segcut_io::truth::mat::{MatAnnotation, MatError, read_bsds_mat};
use segcut_io::truth::{Truth, TruthFolder, TruthOptions};
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracle/scipy_mat");
    std::fs::read(folder.join(name)).unwrap()
}

/// What tests/oracle/scipy_mat/generate.py puts into its files.
fn check(annotations: &[MatAnnotation]) {
    assert_eq!(annotations.len(), 2);
    let first = &annotations[0].segmentation;
    assert_eq!((first.rows, first.columns), (3, 5));
    assert_eq!(first.values, [1, 1, 2, 2, 2, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4]);
    assert_eq!(annotations[1].segmentation.values, [1, 2, 3, 1, 2, 2, 3, 1, 2, 3, 3, 1, 2, 3, 1]);
    let boundaries = annotations[0].boundaries.as_ref().unwrap();
    assert_eq!(boundaries.values, [0, 1, 0, 0, 0].repeat(3));
}

#[test]
fn scipys_files_are_read_compressed_or_not() {
    for name in ["bsds_zlib.mat", "bsds_plain.mat"] {
        check(&read_bsds_mat(&fixture(name)).unwrap());
    }
}

#[test]
fn other_bytes_are_errors() {
    assert!(matches!(read_bsds_mat(b""), Err(MatError::Header)));
    let mut plain = fixture("bsds_plain.mat");
    assert!(matches!(read_bsds_mat(&plain[..128]), Err(MatError::Missing(_))));
    assert!(matches!(read_bsds_mat(&plain[..plain.len() - 9]), Err(MatError::Cut(_))));
    plain[126] = b'M';
    assert!(matches!(read_bsds_mat(&plain), Err(MatError::Header)));
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let mut bytes = fixture("bsds_zlib.mat")[..128].to_vec();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let block = vec![0; 1 << 20];
    for _ in 0..513 {
        std::io::Write::write_all(&mut zlib, &block).unwrap();
    }
    let body = zlib.finish().unwrap();
    bytes.extend(15u32.to_le_bytes());
    bytes.extend((body.len() as u32).to_le_bytes());
    bytes.extend(body);
    assert!(matches!(read_bsds_mat(&bytes), Err(MatError::Compressed)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn damaged_bytes_never_panic(
        plain: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        whole: bool,
    ) {
        let mut bytes = fixture(if plain { "bsds_plain.mat" } else { "bsds_zlib.mat" });
        for (at, byte) in changes {
            let at = at.index(bytes.len() - 128) + 128;
            bytes[at] = byte;
        }
        if !whole {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = read_bsds_mat(&bytes);
    }
}

#[test]
fn the_mat_form_of_bsds_equals_the_png_form() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/bsds500");
    let Some(root) = root.is_dir().then_some(root) else {
        println!("skipped: the data set is not here");
        return;
    };
    let open = |folder: PathBuf| TruthFolder::open(&folder, TruthOptions::default()).unwrap();
    let (mats, pngs) = (open(root.join("mat_samples")), open(root));
    let ids = ["train/100075", "val/101085", "train/8143"];
    let (mats_of, pngs_of) = (mats.pair(&ids).unwrap(), pngs.pair(&ids).unwrap());
    for (mat, png) in mats_of.entries.into_iter().zip(pngs_of.entries) {
        let (mat, png) = (mats.load(&mat.unwrap()).unwrap(), pngs.load(&png.unwrap()).unwrap());
        let Truth::Regions { annotators } = &png else { panic!("not regions") };
        assert!(annotators.len() >= 4 && annotators.iter().all(|a| a.boundaries.is_some()));
        assert!(mat == png);
    }
}
