//! Seeded noise from hashed coordinates.

/// Noise of one seed: the same coordinates always give the same value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noise(pub(super) u64);

impl Noise {
    /// A number from 0 to 1 per lattice point (splitmix64).
    pub(super) fn white(self, x: i64, y: i64) -> f32 {
        let mut z =
            self.0 ^ (x as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (y as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
        for factor in [0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB] {
            z = (z ^ (z >> 30)).wrapping_mul(factor);
        }
        ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 24) as f32
    }

    /// Smooth noise from 0 to 1 with features of size 1 (value noise).
    pub(super) fn smooth(self, x: f32, y: f32) -> f32 {
        let (column, row) = (x.floor(), y.floor());
        let ease = |t: f32| t * t * (3.0 - 2.0 * t);
        let (u, v) = (ease(x - column), ease(y - row));
        let corner = |dx, dy| self.white(column as i64 + dx, row as i64 + dy);
        let top = corner(0, 0) + u * (corner(1, 0) - corner(0, 0));
        let bottom = corner(0, 1) + u * (corner(1, 1) - corner(0, 1));
        top + v * (bottom - top)
    }

    /// Four octaves of smooth noise, from 0 to 1, around 0.5.
    pub(super) fn cloudy(self, x: f32, y: f32) -> f32 {
        let octave = |i: i32| {
            let scale = f32::from(1u8 << i);
            self.smooth(x * scale + 17.0 * i as f32, y * scale) / scale
        };
        (0..4).map(octave).sum::<f32>() / 1.875
    }

    /// Nearly normal noise of mean 0 and deviation 1 (four uniform numbers).
    pub(super) fn normal(self, x: usize, y: usize, channel: usize) -> f32 {
        let sum: f32 = (0..4).map(|i| self.white((x * 12 + channel * 4 + i) as i64, y as i64)).sum();
        (sum - 2.0) * 3f32.sqrt()
    }
}
