//! Rotary positions of DINOv3 (Siméoni et al. 2025; Heo et al. 2024): patches turn their queries and keys.

use crate::architecture::HEAD;
use std::f64::consts::TAU;

/// Cosines and sines of every patch, 32 each: the two halves of a head turn by the same angles.
#[derive(Debug, Clone)]
pub(crate) struct Rotary {
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Rotary {
    /// Angles 2π·c/period of the patch centres' coordinates c, which span −1 … 1 on either axis; the
    /// first 16 angles of a patch are its row's, the others its column's.
    pub fn new(rows: usize, cols: usize, periods: &[f32]) -> Self {
        let centre = |i: usize, n: usize| 2.0 * (i as f64 + 0.5) / n as f64 - 1.0;
        let angles = (0..rows).flat_map(|row| {
            (0..cols).flat_map(move |col| {
                let axes = [centre(row, rows), centre(col, cols)];
                axes.into_iter().flat_map(move |c| periods.iter().map(move |&period| TAU * c / f64::from(period)))
            })
        });
        let (cos, sin) = angles.map(|angle| (angle.cos() as f32, angle.sin() as f32)).unzip();
        Self { cos, sin }
    }

    /// Cosines, 32 a patch.
    #[cfg(feature = "candle")]
    pub fn cosines(&self) -> &[f32] {
        &self.cos
    }

    /// Sines, 32 a patch.
    #[cfg(feature = "candle")]
    pub fn sines(&self) -> &[f32] {
        &self.sin
    }

    /// Turns the heads of one patch: (a, b) → (a·cos − b·sin, b·cos + a·sin) for halves a and b of a head.
    pub fn turn(&self, patch: usize, heads: &mut [f32]) {
        let half = HEAD / 2;
        let (cos, sin) = (&self.cos[patch * half..][..half], &self.sin[patch * half..][..half]);
        for head in heads.chunks_exact_mut(HEAD) {
            let (first, second) = head.split_at_mut(half);
            for i in 0..half {
                let (a, b) = (first[i], second[i]);
                first[i] = a * cos[i] - b * sin[i];
                second[i] = b * cos[i] + a * sin[i];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turning_keeps_lengths_and_the_centre_stays() {
        let rotary = Rotary::new(1, 1, &[1.0; 16]);
        let mut head: Vec<f32> = (0..64).map(|i| i as f32).collect();
        let before = head.clone();
        rotary.turn(0, &mut head);
        assert_eq!(head, before);
        let rotary = Rotary::new(2, 3, &(0..16).map(|i| 1.0 + i as f32).collect::<Vec<_>>());
        rotary.turn(4, &mut head);
        let length = |v: &[f32]| v.iter().map(|x| x * x).sum::<f32>();
        assert!((length(&head) / length(&before) - 1.0).abs() < 1e-5);
        assert_ne!(head, before);
    }
}
