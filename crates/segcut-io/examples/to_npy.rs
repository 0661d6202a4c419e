//! Images into numpy arrays: `to_npy OUT_DIR < LIST_OF_FILES`.
//!
//! Writes `N.npy` (H×W×C, in the decoded type) and `N.mask.npy` (H×W bool, where there is a mask) for line N,
//! and prints `N ok|CODE`. For comparing the decoder with other libraries.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use segcut_core::Samples;
use segcut_io::decode::{DecodeOptions, open};
use std::fs;
use std::io::stdin;
use std::path::{Path, PathBuf};

fn main() {
    let out = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| ".".into()));
    for (n, line) in stdin().lines().enumerate() {
        match open(Path::new(&line.unwrap()), &DecodeOptions::default()) {
            Ok(decoded) => {
                let image = &decoded.image;
                let shape = format!("{}, {}, {}", image.height(), image.width(), image.channels());
                let (descr, bytes) = match image.samples() {
                    Samples::U8(v) => ("|u1", v.clone()),
                    Samples::U16(v) => ("<u2", v.iter().flat_map(|x| x.to_le_bytes()).collect()),
                    Samples::F32(v) => ("<f4", v.iter().flat_map(|x| x.to_le_bytes()).collect()),
                };
                fs::write(out.join(format!("{n}.npy")), npy(descr, &shape, &bytes)).unwrap();
                if let Some(mask) = image.valid() {
                    let bytes: Vec<u8> = mask.bits().iter().map(|&b| u8::from(b)).collect();
                    let shape = format!("{}, {}", image.height(), image.width());
                    fs::write(out.join(format!("{n}.mask.npy")), npy("|b1", &shape, &bytes)).unwrap();
                }
                println!("{n} ok");
            }
            Err(error) => println!("{n} {}", error.source.code()),
        }
    }
}

fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap_or(0).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}
