//! Arithmetic on samples of the three types.

use segcut_core::Samples;

/// A sample type with a brightest value, MAX or 1.0.
pub(super) trait Level: Copy + PartialEq {
    /// The darkest value (transparent, black).
    const ZERO: Self;
    /// `self·alpha + white·(1 − alpha)`, rounded.
    fn over_white(self, alpha: Self) -> Self;
    /// `self·other` as fractions of the brightest value, rounded.
    fn times(self, other: Self) -> Self;
    /// The brightest value − `self`.
    fn inverted(self) -> Self;
    /// `self/alpha`, clipped; undoes premultiplication.
    fn over(self, alpha: Self) -> Self;
}

macro_rules! integer_level {
    ($sample:ty, $wide:ty) => {
        impl Level for $sample {
            const ZERO: Self = 0;
            fn over_white(self, alpha: Self) -> Self {
                self.times(alpha) + (<$sample>::MAX - alpha)
            }
            #[allow(clippy::cast_possible_truncation)]
            fn times(self, other: Self) -> Self {
                let max = <$wide>::from(<$sample>::MAX);
                ((<$wide>::from(self) * <$wide>::from(other) + max / 2) / max) as Self
            }
            fn inverted(self) -> Self {
                <$sample>::MAX - self
            }
            #[allow(clippy::cast_possible_truncation)]
            fn over(self, alpha: Self) -> Self {
                let max = <$wide>::from(<$sample>::MAX);
                match <$wide>::from(alpha) {
                    0 => self,
                    a => (<$wide>::from(self) * max / a).min(max) as Self,
                }
            }
        }
    };
}
integer_level!(u8, u32);
integer_level!(u16, u64);

impl Level for f32 {
    const ZERO: Self = 0.0;
    fn over_white(self, alpha: Self) -> Self {
        self * alpha + (1.0 - alpha)
    }
    fn times(self, other: Self) -> Self {
        self * other
    }
    fn inverted(self) -> Self {
        1.0 - self
    }
    fn over(self, alpha: Self) -> Self {
        if alpha == 0.0 { self } else { self / alpha }
    }
}

/// Runs one generic expression on the vector inside [`Samples`] and wraps the result again.
macro_rules! on_samples {
    ($samples:expr, $values:ident => $body:expr) => {
        match $samples {
            Samples::U8($values) => Samples::U8($body),
            Samples::U16($values) => Samples::U16($body),
            Samples::F32($values) => Samples::F32($body),
        }
    };
}
pub(super) use on_samples;

/// Big-endian bytes into u16.
pub(super) fn u16_from_be(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
}

/// The samples that a decoder wrote as bytes in the machine's own order.
pub(super) fn from_native(bytes: Vec<u8>, bytes_per_sample: usize) -> Samples {
    match bytes_per_sample {
        2 => Samples::U16(bytes.chunks_exact(2).map(|b| u16::from_ne_bytes([b[0], b[1]])).collect()),
        4 => Samples::F32(bytes.chunks_exact(4).map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]])).collect()),
        _ => Samples::U8(bytes),
    }
}
