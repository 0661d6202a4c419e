//! Stretches of equal labels in a row.

use crate::engine::Id;
use multiversion::multiversion;

/// Labels that are compared at once.
const BLOCK: usize = 64;

/// Where the runs of equal labels of a row start, then the row's length; empty for an empty row.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
pub(crate) fn bounds<L: Id>(row: &[L], bounds: &mut Vec<u32>) {
    bounds.clear();
    let Some(next) = row.get(1..) else { return };
    bounds.push(0);
    let (blocks, rest) = next.as_chunks::<BLOCK>();
    for (block, (before, here)) in row.as_chunks::<BLOCK>().0.iter().zip(blocks).enumerate() {
        let mut changes = changes(before, here);
        while changes != 0 {
            bounds.push((block * BLOCK) as u32 + changes.trailing_zeros() + 1);
            changes &= changes - 1;
        }
    }
    for i in next.len() - rest.len()..next.len() {
        if row[i] != row[i + 1] {
            bounds.push(i as u32 + 1);
        }
    }
    bounds.push(row.len() as u32);
}

/// Bit i: `a[i]` and `b[i]` differ.
#[inline(always)]
fn changes<L: Id>(a: &[L; BLOCK], b: &[L; BLOCK]) -> u64 {
    let mut differ = [0u8; BLOCK];
    for i in 0..BLOCK {
        differ[i] = u8::from(a[i] != b[i]);
    }
    let mut bits = 0;
    for (i, eight) in differ.as_chunks::<8>().0.iter().enumerate() {
        // The product brings bit 0 of byte j to bit 56 + j.
        bits |= (u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * i);
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_those_of_a_plain_walk() {
        for n in [0, 1, 2, 63, 64, 65, 66, 129, 200] {
            let row: Vec<u16> = (0..n).map(|i: usize| ((i * i * 7 + i / 3) % 5 / 2) as u16).collect();
            let mut found = Vec::new();
            bounds(&row, &mut found);
            let mut plain: Vec<u32> = if n == 0 { Vec::new() } else { vec![0] };
            for run in row.chunk_by(|a, b| a == b) {
                plain.push(plain.last().unwrap() + run.len() as u32);
            }
            assert_eq!(found, plain);
        }
    }
}
