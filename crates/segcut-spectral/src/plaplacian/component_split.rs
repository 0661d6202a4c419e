//! A graph in several components to vectors that cut it.

use crate::pencil::Pencil;
use std::cmp::Reverse;

/// Edges below this share of the larger degree of their ends connect nothing that f64 could resolve.
const RESOLVED: f64 = 1e-14;
/// Components that are tried alone against the rest.
const ALONE: usize = 32;

/// The components that remain without edges too weak for f64, by their first nodes.
///
/// On weights that span 200 orders of magnitude the eigenvectors of the whole are noise; the parts are not.
pub(crate) fn resolved_components(pencil: &Pencil) -> Vec<Vec<u32>> {
    let degree: Vec<f64> = (0..pencil.n()).map(|i| pencil.degree(i)).collect();
    let mut root: Vec<u32> = (0..pencil.n() as u32).collect();
    for i in 0..pencil.n() {
        let (neighbors, weights) = pencil.row(i);
        for (&j, &w) in neighbors.iter().zip(weights) {
            if w > RESOLVED * degree[i].max(degree[j as usize]) {
                let (a, b) = (find(&mut root, i as u32), find(&mut root, j));
                root[a.max(b) as usize] = a.min(b);
            }
        }
    }
    let mut index = vec![u32::MAX; pencil.n()];
    let mut components: Vec<Vec<u32>> = Vec::new();
    for i in 0..pencil.n() as u32 {
        let r = find(&mut root, i) as usize;
        if index[r] == u32::MAX {
            index[r] = components.len() as u32;
            components.push(Vec::new());
        }
        components[index[r] as usize].push(i);
    }
    components
}

/// The root of a node, halving the path to it.
fn find(root: &mut [u32], mut i: u32) -> u32 {
    while root[i as usize] != i {
        root[i as usize] = root[root[i as usize] as usize];
        i = root[i as usize];
    }
    i
}

/// Indicators of unions of components: two sides of about equal size first, then single components.
///
/// Largest first, each to the side that is smaller so far (Hein & Bühler's program does the same).
pub(crate) fn component_indicators(pencil: &Pencil, components: &[Vec<u32>]) -> Vec<Vec<f64>> {
    let mass = |nodes: &Vec<u32>| nodes.iter().map(|&i| pencil.mass()[i as usize]).sum::<f64>();
    let mut order: Vec<(f64, usize)> = components.iter().map(mass).zip(0..).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| by_size(components, a.1, b.1)));
    let mut packed = vec![0.0; pencil.n()];
    let mut sides = [(0.0, 0); 2];
    for &(mass, component) in &order {
        let upper = (sides[1].0, sides[1].1) < (sides[0].0, sides[0].1);
        let side = &mut sides[usize::from(upper)];
        *side = (side.0 + mass, side.1 + components[component].len());
        if upper {
            components[component].iter().for_each(|&i| packed[i as usize] = 1.0);
        }
    }
    let alone = order.iter().take(ALONE).map(|&(_, component)| {
        let mut vector = vec![0.0; pencil.n()];
        components[component].iter().for_each(|&i| vector[i as usize] = 1.0);
        vector
    });
    std::iter::once(packed).chain(alone).collect()
}

fn by_size(components: &[Vec<u32>], a: usize, b: usize) -> std::cmp::Ordering {
    Reverse(components[a].len()).cmp(&Reverse(components[b].len())).then(a.cmp(&b))
}

/// The sides of one component's cut, the other components joined to the lower or to the upper side.
pub(crate) fn joined(n: usize, nodes: &[u32], above: &[bool]) -> [Vec<f64>; 2] {
    [0.0, 1.0].map(|rest| {
        let mut vector = vec![rest; n];
        nodes.iter().zip(above).for_each(|(&i, &a)| vector[i as usize] = f64::from(u8::from(a)));
        vector
    })
}
