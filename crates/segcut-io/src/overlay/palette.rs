//! Region number → a color that differs from its neighbours'.

/// A light, saturated color for a region: hues turn by the golden ratio, so that successive numbers are far apart;
/// lightness changes every hue round.
///
/// ```
/// use segcut_io::overlay::region_color;
/// assert_eq!(region_color(0), [255, 63, 63]);
/// assert_ne!(region_color(1), region_color(2));
/// ```
pub fn region_color(label: u32) -> [u8; 3] {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let hue = (f64::from(label) * GOLDEN).fract() * 6.0;
    let (top, bottom) = [(255.0, 63.0), (210.0, 30.0), (255.0, 120.0)][label as usize / 7 % 3];
    let channel = |offset: f64| {
        let turn = (hue + offset) % 6.0;
        let strength = ((turn - 3.0).abs() - 1.0).clamp(0.0, 1.0);
        (bottom + (top - bottom) * strength) as u8
    };
    [channel(0.0), channel(4.0), channel(2.0)]
}
