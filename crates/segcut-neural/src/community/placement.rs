//! Small components → communities, each as a whole.

use super::links::Links;

/// Nodes of components that hold less than a quarter of the k-th part of the volume; those of the largest component
/// never.
pub(super) fn small_components(links: &Links, k: usize) -> Vec<bool> {
    let (component, volumes) = links.components();
    let least = links.volume() / (4 * k.max(1)) as f64;
    let largest = (0..volumes.len()).fold(0, |best, c| if volumes[c] > volumes[best] { c } else { best });
    component.iter().map(|&c| c as usize != largest && volumes[c as usize] < least).collect()
}

/// Puts every component of the nodes `aside` into the community of least volume, the largest component first: what
/// costs the least modularity.
pub(super) fn spread_components(links: &Links, aside: &[bool], k: usize, labels: &mut [u32]) {
    let (component, volumes) = links.components();
    let mut inside = vec![0.0; k];
    let mut waiting: Vec<bool> = vec![false; volumes.len()];
    for (node, &label) in labels.iter().enumerate() {
        if aside[node] {
            waiting[component[node] as usize] = true;
        } else {
            inside[label as usize] += f64::from(links.degrees[node]);
        }
    }
    let mut order: Vec<usize> = (0..volumes.len()).filter(|&c| waiting[c]).collect();
    order.sort_by(|&a, &b| volumes[b].total_cmp(&volumes[a]));
    let mut community = vec![0; volumes.len()];
    for c in order {
        let least = (0..k).fold(0, |best, at| if inside[at] < inside[best] { at } else { best });
        community[c] = least as u32;
        inside[least] += volumes[c];
    }
    for (node, label) in labels.iter_mut().enumerate().filter(|(node, _)| aside[*node]) {
        *label = community[component[node] as usize];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::SparseAffinity;

    #[test]
    fn pairs_fill_the_emptier_community() {
        // A triangle with a tail, two pairs and a lone node.
        let edges = vec![[0, 1], [0, 2], [1, 2], [2, 3], [4, 5], [6, 7]];
        let links = Links::of(&SparseAffinity::new(9, edges, vec![1.0; 6]).unwrap());
        let aside = small_components(&links, 1);
        assert_eq!(aside, [false, false, false, false, true, true, true, true, true]);
        let mut labels = [0, 0, 0, 1, 0, 1, 0, 1, 0];
        spread_components(&links, &aside, 2, &mut labels);
        assert_eq!(labels, [0, 0, 0, 1, 1, 1, 1, 1, 1]);
    }
}
