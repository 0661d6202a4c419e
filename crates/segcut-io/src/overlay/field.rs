//! Field of numbers → picture.

use super::stretch::{robust_range, spread_values};
use super::{Colormap, Picture};
use crate::ScalarField;

/// Steps of the color scale.
const STEPS: usize = 256;

/// Shows a field (an eigenvector, a contour strength, a soft mask) in colors between its 2nd and 98th percentile.
/// Without a color map given, values of both signs are shown in blue and red around a white zero, others in
/// viridis. Values that are not finite are gray.
///
/// ```
/// use segcut_io::ScalarField;
/// use segcut_io::overlay::field_picture;
/// let field = ScalarField::new(1, 3, vec![-1.0, 0.0, 1.0]).ok_or("size")?;
/// assert_eq!(field_picture(&field, None).rgb()[3..6], [247, 247, 247]);
/// # Ok::<(), &str>(())
/// ```
pub fn field_picture(field: &ScalarField, colormap: Option<Colormap>) -> Picture {
    let [low, high] = robust_range(spread_values(field.values()));
    let signed = low < 0.0 && high > 0.0;
    let colormap = colormap.unwrap_or(if signed { Colormap::Diverging } else { Colormap::Viridis });
    let reach = high.max(-low);
    let [low, high] = if signed && colormap == Colormap::Diverging { [-reach, reach] } else { [low, high] };
    let scale = if high > low { STEPS as f32 / (high - low) } else { 0.0 };
    let colors: [[u8; 3]; STEPS + 1] = std::array::from_fn(|step| colormap.color(step as f32 / STEPS as f32));
    let mut picture = Picture::filled(field.height(), field.width(), [128; 3]);
    for (pixel, &value) in picture.pixels_mut().iter_mut().zip(field.values()) {
        if value.is_finite() {
            *pixel = colors[(((value - low) * scale + 0.5) as usize).min(STEPS)];
        }
    }
    picture
}
