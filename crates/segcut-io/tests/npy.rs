//! Arrays written by numpy, by us, and damaged ones.

#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use segcut_core::SparseAffinity;
use segcut_io::matrix_market::write_affinity;
use segcut_io::npy::*;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracle/numpy_npy").join(name)
}

#[test]
fn numpys_types_and_orders_are_read() {
    let expected: Vec<f64> = (0..12).map(f64::from).collect();
    for name in ["uint8", "uint16", "int32", "int64", "float32", "float64", "fortran"] {
        let array = read_npy(&fixture(&format!("{name}.npy"))).unwrap();
        assert_eq!(array.shape, [2, 3, 2], "{name}");
        assert_eq!(array.to_f64(), expected, "{name}");
        assert_eq!(array.to_f32().len(), 12);
    }
    let bits = read_npy(&fixture("bool.npy")).unwrap();
    assert_eq!(bits.to_f64().iter().sum::<f64>(), 6.0);
    let scalar = read_npy(&fixture("scalar.npy")).unwrap();
    assert_eq!((scalar.shape.len(), scalar.to_f64()), (0, vec![7.0]));
}

#[test]
fn archives_are_read_stored_and_deflated() {
    for name in ["stored.npz", "deflated.npz"] {
        let arrays = read_npz(&fixture(name)).unwrap();
        let names: Vec<&str> = arrays.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["x", "y"]);
        assert_eq!(arrays[1].1, NpyArray { shape: vec![3], values: NpyValues::Int(vec![0, 1, 2]) });
    }
    let error = read_npz(&fixture("bool.npy")).unwrap_err();
    assert!(error.to_string().contains("bool.npy: the archive is damaged"), "{error}");
}

#[test]
fn objects_other_byte_orders_and_impossible_shapes_are_refused() {
    for name in ["object.npy", "big_endian.npy"] {
        let error = read_npy(&fixture(name)).unwrap_err();
        assert!(matches!(error, NpyError::Content { source: NpyFault::Type(_), .. }), "{error}");
    }
    for (shape, fits) in [("(0, 9)", true), ("(2,)", true), ("(3,)", false), ("(4294967296, 4294967296, 16)", false)] {
        let mut bytes = b"\x93NUMPY\x01\x00\x60\x00{'descr': '|u1', 'fortran_order': True, 'shape': ".to_vec();
        bytes.extend(shape.as_bytes());
        bytes.extend(b", }");
        bytes.resize(10 + 0x60, b' ');
        bytes.extend([1, 2]);
        assert_eq!(parse_npy(&bytes).is_ok(), fits, "{shape}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(shape in prop::collection::vec(1..5usize, 0..4), start in -1e9..1e9f64) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.npy");
        let values: Vec<f64> = (0..shape.iter().product()).map(|i: usize| start + i as f64 / 3.0).collect();
        write_npy(&file, &shape, NpyData::F64(&values)).unwrap();
        prop_assert_eq!(read_npy(&file).unwrap(), NpyArray { shape: shape.clone(), values: NpyValues::F64(values.clone()) });
        let small: Vec<f32> = values.iter().map(|&v| v as f32).collect();
        write_npy(&file, &shape, NpyData::F32(&small)).unwrap();
        prop_assert_eq!(read_npy(&file).unwrap().values, NpyValues::F32(small));
        prop_assert!(write_npy(&file, &[values.len() + 1], NpyData::F64(&values)).is_err());
    }

    #[test]
    fn damaged_arrays_never_panic(at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>(), zip: bool) {
        let mut bytes = std::fs::read(fixture(if zip { "deflated.npz" } else { "fortran.npy" })).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(cut.index(3 * bytes.len()));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        let _ = (read_npz(file.path()), parse_npy(&bytes));
    }
}

#[test]
fn a_matrix_holds_diagonal_and_lower_triangle() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("w.mtx");
    let affinity = SparseAffinity::new(2, vec![[0, 1]], vec![0.1]).unwrap().with_diagonal(vec![1.0, 1e-300]).unwrap();
    write_affinity(&file, &affinity).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), ["2 2 3", "1 1 1e0", "2 2 1e-300", "2 1 1e-1"]);
}
