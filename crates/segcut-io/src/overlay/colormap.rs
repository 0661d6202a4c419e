//! Number in 0 to 1 → color.

/// A scale of colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colormap {
    /// Dark violet over green to yellow, even in lightness (nine points of matplotlib's viridis).
    Viridis,
    /// Blue over white to red, white in the middle (nine points of ColorBrewer's RdBu, reversed).
    Diverging,
}

const VIRIDIS: [[u8; 3]; 9] = [
    [68, 1, 84],
    [71, 44, 122],
    [59, 81, 139],
    [44, 113, 142],
    [33, 144, 141],
    [39, 173, 129],
    [92, 200, 99],
    [170, 220, 50],
    [253, 231, 37],
];

const DIVERGING: [[u8; 3]; 9] = [
    [33, 102, 172],
    [67, 147, 195],
    [146, 197, 222],
    [209, 229, 240],
    [247, 247, 247],
    [253, 219, 199],
    [244, 165, 130],
    [214, 96, 77],
    [178, 24, 43],
];

impl Colormap {
    /// The color of a number; outside 0 to 1 the end's, of NaN a gray.
    ///
    /// ```
    /// use segcut_io::overlay::Colormap;
    /// assert_eq!(Colormap::Diverging.color(0.5), [247, 247, 247]);
    /// assert_eq!(Colormap::Viridis.color(9.0), [253, 231, 37]);
    /// ```
    pub fn color(self, value: f32) -> [u8; 3] {
        if value.is_nan() {
            return [128; 3];
        }
        let points = match self {
            Self::Viridis => &VIRIDIS,
            Self::Diverging => &DIVERGING,
        };
        let place = value.clamp(0.0, 1.0) * (points.len() - 1) as f32;
        let from = (place as usize).min(points.len() - 2);
        let share = place - from as f32;
        let mix = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * share).round() as u8;
        std::array::from_fn(|c| mix(points[from][c], points[from + 1][c]))
    }
}
