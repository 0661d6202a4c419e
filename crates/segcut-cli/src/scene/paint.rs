//! The colors of the scene: gradients, textures, shading and soft shadows.

use super::noise::Noise;
use super::{BALL, Region};

/// Red, green, blue from 0 to 1 (sRGB).
pub(super) type Color = [f32; 3];

/// The color of a region at a place.
pub(super) fn paint(region: Region, x: f32, y: f32, noise: Noise) -> Color {
    match region {
        Region::Sky => sky(x, y, noise),
        Region::Hills => hills(x, y, noise),
        Region::Meadow => meadow(x, y, noise),
        Region::Path => path(x, y, noise),
        Region::Wall => wall(x, y),
        Region::Roof => roof(x, y, noise),
        Region::Door => door(x, y, noise),
        Region::Window => mix([0.30, 0.42, 0.55], [0.62, 0.74, 0.82], smoothstep(-12.0, 18.0, x - 374.0 - (y - 190.0))),
        Region::Crown => crown(x, y, noise),
        Region::Trunk => scale([0.36, 0.26, 0.18], (4.3 - 0.05 * x) * (0.8 + 0.4 * noise.smooth(x / 1.5, y / 9.0))),
        Region::Lamp => scale([0.22, 0.23, 0.26], 1.5 - 0.14 * (x - 150.0).clamp(0.0, 6.0)),
        Region::Ball => ball(x, y),
    }
}

fn sky(x: f32, y: f32, noise: Noise) -> Color {
    let clear = mix([0.36, 0.58, 0.86], [0.83, 0.90, 0.95], (y / 190.0).clamp(0.0, 1.0));
    let height = smoothstep(150.0, 40.0, y);
    let cloud = if height > 0.0 { smoothstep(0.50, 0.78, noise.cloudy(x / 120.0 + 3.0, y / 45.0)) } else { 0.0 };
    mix(clear, [0.97, 0.97, 0.98], 0.42 * cloud * height)
}

fn hills(x: f32, y: f32, noise: Noise) -> Color {
    let haze = mix([0.36, 0.47, 0.50], [0.47, 0.57, 0.53], ((y - 140.0) / 80.0).clamp(0.0, 1.0));
    scale(haze, 0.94 + 0.12 * noise.cloudy(x / 40.0, y / 18.0))
}

fn meadow(x: f32, y: f32, noise: Noise) -> Color {
    let near = ((y - 210.0) / 110.0).clamp(0.0, 1.0);
    let blades = noise.smooth(x / 1.7, y / (2.0 + 4.0 * near)) - 0.5;
    let patches = noise.cloudy(x / 60.0, y / 22.0) - 0.5;
    let grass = mix([0.53, 0.62, 0.31], [0.33, 0.48, 0.17], near);
    scale(grass, (1.0 + 0.24 * blades + 0.30 * patches) * ground_shadow(x, y))
}

/// A checker on the ground, in perspective; the horizon is at row 190.
fn path(x: f32, y: f32, noise: Noise) -> Color {
    let depth = 1.0 / (y - 190.0);
    let tile = ((x - 332.0) * depth * 4.4 + 100.0).floor() + (620.0 * depth).floor();
    let stone = if tile.rem_euclid(2.0) < 1.0 { [0.80, 0.75, 0.66] } else { [0.60, 0.55, 0.48] };
    scale(stone, (0.95 + 0.10 * noise.smooth(x / 3.0, y / 2.0)) * ground_shadow(x, y))
}

/// Boards, darker under the eaves and away from the light.
fn wall(x: f32, y: f32) -> Color {
    let boards = if (y / 7.0).rem_euclid(1.0) < 0.16 { 0.93 } else { 1.0 };
    let eaves = 0.74 + 0.26 * smoothstep(150.0, 168.0, y);
    scale([0.93, 0.86, 0.72], boards * eaves * (1.03 - 0.17 * (x - 252.0) / 160.0))
}

fn roof(x: f32, y: f32, noise: Noise) -> Color {
    let row = (y / 6.0).floor();
    let along = (x + 5.0 * row.rem_euclid(2.0)) / 10.0;
    let joint = if along.rem_euclid(1.0) < 0.14 { 0.78 } else { 1.0 };
    let tile = 0.84 + 0.22 * (y / 6.0).rem_euclid(1.0) + 0.16 * noise.white(along as i64, row as i64);
    scale([0.66, 0.27, 0.20], tile * joint)
}

fn door(x: f32, y: f32, noise: Noise) -> Color {
    let plank = if ((x - 318.0) / 7.0).rem_euclid(1.0) < 0.15 { 0.75 } else { 1.0 };
    scale([0.30, 0.20, 0.15], plank * (0.9 + 0.2 * noise.smooth(x * 0.8, y / 12.0)))
}

fn crown(x: f32, y: f32, noise: Noise) -> Color {
    let light = 1.12 - 0.006 * ((x - 40.0) * 0.6 + (y - 84.0));
    scale([0.17, 0.33, 0.13], light * (0.55 + 0.95 * noise.cloudy(x / 9.0, y / 8.0)))
}

/// A matt sphere lit from the upper left, with a highlight and light from the grass below.
fn ball(x: f32, y: f32) -> Color {
    let [center_x, center_y, radius] = BALL;
    let (u, v) = ((x - center_x) / radius, (y - center_y) / radius);
    let depth = (1.0 - u * u - v * v).max(0.0).sqrt();
    let light = (-0.52 * u - 0.62 * v + 0.59 * depth).max(0.0);
    let shine = light.powi(24) * 0.55;
    let bounce = 0.10 * v.max(0.0);
    let [r, g, b] = scale([0.90, 0.34, 0.10], 0.34 + 0.72 * light);
    [r + shine, g + shine + bounce, b + 0.8 * shine]
}

/// The soft shadows of ball, tree and house on the ground: a factor from 0.5 to 1.
fn ground_shadow(x: f32, y: f32) -> f32 {
    let spot = |center_x: f32, center_y: f32, rx: f32, ry: f32| {
        let (u, v) = ((x - center_x) / rx, (y - center_y) / ry);
        1.0 - 0.48 * smoothstep(1.25, 0.45, (u * u + v * v).sqrt())
    };
    let house = 1.0
        - 0.38
            * smoothstep(262.0, 250.0, y + 0.10 * (x - 412.0))
            * smoothstep(462.0, 440.0, x)
            * smoothstep(236.0, 262.0, x);
    spot(200.0, 279.0, 66.0, 15.0).min(spot(104.0, 235.0, 62.0, 10.0)).min(house)
}

fn scale(color: Color, by: f32) -> Color {
    color.map(|value| value * by)
}

fn mix(from: Color, to: Color, share: f32) -> Color {
    std::array::from_fn(|i| from[i] + share * (to[i] - from[i]))
}

/// 0 before `from`, 1 after `to`, smooth between; `from` may be the larger.
fn smoothstep(from: f32, to: f32, at: f32) -> f32 {
    let t = ((at - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}
