//! Points in the plane with known groups: two moons and two rings.

use super::noise::Noise;
use std::f32::consts::{PI, TAU};

/// Points per set.
const COUNT: usize = 400;

/// A point with its group.
pub type Labeled = ([f32; 2], u32);

/// Two half circles that reach into each other, with noise.
pub fn moons(seed: u64) -> Vec<Labeled> {
    draw(Noise(seed), 0.07, |group, share| {
        let angle = PI * share;
        if group == 0 { [angle.cos(), angle.sin()] } else { [1.0 - angle.cos(), 0.5 - angle.sin()] }
    })
}

/// A ring inside another one, with noise.
pub fn rings(seed: u64) -> Vec<Labeled> {
    draw(Noise(seed ^ 1), 0.06, |group, share| {
        let (angle, radius) = (TAU * share, if group == 0 { 1.0 } else { 0.45 });
        [radius * angle.cos(), radius * angle.sin()]
    })
}

/// Two groups along a curve each, in turn.
fn draw(noise: Noise, deviation: f32, place: impl Fn(u32, f32) -> [f32; 2]) -> Vec<Labeled> {
    let point = |i: usize| {
        let group = (i % 2) as u32;
        let [x, y] = place(group, noise.white(i as i64, -1));
        let moved = |x: f32, axis: usize| x + deviation * noise.normal(i, 1, axis);
        ([moved(x, 0), moved(y, 1)], group)
    };
    (0..COUNT).map(point).collect()
}

/// Points → the text of a table with the columns a, b and label.
pub fn csv(points: &[Labeled]) -> String {
    let rows = points.iter().map(|([x, y], group)| format!("{x:.5},{y:.5},{group}\n"));
    std::iter::once("a,b,label\n".to_string()).chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_lie_on_their_curves() {
        let radii = |group: u32| -> Vec<f32> {
            rings(0).iter().filter(|p| p.1 == group).map(|([x, y], _)| x.hypot(*y)).collect()
        };
        assert!(radii(0).iter().all(|r| (r - 1.0).abs() < 0.25) && radii(1).iter().all(|r| (r - 0.45).abs() < 0.25));
        assert_eq!(moons(3).len(), 400);
        assert_ne!(moons(3), moons(4));
        assert!(csv(&moons(3)).starts_with("a,b,label\n"));
    }
}
