//! How much of a region lies on the frame of the image.

use crate::borders::borders;
use crate::region_table::{RegionTable, color_distance};
use segcut_core::LabelMap;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Beyond this many σ a soft region ends: exp(−4²/2) is 0.0003.
const REACH: f64 = 4.0;

/// Zhu et al. 2014, eq. 1: pixels on the frame over the square root of the area.
pub(super) fn boundary_connectivity(table: &RegionTable) -> Vec<f64> {
    table.frame.iter().zip(&table.area).map(|(frame, area)| frame / area.max(1.0).sqrt()).collect()
}

/// The probability of background, 1 − exp(−BndCon²/2σ²) with σ = 1 (Zhu et al. 2014, section 4.1).
pub(super) fn background_probability(connectivity: f64) -> f64 {
    1.0 - (-connectivity * connectivity / 2.0).exp()
}

/// Zhu et al. 2014, eq. 3 to 5, per superpixel, in pixels where they count superpixels.
///
/// Each superpixel spans its soft region: every other one counts with exp(−d²/2σ²) of its area and its frame
/// pixels, d the shortest path in steps of Lab distance between neighbours. All superpixels on the frame are
/// neighbours of each other, as in the paper: it joins background that the object cuts apart.
///
/// # Cost
/// One shortest-path search per superpixel, that ends at 4σ.
pub(super) fn soft_boundary_connectivity(table: &RegionTable, map: &LabelMap, sigma: f64) -> Vec<f64> {
    let steps = color_steps(table, map);
    let mut search = Search { steps: &steps, distance: vec![f64::INFINITY; map.n()], queue: BinaryHeap::new() };
    (0..map.n() as u32)
        .map(|start| {
            let (mut length, mut area) = (0.0, 0.0);
            search.run(start, REACH * sigma, |node, distance| {
                let share = (-distance * distance / (2.0 * sigma * sigma)).exp(); // eq. 3
                length += share * table.frame[node as usize]; // eq. 4
                area += share * table.area[node as usize];
            });
            length / area.max(1.0).sqrt() // eq. 5
        })
        .collect()
}

/// Per superpixel its neighbours and their color distance.
fn color_steps(table: &RegionTable, map: &LabelMap) -> Vec<Vec<(u32, f64)>> {
    let mut steps = vec![Vec::new(); map.n()];
    let mut join = |a: u32, b: u32| {
        let distance = color_distance(table.color(a as usize), table.color(b as usize));
        steps[a as usize].push((b, distance));
        steps[b as usize].push((a, distance));
    };
    borders(map).iter().for_each(|border| join(border.regions[0], border.regions[1]));
    let on_frame: Vec<u32> = (0..map.n() as u32).filter(|&node| table.frame[node as usize] > 0.0).collect();
    for (at, &a) in on_frame.iter().enumerate() {
        on_frame[at + 1..].iter().for_each(|&b| join(a, b));
    }
    steps
}

/// Dijkstra's search, with its memory.
struct Search<'a> {
    steps: &'a [Vec<(u32, f64)>],
    distance: Vec<f64>,
    queue: BinaryHeap<Reached>,
}

impl Search<'_> {
    /// Visits every node within `reach` of the start once, nearest first.
    fn run(&mut self, start: u32, reach: f64, mut visit: impl FnMut(u32, f64)) {
        self.distance.fill(f64::INFINITY);
        self.distance[start as usize] = 0.0;
        self.queue.push(Reached { distance: 0.0, node: start });
        while let Some(Reached { distance, node }) = self.queue.pop() {
            if distance > self.distance[node as usize] {
                continue;
            }
            visit(node, distance);
            for &(next, step) in &self.steps[node as usize] {
                let far = distance + step;
                if far <= reach && far < self.distance[next as usize] {
                    self.distance[next as usize] = far;
                    self.queue.push(Reached { distance: far, node: next });
                }
            }
        }
    }
}

/// A node of the queue, the nearest on top.
#[derive(PartialEq)]
struct Reached {
    distance: f64,
    node: u32,
}

impl Eq for Reached {}

impl PartialOrd for Reached {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Reached {
    fn cmp(&self, other: &Self) -> Ordering {
        other.distance.total_cmp(&self.distance).then(other.node.cmp(&self.node))
    }
}
