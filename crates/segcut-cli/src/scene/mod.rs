//! A drawn scene whose regions are known exactly: a house, a tree, a lamp and a ball in a landscape.

mod noise;
mod paint;
pub mod points;

use noise::Noise;
use segcut_core::{ColorSpace, Image, LabelMap, Mask, Samples};

/// Columns of the scene.
pub const WIDTH: usize = 480;
/// Rows of the scene.
pub const HEIGHT: usize = 320;

/// Samples per pixel side: shapes are drawn without steps.
const FINE: usize = 4;
/// Center and radius of the ball: x, y, r.
const BALL: [f32; 3] = [172.0, 238.0, 45.0];
/// Standard deviation of the sensor noise at mid gray, in 8-bit steps.
const SENSOR_NOISE: f32 = 2.4;

/// What a pixel shows; the number is its label in the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Region {
    /// A gradient with faint clouds.
    Sky,
    /// A ridge in haze.
    Hills,
    /// Noise texture with soft shadows.
    Meadow,
    /// A checker in perspective.
    Path,
    /// Boards under a gradient.
    Wall,
    /// Rows of tiles.
    Roof,
    /// Planks.
    Door,
    /// A reflection.
    Window,
    /// Leaves: strong noise and shading.
    Crown,
    /// Bark.
    Trunk,
    /// A thin bar in front of sky, hills and meadow.
    Lamp,
    /// A shaded sphere in front of lamp and meadow.
    Ball,
}

impl Region {
    /// All regions, in the order of their labels.
    pub const ALL: [Self; 12] = [
        Self::Sky,
        Self::Hills,
        Self::Meadow,
        Self::Path,
        Self::Wall,
        Self::Roof,
        Self::Door,
        Self::Window,
        Self::Crown,
        Self::Trunk,
        Self::Lamp,
        Self::Ball,
    ];

    /// Whether it is a thing in front of the landscape.
    pub fn is_foreground(self) -> bool {
        self >= Self::Wall
    }
}

/// A picture with its truth.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// The picture, 8-bit sRGB.
    pub image: Image,
    /// The [`Region`] of every pixel: the one that covers most of it.
    pub truth: LabelMap,
    /// House, tree, lamp and ball.
    pub mask: Mask,
}

/// A seed → the scene.
///
/// The seed changes ridge, grass, leaves, clouds and the sensor noise; house, tree, lamp and ball stay where they
/// are. Every pixel is the mean of 4×4 samples, so edges are smooth as in a photograph.
///
/// # Determinism
/// The same bytes for the same seed.
///
/// # Errors
/// None in practice: the sizes are fixed. [`segcut_core`]'s constructors are passed on.
pub fn draw(seed: u64) -> Result<Scene, Box<dyn std::error::Error + Send + Sync>> {
    let noise = Noise(seed);
    let mut samples = Vec::with_capacity(WIDTH * HEIGHT * 3);
    let mut labels = Vec::with_capacity(WIDTH * HEIGHT);
    let mut foreground = Vec::with_capacity(WIDTH * HEIGHT);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let (color, region) = pixel(x, y, noise);
            samples.extend((0..3).map(|channel| expose(color[channel], noise.normal(x, y, channel))));
            labels.push(region as u32);
            foreground.push(region.is_foreground());
        }
    }
    Ok(Scene {
        image: Image::new(HEIGHT, WIDTH, ColorSpace::Srgb, Samples::U8(samples))?.with_id("scene"),
        truth: LabelMap::with_n(HEIGHT, WIDTH, labels, Region::ALL.len())?,
        mask: Mask::new(HEIGHT, WIDTH, foreground)?,
    })
}

/// The mean color of a pixel's samples, and the region of most of them (of equal ones the nearer to the front).
///
/// Inside a region 2×2 samples do.
fn pixel(x: usize, y: usize, noise: Noise) -> (paint::Color, Region) {
    let place = |per_side: usize, sample: usize| {
        let step = |i: usize| (i as f32 + 0.5) / per_side as f32;
        (x as f32 + step(sample % per_side), y as f32 + step(sample / per_side))
    };
    let region = |(fine_x, fine_y)| region_at(fine_x, fine_y, noise);
    let corners = [0, FINE - 1, FINE * (FINE - 1), FINE * FINE - 1].map(|sample| region(place(FINE, sample)));
    let per_side = if corners.iter().all(|&corner| corner == corners[0]) { 2 } else { FINE };
    let mut sum = [0.0; 3];
    let mut votes = [0u8; Region::ALL.len()];
    for sample in 0..per_side * per_side {
        let (fine_x, fine_y) = place(per_side, sample);
        let region = if per_side == 2 { corners[0] } else { region((fine_x, fine_y)) };
        votes[region as usize] += 1;
        let color = paint::paint(region, fine_x, fine_y, noise);
        sum.iter_mut().zip(color).for_each(|(sum, value)| *sum += value);
    }
    let most = Region::ALL.into_iter().max_by_key(|&region| votes[region as usize]).unwrap_or(Region::Sky);
    (sum.map(|value| value / (per_side * per_side) as f32), most)
}

/// 8 bits with noise that grows with the light.
fn expose(value: f32, normal: f32) -> u8 {
    let light = value.clamp(0.0, 1.0);
    let noise = SENSOR_NOISE * (0.5 + light).sqrt() * normal;
    (255.0 * light + noise).round().clamp(0.0, 255.0) as u8
}

/// Whether a place lies in a shape.
type Shape = fn(f32, f32, Noise) -> bool;

/// From front to back; the sky is behind all.
const SHAPES: [(Shape, Region); 11] = [
    (|x, y, _| in_disc(x, y, BALL), Region::Ball),
    (|x, y, _| in_lamp(x, y), Region::Lamp),
    (in_crown, Region::Crown),
    (|x, y, _| in_trunk(x, y), Region::Trunk),
    (|x, y, _| in_box(x, y, [318.0, 192.0, 346.0, 247.0]), Region::Door),
    (|x, y, _| WINDOWS.iter().any(|&window| in_box(x, y, window)), Region::Window),
    (|x, y, _| in_roof(x, y), Region::Roof),
    (|x, y, _| in_box(x, y, [252.0, 140.0, 412.0, 247.0]), Region::Wall),
    (|x, y, _| in_path(x, y), Region::Path),
    (|x, y, noise| y > 210.0 && y > 218.0 + 9.0 * (noise.smooth(x / 130.0, 0.5) - 0.5), Region::Meadow),
    (|x, y, noise| y > 120.0 && y > 176.0 - 62.0 * (noise.cloudy(x / 190.0, 7.5) - 0.25), Region::Hills),
];

const WINDOWS: [[f32; 4]; 2] = [[268.0, 178.0, 300.0, 210.0], [364.0, 178.0, 396.0, 210.0]];

/// The front-most region at a place.
fn region_at(x: f32, y: f32, noise: Noise) -> Region {
    SHAPES.into_iter().find(|(inside, _)| inside(x, y, noise)).map_or(Region::Sky, |(_, region)| region)
}

fn in_disc(x: f32, y: f32, [center_x, center_y, radius]: [f32; 3]) -> bool {
    (x - center_x).powi(2) + (y - center_y).powi(2) < radius * radius
}

fn in_box(x: f32, y: f32, [left, top, right, bottom]: [f32; 4]) -> bool {
    x > left && x < right && y > top && y < bottom
}

fn in_lamp(x: f32, y: f32) -> bool {
    in_box(x, y, [150.5, 74.0, 155.5, 262.0]) || in_disc(x, y, [153.0, 66.0, 10.0])
}

fn in_crown(x: f32, y: f32, noise: Noise) -> bool {
    let ragged = || 16.0 * (noise.cloudy(x / 14.0, y / 14.0) - 0.5);
    in_disc(x, y, [68.0, 120.0, 55.0]) && in_disc(x, y, [68.0, 120.0, 47.0 + ragged()])
}

fn in_trunk(x: f32, y: f32) -> bool {
    let half = 5.5 + 5.0 * ((y - 205.0) / 30.0).clamp(0.0, 1.0).powi(2);
    (x - 69.0).abs() < half && y > 140.0 && y < 236.0
}

fn in_roof(x: f32, y: f32) -> bool {
    let slope = 40.0 * (y - 96.0) / 56.0;
    y > 96.0 && y < 152.0 && x > 276.0 - slope && x < 388.0 + slope
}

fn in_path(x: f32, y: f32) -> bool {
    let half = 16.0 + 66.0 * (y - 246.0) / 74.0;
    y > 246.0 && (x - 332.0).abs() < half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scene_is_complete_and_repeats() {
        let scene = draw(1).unwrap();
        assert_eq!(scene, draw(1).unwrap());
        let sizes = scene.truth.sizes();
        assert_eq!((scene.truth.n(), sizes.iter().sum::<usize>()), (12, WIDTH * HEIGHT));
        assert!(sizes.iter().all(|&size| size > 600), "{sizes:?}");
        let foreground: usize = Region::ALL.iter().filter(|r| r.is_foreground()).map(|&r| sizes[r as usize]).sum();
        assert_eq!(scene.mask.count(), foreground);
        let ball = sizes[Region::Ball as usize] as f32;
        assert!((ball - std::f32::consts::PI * BALL[2] * BALL[2]).abs() < 60.0);
        let at = |x: usize, y: usize| scene.truth.labels()[y * WIDTH + x];
        assert_eq!((at(153, 150), at(153, 230)), (Region::Lamp as u32, Region::Ball as u32), "the ball hides the lamp");
        assert_ne!(scene.image, draw(2).unwrap().image);
    }
}
