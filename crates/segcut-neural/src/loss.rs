//! Memberships → loss and its gradient.

use crate::matrix::Matrix;
use crate::operator::Operator;
use crate::params::Objective;

/// A loss on the memberships of n nodes.
#[derive(Debug)]
pub(crate) struct Loss {
    objective: Objective,
    balance: f64,
    operator: Operator,
    degrees: Vec<f32>,
}

impl Loss {
    /// `balance` is the factor of the term for clusters of like sizes.
    pub(crate) fn new(objective: Objective, balance: f64, operator: Operator, n: usize) -> Self {
        let degrees = operator.degrees(n);
        Self { objective, balance, operator, degrees }
    }

    /// Whether all degrees are finite.
    pub(crate) fn is_finite(&self) -> bool {
        self.degrees.iter().all(|d| d.is_finite())
    }

    /// The loss of graphs without edges between them as one graph; all have the same objective.
    pub(crate) fn union(losses: Vec<Self>, objective: Objective, balance: f64) -> Self {
        let degrees = losses.iter().flat_map(|loss| loss.degrees.iter().copied()).collect();
        let parts = losses.into_iter().map(|loss| (loss.degrees.len(), loss.operator)).collect();
        Self { objective, balance, operator: Operator::Parts(parts), degrees }
    }

    /// How many numbers are held.
    pub(crate) fn numbers(&self) -> usize {
        self.operator.numbers() + self.degrees.len()
    }

    /// The loss of memberships S, whose rows sum to 1; its gradient with respect to S is written to `gradient`.
    pub(crate) fn of(&self, s: &Matrix, gradient: &mut Matrix) -> f64 {
        self.operator.apply_to_memberships(s, gradient);
        let inside = inner(&s.values, &gradient.values);
        match self.objective {
            Objective::Correlation => {
                gradient.values.iter_mut().for_each(|g| *g *= -2.0);
                -inside
            }
            Objective::Ncut if self.balance == 0.0 => self.cut(s, gradient, inside),
            Objective::Ncut => self.cut(s, gradient, inside) + orthogonality(s, self.balance, gradient),
        }
    }

    /// −tr(SᵀWS) / tr(SᵀDS); 0 on a graph without volume. The gradient holds W·S before.
    fn cut(&self, s: &Matrix, gradient: &mut Matrix, inside: f64) -> f64 {
        let cols = s.cols.max(1);
        let rows = || s.values.chunks_exact(cols).zip(&self.degrees);
        let square = |row: &[f32]| row.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>();
        let volume: f64 = rows().map(|(row, &d)| f64::from(d) * square(row)).sum();
        if volume <= 0.0 {
            gradient.values.fill(0.0);
            return 0.0;
        }
        let (outer, shared) = ((-2.0 / volume) as f32, (2.0 * inside / (volume * volume)) as f32);
        for (g, (row, d)) in gradient.values.chunks_exact_mut(cols).zip(rows()) {
            g.iter_mut().zip(row).for_each(|(g, x)| *g = outer * *g + shared * d * x);
        }
        -inside / volume
    }
}

/// `factor`·‖SᵀS/‖SᵀS‖ − I/√K‖ in Frobenius norms (Bianchi et al. 2020, eq. 9); its gradient is added.
fn orthogonality(s: &Matrix, factor: f64, gradient: &mut Matrix) -> f64 {
    let k = s.cols;
    let mut products = vec![0.0; k * k];
    s.transposed_product(s, &mut products);
    let gram: Vec<f64> = products.into_iter().map(f64::from).collect();
    let norm = gram.iter().map(|x| x * x).sum::<f64>().sqrt();
    if norm == 0.0 {
        return 0.0;
    }
    let target = |at: usize| if at.is_multiple_of(k + 1) { 1.0 / (k as f64).sqrt() } else { 0.0 };
    let rest: Vec<f64> = gram.iter().enumerate().map(|(at, x)| x / norm - target(at)).collect();
    let value = rest.iter().map(|x| x * x).sum::<f64>().sqrt();
    // At the minimum the norm has no derivative; 0 is a subgradient.
    if value < 1e-12 {
        return factor * value;
    }
    let along = rest.iter().zip(&gram).map(|(r, g)| r * g).sum::<f64>() / (norm * norm);
    let inner = |(r, g): (&f64, &f64)| ((r - g * along) * (2.0 * factor / (norm * value))) as f32;
    let inner: Vec<f32> = rest.iter().zip(&gram).map(inner).collect();
    for (g, row) in gradient.values.chunks_exact_mut(k).zip(s.values.chunks_exact(k)) {
        for (x, factors) in row.iter().zip(inner.chunks_exact(k)) {
            g.iter_mut().zip(factors).for_each(|(g, f)| *g += x * f);
        }
    }
    factor * value
}

fn inner(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, Axis};
    use segcut_core::{Affinity, SparseAffinity};

    fn affinity(signed: bool) -> Affinity {
        let edges: Vec<[u32; 2]> = (0..8u32).flat_map(|u| (u + 1..8).map(move |v| [u, v])).collect();
        let weight = |e: &[u32; 2]| f64::from((e[0] * 5 + e[1] * 3) % 7) / 7.0 - if signed { 0.4 } else { 0.0 };
        let weights = edges.iter().map(weight).collect();
        let sparse = SparseAffinity::new(8, edges, weights).unwrap();
        Affinity::Sparse(sparse.with_diagonal((0..8).map(|i| f64::from(i) / 8.0).collect()).unwrap())
    }

    fn memberships() -> Array2<f64> {
        let logits = Array2::from_shape_fn((8, 3), |(i, c)| ((i * 3 + c * 5) % 7) as f64 / 5.0);
        let exps = logits.mapv(f64::exp);
        &exps / &exps.sum_axis(Axis(1)).insert_axis(Axis(1))
    }

    /// The published formulas in double precision, with the matrix formed.
    fn plain((objective, balance): (Objective, f64), affinity: &Affinity, s: &Array2<f64>) -> f64 {
        let columns: Vec<_> = (0..s.ncols()).map(|c| affinity.apply(&s.column(c).to_owned())).collect();
        let inside: f64 = columns.iter().enumerate().map(|(c, ws)| s.column(c).dot(ws)).sum();
        if objective == Objective::Correlation {
            return -inside;
        }
        let degrees = affinity.degrees();
        let volume: f64 = s.rows().into_iter().zip(&degrees).map(|(row, d)| d * row.dot(&row)).sum();
        let gram = s.t().dot(s);
        let norm = gram.mapv(|x| x * x).sum().sqrt();
        let rest = gram / norm - Array2::<f64>::eye(s.ncols()) / (s.ncols() as f64).sqrt();
        -inside / volume + balance * rest.mapv(|x| x * x).sum().sqrt()
    }

    #[test]
    fn values_and_gradients_are_those_of_finite_differences() {
        for terms in [1.0, 0.25, 0.0].map(|b| (Objective::Ncut, b)).into_iter().chain([(Objective::Correlation, 1.0)]) {
            let (objective, balance) = terms;
            let affinity = affinity(objective == Objective::Correlation);
            let s = memberships();
            let loss = Loss::new(objective, balance, Operator::new(&affinity, 0.0), 8);
            let mut gradient = Matrix::zeros(8, 3);
            let value = loss.of(&Matrix::from_array(s.mapv(|x| x as f32).view()), &mut gradient);
            assert!((value - plain(terms, &affinity, &s)).abs() < 1e-5);
            for (place, &found) in gradient.values.iter().enumerate() {
                let at = (place / 3, place % 3);
                let (mut up, mut down) = (s.clone(), s.clone());
                up[at] += 1e-6;
                down[at] -= 1e-6;
                let slope = (plain(terms, &affinity, &up) - plain(terms, &affinity, &down)) / 2e-6;
                assert!((f64::from(found) - slope).abs() < 1e-5 * slope.abs().max(1.0), "{objective:?} {at:?}");
            }
        }
    }

    #[test]
    fn graphs_without_volume_have_a_loss() {
        let none = Affinity::Sparse(SparseAffinity::new(3, vec![], vec![]).unwrap());
        let loss = Loss::new(Objective::Ncut, 1.0, Operator::new(&none, 0.0), 3);
        let mut gradient = Matrix::zeros(3, 2);
        let value = loss.of(&Matrix { rows: 3, cols: 2, values: vec![0.5; 6] }, &mut gradient);
        assert!(value.is_finite() && gradient.values.iter().all(|g| g.is_finite()));
    }
}
