//! PyTorch files: what torch wrote comes out equal, what is hostile is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use safetensors::SafeTensors;
use segcut_weights::{ImportError, PickleError, import};
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

#[test]
fn tensors_of_torch_come_out_equal() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracle/pytorch_pth");
    let bytes = import(Cursor::new(fs::read(folder.join("small.pth")).unwrap())).unwrap();
    let expected = fs::read(folder.join("expected.safetensors")).unwrap();
    let (ours, reference) = (SafeTensors::deserialize(&bytes).unwrap(), SafeTensors::deserialize(&expected).unwrap());
    assert_eq!(ours.len(), 6);
    for (name, tensor) in reference.tensors() {
        assert_eq!(ours.tensor(&name).unwrap(), tensor, "{name}");
    }
}

/// A zip file like torch's with this pickle and these stored bytes.
fn archive(pickle: &[u8], storage: &[u8]) -> Cursor<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in [("archive/data.pkl", pickle), ("archive/data/0", storage)] {
        zip.start_file(name, stored).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap()
}

#[test]
fn hostile_pickles_are_refused_and_not_run() {
    // os.system("touch …") as pickle.dumps would call it: kept as a call that nobody makes
    let call = b"\x80\x02cos\nsystem\nq\x00X\x05\x00\x00\x00touchq\x01\x85q\x02Rq\x03.";
    assert!(matches!(import(archive(call, &[])), Err(ImportError::NoTensor)));
    let nested = [b"\x80\x02".as_slice(), b")", &vec![0x85; 300_000], b"."].concat();
    assert!(matches!(import(archive(&nested, &[])), Err(ImportError::Pickle(PickleError::Deep))));
    assert!(matches!(import(Cursor::new(b"\x80\x02}.".to_vec())), Err(ImportError::Zip(_))));
    assert!(matches!(import(Cursor::new(Vec::new())), Err(ImportError::Zip(_))));
}

#[test]
fn a_tensor_beyond_its_bytes_is_refused() {
    let mut pickle =
        b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storage".to_vec();
    pickle.extend(b"ctorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQK\x00K\x04\x85K\x01\x85tRs.");
    let whole = import(archive(&pickle, &[0; 16])).unwrap();
    assert_eq!(SafeTensors::deserialize(&whole).unwrap().tensor("w").unwrap().shape(), [4]);
    assert!(matches!(import(archive(&pickle, &[0; 12])), Err(ImportError::Short { needed: 16, stored: 12, .. })));
}
