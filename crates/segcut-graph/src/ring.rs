//! Adjacency → adjacency with the neighbours of neighbours.

use crate::Adjacency;

/// Adds an edge between any two nodes that share a neighbour and are not neighbours themselves.
///
/// A new edge has border length 0; its boundary strength is the larger of the two borders crossed on
/// the way, on the way where that is smallest. Returns which edges are new.
///
/// # Cost
/// O(Σ degree²): quadratic for a node that touches all others.
pub(crate) fn add_ring(n: usize, found: &mut Adjacency) -> Vec<bool> {
    let around = neighbours(n, found);
    let mut rows = Vec::with_capacity(3 * found.edges.len());
    let mut best = vec![f32::INFINITY; n];
    let mut seen = vec![u32::MAX; n];
    for u in 0..n {
        let mut second = Vec::new();
        for &(v, strength) in &around[u] {
            for &(w, next) in around[v as usize].iter().filter(|(w, _)| *w as usize > u) {
                if seen[w as usize] != u as u32 {
                    seen[w as usize] = u as u32;
                    best[w as usize] = f32::INFINITY;
                    second.push(w);
                }
                best[w as usize] = best[w as usize].min(strength.max(next));
            }
        }
        let direct = |w: u32| found.edges.binary_search(&[u as u32, w]).is_ok();
        rows.extend(second.into_iter().filter(|&w| !direct(w)).map(|w| ([u as u32, w], 0.0, best[w as usize], true)));
    }
    for (i, &edge) in found.edges.iter().enumerate() {
        let strength = found.boundary_strength.as_ref().map_or(0.0, |s| s[i]);
        rows.push((edge, found.border_length[i], strength, false));
    }
    rows.sort_unstable_by_key(|row| row.0);
    found.edges = rows.iter().map(|row| row.0).collect();
    found.border_length = rows.iter().map(|row| row.1).collect();
    found.boundary_strength = found.boundary_strength.is_some().then(|| rows.iter().map(|row| row.2).collect());
    rows.into_iter().map(|row| row.3).collect()
}

fn neighbours(n: usize, found: &Adjacency) -> Vec<Vec<(u32, f32)>> {
    let mut around = vec![Vec::new(); n];
    for (i, &[u, v]) in found.edges.iter().enumerate() {
        let strength = found.boundary_strength.as_ref().map_or(0.0, |s| s[i]);
        around[u as usize].push((v, strength));
        around[v as usize].push((u, strength));
    }
    around
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_gets_its_diagonals() {
        let mut square = Adjacency {
            edges: vec![[0, 1], [0, 3], [1, 2], [2, 3]],
            border_length: vec![5.0; 4],
            boundary_strength: Some(vec![1.0, 4.0, 2.0, 3.0]),
        };
        let new = add_ring(4, &mut square);
        assert_eq!(square.edges, [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]);
        assert_eq!(new, [false, true, false, false, true, false]);
        assert_eq!(square.border_length, [5.0, 0.0, 5.0, 5.0, 0.0, 5.0]);
        assert_eq!(square.boundary_strength, Some(vec![1.0, 2.0, 4.0, 2.0, 3.0, 3.0]));
    }
}
