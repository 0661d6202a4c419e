//! Connected sparse pencils to their smallest eigenpairs: Lanczos on (A + σ)⁻¹, A = M^-½ L M^-½.
//!
//! Ericsson & Ruhe 1980. The known null vector is deflated, so σ can be far below the spectrum; residuals are
//! those of A, not of the inverse.

use super::EigenError;
use super::block_lanczos::{BlockLanczos, BlockRitz};
use super::cholesky::{Analysis, Factor, minimum_degree};
use super::lanczos::Lanczos;
use super::nested_dissection::nested_dissection;
use super::pairs::{Pairs, Wanted};
use super::params::Solver;
use super::smallest::refuse_above;
use crate::kernels::{axpy, norm};
use crate::pencil::Pencil;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use segcut_core::{Context, Status, Stop};

/// σ as a share of the largest diagonal entry of A.
const SHIFT: f64 = 1e-9;

/// Larger pencils are solved block by block: the factor no longer fits into the caches.
const BLOCKS_FROM: usize = 6000;

/// The widest block.
const WIDEST: usize = 8;

/// Eigenpairs (λ, u).
type Found = Vec<(f64, Vec<f64>)>;

/// The k smallest eigenpairs; `start` (n values) replaces the random start vector.
pub(crate) fn shift_invert(
    pencil: &Pencil,
    wanted: Wanted,
    start: Option<&[f64]>,
    context: &Context,
) -> Result<Pairs, EigenError> {
    let order = if pencil.n() >= BLOCKS_FROM && !pencil.positions().is_empty() {
        nested_dissection(pencil, pencil.positions())
    } else {
        minimum_degree(pencil)?
    };
    let permuted = pencil.induced(&order, &mut vec![u32::MAX; pencil.n()]);
    let start = start.map(|s| order.iter().map(|&i| s[i as usize]).collect());
    let mut pairs = shift_invert_in_order(&permuted, wanted, start, context)?;
    for vector in &mut pairs.vectors {
        let mut original = vec![0.0; vector.len()];
        order.iter().zip(vector.iter()).for_each(|(&i, &x)| original[i as usize] = x);
        *vector = original;
    }
    Ok(pairs)
}

/// The same for a pencil that stands in a good elimination order already.
pub(crate) fn shift_invert_in_order(
    pencil: &Pencil,
    wanted: Wanted,
    start: Option<Vec<f64>>,
    context: &Context,
) -> Result<Pairs, EigenError> {
    Search::new(pencil)?.run(wanted, start, context)
}

/// A permuted pencil with its factor.
struct Search<'a> {
    pencil: &'a Pencil,
    analysis: Analysis,
    /// M^-½.
    scale: Vec<f64>,
    /// The unit null vector M^½·1.
    null: Vec<f64>,
    /// The diagonal of A.
    diagonal: Vec<f64>,
    /// Its largest entry.
    size: f64,
}

impl<'a> Search<'a> {
    fn new(pencil: &'a Pencil) -> Result<Self, EigenError> {
        let roots: Vec<f64> = pencil.mass().iter().map(|m| m.sqrt()).collect();
        let scale: Vec<f64> = roots.iter().map(|r| r.recip()).collect();
        let inverse = norm(&roots).recip();
        let diagonal: Vec<f64> = (0..pencil.n()).map(|i| pencil.degree(i) / pencil.mass()[i]).collect();
        let size = diagonal.iter().copied().fold(0.0, f64::max);
        Ok(Self {
            pencil,
            analysis: Analysis::new(pencil)?,
            scale,
            null: roots.iter().map(|r| r * inverse).collect(),
            diagonal,
            size,
        })
    }

    fn run(&mut self, wanted: Wanted, start: Option<Vec<f64>>, context: &Context) -> Result<Pairs, EigenError> {
        refuse_above(wanted.max_bytes, Solver::ShiftInvert, self.bytes(wanted.k))?;
        let mut history = Vec::new();
        let factor = self.analysis.factorize(self.pencil, &self.scale, &self.shifted(SHIFT * self.size))?;
        let mut found = vec![(0.0, self.null.clone())];
        let mut status = Status::Converged;
        let mut certified = None;
        let mut start = start.unwrap_or_else(|| random_start(self.pencil.n(), wanted.seed));
        for round in 0..4 {
            let more = (wanted.k - found.len().min(wanted.k)).max(usize::from(round > 0));
            let part = Wanted { k: more, seed: wanted.seed.wrapping_add(round), ..wanted };
            let (new, state) = if self.pencil.n() < BLOCKS_FROM {
                self.lanczos((&factor, &found), part, start, (context, &mut history))?
            } else {
                self.block_lanczos((&factor, &found), part, (context, &mut history))?
            };
            status = worse(status, state);
            found.extend(new);
            found.sort_by(|a, b| a.0.total_cmp(&b.0));
            if !wanted.certify || state != Status::Converged {
                break;
            }
            certified = self.certify(&found, wanted)?;
            if certified != Some(false) {
                break;
            }
            start = random_start(self.pencil.n(), wanted.seed.wrapping_add(round + 1));
        }
        found.truncate(wanted.k);
        let (values, vectors) = found.into_iter().unzip();
        Ok(Pairs { values, vectors, status, certified, solver: Solver::ShiftInvert, history })
    }

    /// Eigenpairs beside those found already.
    fn lanczos(
        &self,
        (factor, found): (&Factor<'_>, &Found),
        wanted: Wanted,
        start: Vec<f64>,
        (context, history): (&Context, &mut Vec<f64>),
    ) -> Result<(Found, Status), EigenError> {
        let deflated: Vec<f64> = found.iter().flat_map(|(_, u)| u.iter().copied()).collect();
        let room = self.pencil.n().saturating_sub(found.len());
        let k = wanted.k.min(room);
        if k == 0 {
            return Ok((Vec::new(), Status::Converged));
        }
        let mut lanczos = Lanczos::new(deflated, start, wanted.seed);
        let mut operator = |x: &mut [f64]| factor.solve(x, 1);
        let mut next_check = (k + 3 + k / 2).min(room);
        let mut status = Status::Converged;
        loop {
            while lanczos.len() < next_check {
                lanczos.step(&mut operator)?;
            }
            let residual = self.worst_residual(&lanczos, k, wanted);
            note(residual * wanted.tol, lanczos.len(), context, history);
            if residual <= 1.0 || lanczos.len() >= room {
                break;
            }
            if lanczos.len() >= wanted.max_steps {
                status = Status::IterationLimit { residual: residual * wanted.tol };
                break;
            }
            if let Some(stopped) = stop(context) {
                status = stopped;
                break;
            }
            next_check = (lanczos.len() + 2 + lanczos.len() / 10).min(room);
        }
        let vectors = lanczos.vectors(k).ok_or(EigenError::Dense)?;
        let pairs = vectors.into_iter().map(|u| (self.rayleigh(&u), u)).collect();
        Ok((pairs, status))
    }

    /// The worst residual of the first k Ritz pairs over what is allowed.
    ///
    /// A·u − λ·u = −(A + σ)·v·β·s/θ with v the next Lanczos vector, so one product gives all residuals.
    fn worst_residual(&self, lanczos: &Lanczos, k: usize, wanted: Wanted) -> f64 {
        let Some(ritz) = lanczos.ritz() else { return f64::INFINITY };
        let mut product = vec![0.0; self.pencil.n()];
        self.apply(lanczos.next(), &mut product);
        let norm_next = norm(&product);
        let largest = (ritz.values[k - 1].recip() - SHIFT * self.size).max(0.0);
        let allowed = self.allowed(largest, wanted);
        let residuals = ritz.values[..k].iter().zip(&ritz.residuals).map(|(theta, r)| norm_next * r / theta);
        residuals.fold(0.0, f64::max) / allowed
    }

    /// The same in blocks, from random vectors.
    fn block_lanczos(
        &self,
        (factor, found): (&Factor<'_>, &Found),
        wanted: Wanted,
        (context, history): (&Context, &mut Vec<f64>),
    ) -> Result<(Found, Status), EigenError> {
        let width = (wanted.k / 2).clamp(2, WIDEST);
        let deflated = found.iter().flat_map(|(_, u)| u.iter().copied()).collect();
        let mut lanczos = BlockLanczos::new(self.pencil.n(), width, deflated, wanted.seed);
        let mut operator = |x: &mut [f64]| factor.solve(x, width);
        let mut status = Status::Converged;
        let limit = wanted.max_steps.min((self.pencil.n() - found.len()) / width * width);
        let ritz = loop {
            lanczos.step(&mut operator)?;
            if lanczos.len() < 2 * wanted.k + 2 * width && lanczos.len() < limit {
                continue;
            }
            let ritz = lanczos.ritz().ok_or(EigenError::Dense)?;
            let residual = self.worst_block_residual(&lanczos, &ritz, wanted);
            note(residual * wanted.tol, lanczos.len(), context, history);
            context.report("eigenvectors", (residual.max(1.0).log10() / -8.0 + 1.0).clamp(0.0, 1.0));
            if residual <= 1.0 {
                break ritz;
            }
            if lanczos.len() >= limit {
                status = Status::IterationLimit { residual: residual * wanted.tol };
                break ritz;
            }
            if let Some(stopped) = stop(context) {
                status = stopped;
                break ritz;
            }
        };
        let vectors = lanczos.vectors(&ritz, wanted.k);
        Ok((vectors.into_iter().map(|u| (self.rayleigh(&u), u)).collect(), status))
    }

    /// As [`Self::worst_residual`], with the Gram matrix of A times the next block.
    fn worst_block_residual(&self, lanczos: &BlockLanczos, ritz: &BlockRitz, wanted: Wanted) -> f64 {
        let n = self.pencil.n();
        let mut product = vec![0.0; lanczos.next().len()];
        for (next, product) in lanczos.next().chunks_exact(n).zip(product.chunks_exact_mut(n)) {
            self.apply(next, product);
        }
        let k = wanted.k.min(ritz.values.len());
        let largest = (ritz.values[k - 1].recip() - SHIFT * self.size).max(0.0);
        // The dense eigenvectors of T carry errors of ε·θ₁/θ_k.
        let noise = 64.0 * f64::EPSILON * self.size * ritz.values[0] / ritz.values[k - 1];
        let allowed = self.allowed(largest, wanted).max(noise);
        let residual = |pair: usize| {
            let mut combined = vec![0.0; n];
            for (&c, product) in lanczos.remainder(ritz, pair).iter().zip(product.chunks_exact(n)) {
                axpy(c, product, &mut combined);
            }
            norm(&combined) / ritz.values[pair]
        };
        // The last pairs converge last.
        (0..k).rev().map(residual).find(|&r| r > allowed).map_or(1.0, |r| (r / allowed).max(1.0 + 1e-9))
    }

    /// The residual that is small enough beside the eigenvalue λ_k.
    fn allowed(&self, largest: f64, wanted: Wanted) -> f64 {
        (wanted.tol * largest).max(wanted.floor).max(32.0 * f64::EPSILON * self.size)
    }

    /// The estimate of the bytes that k pairs need: the factor, the basis, the vectors, the pencil.
    fn bytes(&self, k: usize) -> u64 {
        let n = self.pencil.n() as u64;
        let basis = if self.pencil.n() < BLOCKS_FROM { 3 * k as u64 + 20 } else { 4 * k as u64 + 16 };
        self.analysis.bytes() + 8 * n * (basis + 2 * k as u64 + 8) + 48 * self.pencil.edge_count() as u64
    }

    /// The diagonal of A + σ·1.
    fn shifted(&self, sigma: f64) -> Vec<f64> {
        self.diagonal.iter().map(|d| d + sigma).collect()
    }

    /// y = A·u.
    fn apply(&self, u: &[f64], y: &mut [f64]) {
        let x: Vec<f64> = u.iter().zip(&self.scale).map(|(u, s)| u * s).collect();
        self.pencil.apply(&x, y);
        y.iter_mut().zip(&self.scale).for_each(|(y, s)| *y *= s);
    }

    fn rayleigh(&self, u: &[f64]) -> f64 {
        let x: Vec<f64> = u.iter().zip(&self.scale).map(|(u, s)| u * s).collect();
        self.pencil.rayleigh(&x)
    }

    /// Whether exactly the found values lie below a point just above λ_k.
    fn certify(&self, found: &Found, wanted: Wanted) -> Result<Option<bool>, EigenError> {
        let last = found[wanted.k.min(found.len()) - 1].0;
        let margin = (2.0 * self.allowed(last, wanted)).max(1e-9 * last);
        let mu = last + margin;
        let known = found.iter().filter(|(value, _)| *value < mu).count();
        let count = self.analysis.count_negative(self.pencil, &self.scale, &self.shifted(-mu))?;
        Ok(count.map(|count| count <= known))
    }
}

/// Keeps a residual and tells it.
fn note(residual: f64, products: usize, context: &Context, history: &mut Vec<f64>) {
    history.push(residual);
    context.detail(|| format!("eigenvectors: residual {residual:.1e} of the last value after {products} products"));
}

fn random_start(n: usize, seed: u64) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| random.random::<f64>() - 0.5).collect()
}

fn stop(context: &Context) -> Option<Status> {
    match context.stopped() {
        Stop::No => None,
        Stop::Cancelled => Some(Status::Cancelled),
        Stop::TimedOut => Some(Status::TimedOut),
    }
}

fn worse(a: Status, b: Status) -> Status {
    if a == Status::Converged { b } else { a }
}
