//! Affinity → Matrix Market file.

use crate::atomic::{self, WriteError};
use segcut_core::SparseAffinity;
use std::io::Write;
use std::path::Path;

/// Writes a sparse affinity as a symmetric coordinate matrix, whole or not at all.
///
/// The lower triangle is written, as the format wants it, with numbers from 1; diagonal entries come first where
/// there are some. Weights read back as the same f64. Source: Boisvert, Pozo and Remington, NISTIR 5935 (1996).
///
/// # Errors
/// [`WriteError`].
///
/// ```
/// use segcut_core::SparseAffinity;
/// let dir = tempfile::tempdir()?;
/// let file = dir.path().join("w.mtx");
/// segcut_io::matrix_market::write_affinity(&file, &SparseAffinity::new(3, vec![[0, 2]], vec![0.5])?)?;
/// let text = std::fs::read_to_string(&file)?;
/// assert_eq!(text, "%%MatrixMarket matrix coordinate real symmetric\n3 3 1\n3 1 5e-1\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_affinity(file: &Path, affinity: &SparseAffinity) -> Result<(), WriteError> {
    atomic::write_with(file, |out| {
        let diagonal = affinity.diagonal().unwrap_or_default();
        let n = affinity.n();
        writeln!(out, "%%MatrixMarket matrix coordinate real symmetric")?;
        writeln!(out, "{n} {n} {}", affinity.edges().len() + diagonal.len())?;
        for (node, weight) in (1..).zip(diagonal) {
            writeln!(out, "{node} {node} {weight:e}")?;
        }
        for ([u, v], weight) in affinity.edges().iter().zip(affinity.weights()) {
            writeln!(out, "{} {} {weight:e}", u64::from(*v) + 1, u64::from(*u) + 1)?;
        }
        Ok(())
    })
}
