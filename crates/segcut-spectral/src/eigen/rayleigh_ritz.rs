//! A space of vectors to the best eigenpairs in it.

use super::EigenError;
use super::row_blocks::{Row, Small, WIDTH, combine, paired_products};
use super::scaled::Scaled;
use faer::{Mat, Side};

/// Directions of less than this share of the largest are dropped: they are rounding errors.
const DEPENDENT: f64 = 1e-13;

/// Four columns each.
pub(super) type Blocks = Vec<Vec<Row>>;

/// Ritz values, ascending, and the coordinates of the Ritz vectors.
pub(super) struct Projection {
    pub(super) values: Vec<f64>,
    coordinates: Mat<f64>,
}

/// A times every block.
pub(super) fn images(a: &Scaled<'_>, blocks: &[Vec<Row>]) -> Blocks {
    let image = |block: &Vec<Row>| {
        let mut y = vec![[0.0; WIDTH]; block.len()];
        a.apply_rows(block, &mut y);
        y
    };
    blocks.iter().map(image).collect()
}

/// The eigenpairs of A on the span of S, given A·S.
///
/// Columns are scaled to unit length and the Gram matrix is diagonalized, so S may be dependent: what is dropped
/// costs a dimension, not accuracy (Stathopoulos & Wu 2002, SVQB).
pub(super) fn rayleigh_ritz(blocks: &[Vec<Row>], images: &[Vec<Row>]) -> Result<Projection, EigenError> {
    let mut space = Gram::new(blocks.len());
    (0..blocks.len()).for_each(|j| space.add(blocks, j, &images[j]));
    space.pairs()
}

/// The same, with the products made one block at a time.
pub(super) fn rayleigh_ritz_of(a: &Scaled<'_>, blocks: &[Vec<Row>]) -> Result<Projection, EigenError> {
    let mut space = Gram::new(blocks.len());
    let mut image = vec![[0.0; WIDTH]; a.pencil.n()];
    for (j, block) in blocks.iter().enumerate() {
        a.apply_rows(block, &mut image);
        space.add(blocks, j, &image);
    }
    space.pairs()
}

/// SᵀS and SᵀA·S.
struct Gram {
    gram: Mat<f64>,
    projected: Mat<f64>,
}

impl Gram {
    fn new(blocks: usize) -> Self {
        let zeros = || Mat::zeros(blocks * WIDTH, blocks * WIDTH);
        Self { gram: zeros(), projected: zeros() }
    }

    /// The products with block j and its image, of the blocks up to it.
    fn add(&mut self, blocks: &[Vec<Row>], j: usize, image: &[Row]) {
        let [own, images] = paired_products(&blocks[..=j], [&blocks[j], image]);
        for (i, (own, image)) in own.iter().zip(&images).enumerate() {
            fill(&mut self.gram, (i, j), own);
            fill(&mut self.projected, (i, j), image);
        }
    }

    fn pairs(&self) -> Result<Projection, EigenError> {
        let Self { gram, projected } = self;
        let m = gram.nrows();
        let scale: Vec<f64> =
            (0..m).map(|i| if gram[(i, i)] > 0.0 { gram[(i, i)].sqrt().recip() } else { 0.0 }).collect();
        let unit = Mat::from_fn(m, m, |i, j| gram[(i, j)] * scale[i] * scale[j]);
        let directions = unit.self_adjoint_eigen(Side::Lower).map_err(|_| EigenError::Dense)?;
        let (sizes, turned) = (directions.S(), directions.U());
        let first = (0..m).find(|&i| sizes[i] > DEPENDENT * sizes[m - 1]).unwrap_or(m);
        let basis = Mat::from_fn(m, m - first, |i, j| scale[i] * turned[(i, first + j)] / sizes[first + j].sqrt());
        let small = basis.transpose() * projected * &basis;
        let pairs = small.self_adjoint_eigen(Side::Lower).map_err(|_| EigenError::Dense)?;
        let coordinates = &basis * pairs.U();
        Ok(Projection { values: (0..m - first).map(|i| pairs.S()[i]).collect(), coordinates })
    }
}

/// A block of a symmetric matrix and its mirror image.
fn fill(matrix: &mut Mat<f64>, (row, column): (usize, usize), block: &Small) {
    for (i, values) in block.iter().enumerate() {
        for (j, &value) in values.iter().enumerate() {
            matrix[(row * WIDTH + i, column * WIDTH + j)] = value;
            matrix[(column * WIDTH + j, row * WIDTH + i)] = value;
        }
    }
}

impl Projection {
    /// The first `columns` Ritz vectors, or their images, from the blocks from `skip` on alone; in blocks filled up
    /// with zero columns.
    pub(super) fn combined(&self, blocks: &[Vec<Row>], skip: usize, columns: usize) -> Blocks {
        let columns = columns.min(self.values.len());
        let entry = |i: usize, j: usize| if j < columns { self.coordinates[(i, j)] } else { 0.0 };
        let small = |b: usize, first: usize| -> Small {
            std::array::from_fn(|i| std::array::from_fn(|j| entry(b * WIDTH + i, first + j)))
        };
        let coefficients: Vec<Vec<Small>> =
            (0..columns).step_by(WIDTH).map(|first| (skip..blocks.len()).map(|b| small(b, first)).collect()).collect();
        let n = blocks.first().map_or(0, Vec::len);
        let mut out = vec![vec![[0.0; WIDTH]; n]; coefficients.len()];
        let mut views: Vec<&mut [Row]> = out.iter_mut().map(|v| &mut v[..]).collect();
        combine(1.0, &blocks[skip..], &coefficients, &mut views);
        out
    }
}
