//! Grids of pixels → their minimum cut.

use std::collections::VecDeque;

/// Offsets (down, right) of the 8 neighbours; a direction's opposite is its number with the last bit flipped.
pub(super) const DIRECTIONS: [[isize; 2]; 8] = [[0, 1], [0, -1], [1, 0], [-1, 0], [1, 1], [-1, -1], [1, -1], [-1, 1]];

/// Values of [`Node::parent`] beyond a direction.
const TERMINAL: u8 = 8;
const ORPHAN: u8 = 9;
const FREE: u8 = 10;

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

/// A grid of nodes with 8 neighbours, its terminals, and what the flow leaves of the capacities.
///
/// Y. Boykov, V. Kolmogorov, "An experimental comparison of min-cut/max-flow algorithms for energy minimization in
/// vision", PAMI 2004: two search trees grow from the terminals until they touch; the path is filled, and what loses its
/// parent looks for another one. Distances are marked with the time at which they were right (section 3 of
/// Kolmogorov's thesis). Whole numbers, so that no flow is lost to rounding.
///
/// # Panics
/// A cell outside the grid.
#[derive(Debug)]
pub(super) struct GridFlow {
    width: usize,
    stride: usize,
    steps: [isize; 8],
    nodes: Vec<Node>,
    /// What is left of the capacity to each neighbour.
    links: Vec<[i32; 8]>,
    active: VecDeque<u32>,
    orphans: VecDeque<u32>,
    time: u32,
}

impl GridFlow {
    /// A grid without capacities.
    pub(super) fn new(height: usize, width: usize) -> Self {
        // A margin of nodes without capacities stands for the outside.
        let stride = width + 2;
        let blank = Node { terminal: 0, time: 0, distance: 0, parent: FREE, in_sink: false, queued: false };
        let count = (height + 2) * stride;
        Self {
            width,
            stride,
            steps: DIRECTIONS.map(|[down, right]| down * stride as isize + right),
            nodes: vec![blank; count],
            links: vec![[0; 8]; count],
            active: VecDeque::new(),
            orphans: VecDeque::new(),
            time: 0,
        }
    }

    fn index(&self, cell: usize) -> usize {
        (cell / self.width + 1) * self.stride + cell % self.width + 1
    }

    fn neighbour(&self, node: usize, direction: usize) -> usize {
        node.wrapping_add_signed(self.steps[direction])
    }

    /// The capacity from the source less the one to the sink.
    pub(super) fn set_terminal(&mut self, cell: usize, capacity: i32) {
        let node = self.index(cell);
        self.nodes[node].terminal = capacity;
    }

    /// The capacity between a cell and its neighbour, the same both ways.
    pub(super) fn set_link(&mut self, cell: usize, direction: usize, capacity: i32) {
        let node = self.index(cell);
        let other = self.neighbour(node, direction);
        self.links[node][direction] = capacity;
        self.links[other][direction ^ 1] = capacity;
    }

    /// Whether the cell is on the source's side of the cut; cells that neither terminal reaches are not.
    pub(super) fn is_source(&self, cell: usize) -> bool {
        let node = &self.nodes[self.index(cell)];
        node.parent != FREE && !node.in_sink
    }

    /// Fills the network; gives the flow beyond what passes straight from source to sink through one cell.
    pub(super) fn solve(&mut self) -> i64 {
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
        if self.nodes[node].in_sink { self.links[other][direction ^ 1] } else { self.links[node][direction] }
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
        let room = self.links[source][forward].min(self.room(source)).min(self.room(sink));
        self.links[source][forward] -= room;
        self.links[sink][forward ^ 1] += room;
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
            let left = if self.nodes[node].in_sink { self.links[node][up] } else { self.links[next][up ^ 1] };
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
            self.links[to][along ^ 1] += room;
            self.links[from][along] -= room;
            if self.links[from][along] == 0 {
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

    /// Links as (cell, direction among E, S, SE, SW, capacity).
    type Links = Vec<(usize, usize, i32)>;

    fn links_of(height: usize, width: usize, capacities: &[i32]) -> Links {
        let mut links = Vec::new();
        for cell in 0..height * width {
            for direction in [0, 2, 4, 6] {
                let [down, right] = DIRECTIONS[direction];
                let (y, x) = ((cell / width) as isize + down, (cell % width) as isize + right);
                if (0..height as isize).contains(&y) && (0..width as isize).contains(&x) {
                    links.push((cell, direction, capacities[links.len() % capacities.len()]));
                }
            }
        }
        links
    }

    /// Source capacities on the sink's side, sink capacities on the source's, links between.
    fn cut(terminals: &[i32], links: &Links, width: usize, source: impl Fn(usize) -> bool) -> i64 {
        let sides = terminals.iter().enumerate();
        let at_terminals: i64 =
            sides.map(|(cell, &t)| i64::from(if source(cell) { (-t).max(0) } else { t.max(0) })).sum();
        let between = links.iter().filter(|&&(cell, direction, _)| {
            let [down, right] = DIRECTIONS[direction];
            source(cell) != source(cell.wrapping_add_signed(down * width as isize + right))
        });
        at_terminals + between.map(|link| i64::from(link.2)).sum::<i64>()
    }

    proptest! {
        #[test]
        fn the_cut_is_the_smallest_and_equals_the_flow(
            height in 1usize..5, width in 1usize..4,
            terminals in prop::collection::vec(-12i32..12, 12), capacities in prop::collection::vec(0i32..9, 1..40),
        ) {
            let count = height * width;
            let (terminals, links) = (&terminals[..count], links_of(height, width, &capacities));
            let mut flow = GridFlow::new(height, width);
            terminals.iter().enumerate().for_each(|(cell, &t)| flow.set_terminal(cell, t));
            links.iter().for_each(|&(cell, direction, c)| flow.set_link(cell, direction, c));
            let pushed = flow.solve();
            let least = (0..1u32 << count)
                .map(|sides| cut(terminals, &links, width, |cell| sides >> cell & 1 == 1))
                .min()
                .unwrap();
            prop_assert_eq!(pushed, least);
            prop_assert_eq!(cut(terminals, &links, width, |cell| flow.is_source(cell)), least);
        }
    }
}
