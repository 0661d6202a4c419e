//! Connected sparse pencils to their smallest eigenpairs: Lanczos on (A + σ)⁻¹, A = M^-½ L M^-½.
//!
//! Ericsson & Ruhe 1980. The known null vector is deflated, so σ can be far below the spectrum; residuals are
//! those of A, not of the inverse.

use super::EigenError;
use super::cholesky::{Analysis, Factor, minimum_degree};
use super::lanczos::Lanczos;
use crate::kernels::{axpy, norm};
use crate::pencil::Pencil;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use segcut_core::{Context, Status, Stop};

/// σ as a share of the largest diagonal entry of A.
const SHIFT: f64 = 1e-9;

/// What to find and when to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// Eigenpairs, the null vector included.
    pub(crate) k: usize,
    /// Bound on ‖A·u − λ·u‖ / λ_k.
    pub(crate) tol: f64,
    /// Residuals up to this are small enough whatever λ_k.
    pub(crate) floor: f64,
    /// Limit of Lanczos steps.
    pub(crate) max_steps: usize,
    /// Whether to count the eigenvalues below λ_k by an inertia.
    pub(crate) certify: bool,
    /// Seed of the start vectors.
    pub(crate) seed: u64,
}

/// Eigenpairs of one connected pencil in its own node order.
#[derive(Debug)]
pub(crate) struct Pairs {
    /// Ascending.
    pub(crate) values: Vec<f64>,
    /// Unit vectors u of A.
    pub(crate) vectors: Vec<Vec<f64>>,
    pub(crate) status: Status,
    /// Whether no eigenvalue was missed; `None` where it was not asked or could not be told.
    pub(crate) certified: Option<bool>,
}

/// The k smallest eigenpairs; `start` (n values) replaces the random start vector.
pub(crate) fn shift_invert(
    pencil: &Pencil,
    wanted: Wanted,
    start: Option<&[f64]>,
    context: &Context,
) -> Result<Pairs, EigenError> {
    let order = minimum_degree(pencil)?;
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
        let factor = self.analysis.factorize(self.pencil, &self.scale, &self.shifted(SHIFT * self.size))?;
        let mut found = vec![(0.0, self.null.clone())];
        let mut status = Status::Converged;
        let mut certified = None;
        let mut start = start.unwrap_or_else(|| random_start(self.pencil.n(), wanted.seed));
        for round in 0..4 {
            let more = (wanted.k - found.len().min(wanted.k)).max(usize::from(round > 0));
            let (new, state) = self.lanczos(&factor, &found, Wanted { k: more, ..wanted }, start, context)?;
            status = worse(status, state);
            found.extend(new);
            found.sort_by(|a, b| a.0.total_cmp(&b.0));
            if !wanted.certify || state != Status::Converged {
                break;
            }
            certified = self.certify(&found, wanted.k)?;
            if certified != Some(false) {
                break;
            }
            start = random_start(self.pencil.n(), wanted.seed.wrapping_add(round + 1));
        }
        found.truncate(wanted.k);
        let (values, vectors) = found.into_iter().unzip();
        Ok(Pairs { values, vectors, status, certified })
    }

    /// Eigenpairs beside those found already.
    fn lanczos(
        &self,
        factor: &Factor<'_>,
        found: &[(f64, Vec<f64>)],
        wanted: Wanted,
        start: Vec<f64>,
        context: &Context,
    ) -> Result<(Vec<(f64, Vec<f64>)>, Status), EigenError> {
        let deflated: Vec<f64> = found.iter().flat_map(|(_, u)| u.iter().copied()).collect();
        let room = self.pencil.n().saturating_sub(found.len());
        let k = wanted.k.min(room);
        let mut lanczos = Lanczos::new(deflated, start, wanted.seed);
        let mut operator = |x: &mut [f64]| factor.solve(x, 1);
        let mut next_check = (k + 3 + k / 2).min(room);
        let mut status = Status::Converged;
        while k > 0 {
            while lanczos.len() < next_check {
                lanczos.step(&mut operator)?;
            }
            let residual = self.worst_residual(&lanczos, k, wanted);
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
        let allowed = (wanted.tol * largest).max(wanted.floor).max(32.0 * f64::EPSILON * self.size);
        let residuals = ritz.values[..k].iter().zip(&ritz.residuals).map(|(theta, r)| norm_next * r / theta);
        residuals.fold(0.0, f64::max) / allowed
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
    fn certify(&self, found: &[(f64, Vec<f64>)], k: usize) -> Result<Option<bool>, EigenError> {
        let last = found[k.min(found.len()) - 1].0;
        let mut residual = vec![0.0; self.pencil.n()];
        let mut worst = 0.0f64;
        for (value, u) in found {
            self.apply(u, &mut residual);
            axpy(-value, u, &mut residual);
            worst = worst.max(norm(&residual));
        }
        let margin = (2.0 * worst).max(64.0 * f64::EPSILON * self.size).max(1e-9 * last);
        let mu = last + margin;
        let known = found.iter().filter(|(value, _)| *value < mu).count();
        let count = self.analysis.count_negative(self.pencil, &self.scale, &self.shifted(-mu))?;
        Ok(count.map(|count| count <= known))
    }
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
