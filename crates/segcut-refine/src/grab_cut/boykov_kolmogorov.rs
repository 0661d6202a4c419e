//! Networks of nodes with eight neighbours → their minimum cut.

use std::collections::VecDeque;

/// Values of [`Node::parent`] beyond a direction.
const TERMINAL: u8 = 8;
const ORPHAN: u8 = 9;
const FREE: u8 = 10;

/// Nodes, their terminals, and the capacities between neighbours.
///
/// A neighbour in one direction has the node as its own neighbour in the opposite one, whose number has the last bit flipped.
#[derive(Debug)]
pub(super) struct Network {
    /// The capacity from the source less the one to the sink, of each node.
    pub(super) terminals: Vec<i32>,
    /// What each node is linked to.
    pub(super) links: Vec<Links>,
}

/// A node's links in all directions: one line of the cache.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Links {
    /// The neighbours; where there is none, the last node, which is no node's neighbour in return.
    pub(super) near: [u32; 8],
    /// The capacity to each neighbour, or what is left of it; 0 where there is none.
    pub(super) left: [i32; 8],
}

impl Network {
    /// Nodes without capacities.
    pub(super) fn new(nodes: usize) -> Self {
        let none = Links { near: [nodes as u32; 8], left: [0; 8] };
        Self { terminals: vec![0; nodes + 1], links: vec![none; nodes + 1] }
    }

    /// Links a node to its neighbour, the same both ways.
    pub(super) fn link(&mut self, node: usize, other: usize, direction: usize, capacity: i32) {
        let opposite = direction ^ 1;
        (self.links[node].near[direction], self.links[node].left[direction]) = (other as u32, capacity);
        (self.links[other].near[opposite], self.links[other].left[opposite]) = (node as u32, capacity);
    }
}

/// Whether each node is on the source's side of a minimum cut; nodes that neither terminal reaches are not.
pub(super) fn cut(network: Network) -> Vec<bool> {
    let mut flow = Flow::new(network);
    flow.solve();
    flow.sources()
}

#[derive(Debug, Clone, Copy)]
struct Node {
    /// What is left of the capacity from the source (above 0) or to the sink (below 0).
    terminal: i32,
    /// When the distance was last found right.
    time: u32,
    /// Steps to the terminal, at that time.
    distance: u32,
    /// Direction of the next node on the way to the terminal.
    parent: u8,
    in_sink: bool,
    queued: bool,
}

/// A network, and what the flow leaves of its capacities.
///
/// Y. Boykov, V. Kolmogorov, "An experimental comparison of min-cut/max-flow algorithms for energy minimization in
/// vision", PAMI 2004: two search trees grow from the terminals until they touch; the path is filled, and what loses its
/// parent looks for another one. Distances are marked with the time at which they were right (section 3 of
/// Kolmogorov's thesis). Whole numbers, so that no flow is lost to rounding.
#[derive(Debug)]
struct Flow {
    nodes: Vec<Node>,
    links: Vec<Links>,
    active: VecDeque<u32>,
    orphans: VecDeque<u32>,
    time: u32,
}

impl Flow {
    fn new(network: Network) -> Self {
        let node = |terminal| Node { terminal, time: 0, distance: 0, parent: FREE, in_sink: false, queued: false };
        Self {
            nodes: network.terminals.into_iter().map(node).collect(),
            links: network.links,
            active: VecDeque::new(),
            orphans: VecDeque::new(),
            time: 0,
        }
    }

    fn neighbour(&self, node: usize, direction: usize) -> usize {
        self.links[node].near[direction] as usize
    }

    fn sources(&self) -> Vec<bool> {
        let nodes = &self.nodes[..self.nodes.len() - 1];
        nodes.iter().map(|node| node.parent != FREE && !node.in_sink).collect()
    }

    /// Fills the network; gives the flow beyond what passes straight from source to sink through one cell.
    fn solve(&mut self) -> i64 {
        for at in 0..self.nodes.len() {
            let node = &mut self.nodes[at];
            if node.terminal != 0 {
                (node.parent, node.in_sink, node.distance) = (TERMINAL, node.terminal < 0, 1);
                self.activate(at);
            }
        }
        let mut flow = 0;
        while let Some(at) = self.active.pop_front() {
            let at = at as usize;
            self.nodes[at].queued = false;
            while self.nodes[at].parent != FREE {
                let Some((direction, other)) = self.grow(at) else { break };
                self.time += 1;
                flow += i64::from(self.augment(at, direction, other));
                while let Some(orphan) = self.orphans.pop_front() {
                    self.adopt(orphan as usize);
                }
            }
        }
        flow
    }

    fn activate(&mut self, node: usize) {
        if !self.nodes[node].queued {
            self.nodes[node].queued = true;
            self.active.push_back(node as u32);
        }
    }

    /// The capacity left from a node towards its tree's growth: outward in the source's tree, inward in the sink's.
    fn open(&self, node: usize, direction: usize, other: usize) -> i32 {
        if self.nodes[node].in_sink { self.links[other].left[direction ^ 1] } else { self.links[node].left[direction] }
    }

    /// Takes free neighbours into the tree; gives the first neighbour that is of the other one.
    fn grow(&mut self, at: usize) -> Option<(usize, usize)> {
        let Node { in_sink, time, distance, .. } = self.nodes[at];
        for direction in 0..8 {
            let other = self.neighbour(at, direction);
            if self.open(at, direction, other) == 0 {
                continue;
            }
            let found = &mut self.nodes[other];
            if found.parent == FREE {
                (found.parent, found.in_sink) = ((direction ^ 1) as u8, in_sink);
                (found.time, found.distance) = (time, distance + 1);
                self.activate(other);
            } else if found.in_sink != in_sink {
                return Some((direction, other));
            } else if found.time <= time && found.distance > distance {
                // A shorter way to the terminal.
                found.parent = (direction ^ 1) as u8;
                (found.time, found.distance) = (time, distance + 1);
            }
        }
        None
    }

    /// Fills the path through the link from `at` to `other`; gives what went through.
    fn augment(&mut self, at: usize, direction: usize, other: usize) -> i32 {
        let swap = self.nodes[at].in_sink;
        let (source, sink, forward) = if swap { (other, at, direction ^ 1) } else { (at, other, direction) };
        let room = self.links[source].left[forward].min(self.room(source)).min(self.room(sink));
        self.links[source].left[forward] -= room;
        self.links[sink].left[forward ^ 1] += room;
        self.fill(source, room);
        self.fill(sink, room);
        room
    }

    /// The least capacity on the way from a node to its terminal.
    fn room(&self, mut node: usize) -> i32 {
        let mut room = i32::MAX;
        while self.nodes[node].parent != TERMINAL {
            let up = self.nodes[node].parent as usize;
            let next = self.neighbour(node, up);
            let left = if self.nodes[node].in_sink { self.links[node].left[up] } else { self.links[next].left[up ^ 1] };
            room = room.min(left);
            node = next;
        }
        room.min(self.nodes[node].terminal.abs())
    }

    /// Takes `room` from every capacity on that way.
    fn fill(&mut self, mut node: usize, room: i32) {
        while self.nodes[node].parent != TERMINAL {
            let up = self.nodes[node].parent as usize;
            let next = self.neighbour(node, up);
            let (from, to, along) = if self.nodes[node].in_sink { (node, next, up) } else { (next, node, up ^ 1) };
            self.links[to].left[along ^ 1] += room;
            self.links[from].left[along] -= room;
            if self.links[from].left[along] == 0 {
                self.leave(node);
            }
            node = next;
        }
        let terminal = &mut self.nodes[node].terminal;
        *terminal -= room * terminal.signum();
        if *terminal == 0 {
            self.leave(node);
        }
    }

    /// Makes a node an orphan.
    fn leave(&mut self, node: usize) {
        self.nodes[node].parent = ORPHAN;
        self.orphans.push_back(node as u32);
    }

    /// Finds the orphan a new parent in its tree, nearest to the terminal, or frees it.
    fn adopt(&mut self, node: usize) {
        let mut best = (u32::MAX, FREE);
        for direction in 0..8 {
            let other = self.neighbour(node, direction);
            if self.is_kin(node, direction, other)
                && let Some(distance) = self.distance(other)
                && distance < best.0
            {
                best = (distance, direction as u8);
            }
        }
        self.nodes[node].parent = best.1;
        if best.1 != FREE {
            (self.nodes[node].time, self.nodes[node].distance) = (self.time, best.0 + 1);
            return;
        }
        for direction in 0..8 {
            let other = self.neighbour(node, direction);
            let Node { parent, in_sink, .. } = self.nodes[other];
            if parent == FREE || in_sink != self.nodes[node].in_sink {
                continue;
            }
            if self.is_kin(node, direction, other) {
                self.activate(other);
            }
            if usize::from(parent) == direction ^ 1 {
                self.leave(other);
            }
        }
    }

    /// Whether the neighbour is of the same tree and could feed the node.
    fn is_kin(&self, node: usize, direction: usize, other: usize) -> bool {
        let Node { parent, in_sink, .. } = self.nodes[other];
        parent != FREE && in_sink == self.nodes[node].in_sink && self.open(other, direction ^ 1, node) > 0
    }

    /// Steps to the terminal; none where an orphan is on the way. Marks the way with what it found.
    fn distance(&mut self, start: usize) -> Option<u32> {
        let (mut node, mut steps) = (start, 0);
        loop {
            let Node { time, parent, distance, .. } = self.nodes[node];
            if time == self.time && parent < ORPHAN {
                steps += distance;
                break;
            }
            steps += 1;
            match parent {
                TERMINAL => {
                    (self.nodes[node].time, self.nodes[node].distance) = (self.time, 1);
                    break;
                }
                ORPHAN | FREE => return None,
                up => node = self.neighbour(node, up as usize),
            }
        }
        let (mut node, mut left) = (start, steps);
        while self.nodes[node].time != self.time {
            (self.nodes[node].time, self.nodes[node].distance) = (self.time, left);
            left -= 1;
            node = self.neighbour(node, self.nodes[node].parent as usize);
        }
        Some(steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Links as (node, node, direction, capacity) between the nodes of a grid.
    type Links = Vec<(usize, usize, usize, i32)>;

    fn links_of(height: usize, width: usize, capacities: &[i32]) -> Links {
        let mut links = Vec::new();
        for node in 0..height * width {
            for (direction, down, right) in [(0, 0, 1), (2, 1, 0), (4, 1, 1), (6, 1, -1)] {
                let (y, x) = (node / width + down, (node % width).wrapping_add_signed(right));
                if y < height && x < width {
                    links.push((node, y * width + x, direction, capacities[links.len() % capacities.len()]));
                }
            }
        }
        links
    }

    /// Source capacities on the sink's side, sink capacities on the source's, links between.
    fn cost(terminals: &[i32], links: &Links, source: impl Fn(usize) -> bool) -> i64 {
        let sides = terminals.iter().enumerate();
        let at_terminals: i64 =
            sides.map(|(node, &t)| i64::from(if source(node) { (-t).max(0) } else { t.max(0) })).sum();
        let between = links.iter().filter(|&&(a, b, ..)| source(a) != source(b));
        at_terminals + between.map(|link| i64::from(link.3)).sum::<i64>()
    }

    proptest! {
        #[test]
        fn the_cut_is_the_smallest_and_equals_the_flow(
            height in 1usize..5, width in 1usize..4,
            terminals in prop::collection::vec(-12i32..12, 12), capacities in prop::collection::vec(0i32..9, 1..40),
        ) {
            let count = height * width;
            let (terminals, links) = (&terminals[..count], links_of(height, width, &capacities));
            let mut network = Network::new(count);
            network.terminals[..count].copy_from_slice(terminals);
            links.iter().for_each(|&(a, b, direction, c)| network.link(a, b, direction, c));
            let mut flow = Flow::new(network);
            let pushed = flow.solve();
            let least = (0..1u32 << count)
                .map(|sides| cost(terminals, &links, |node| sides >> node & 1 == 1))
                .min()
                .unwrap();
            prop_assert_eq!(pushed, least);
            let sources = flow.sources();
            prop_assert_eq!(cost(terminals, &links, |node| sources[node]), least);
        }
    }
}
