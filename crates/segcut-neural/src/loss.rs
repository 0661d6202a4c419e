//! Memberships → loss and its gradient.

use crate::deepcut::Objective;
use crate::operator::Operator;
use ndarray::{Array1, Array2, ArrayView2, Axis, Zip};

/// A loss on the memberships of n nodes.
#[derive(Debug)]
pub(crate) struct Loss {
    objective: Objective,
    operator: Operator,
    degrees: Array1<f32>,
}

impl Loss {
    pub(crate) fn new(objective: Objective, operator: Operator, n: usize) -> Self {
        let degrees = operator.degrees(n);
        Self { objective, operator, degrees }
    }

    /// The loss of S and its gradient with respect to S.
    pub(crate) fn of(&self, s: ArrayView2<'_, f32>) -> (f64, Array2<f32>) {
        let ws = self.operator.apply(s);
        let inside = inner(s, ws.view());
        match self.objective {
            Objective::Correlation => (-inside, ws * -2.0),
            Objective::Ncut => {
                let (orthogonal, gradient) = orthogonality(s);
                let (cut, cut_gradient) = self.cut(s, ws, inside);
                (cut + orthogonal, cut_gradient + gradient)
            }
        }
    }

    /// −tr(SᵀWS) / tr(SᵀDS); 0 on a graph without volume.
    fn cut(&self, s: ArrayView2<'_, f32>, ws: Array2<f32>, inside: f64) -> (f64, Array2<f32>) {
        let weighted = &s * &self.degrees.view().insert_axis(Axis(1));
        let volume = inner(s, weighted.view());
        if volume <= 0.0 {
            return (0.0, Array2::zeros(s.raw_dim()));
        }
        let (outer, shared) = ((-2.0 / volume) as f32, (2.0 * inside / (volume * volume)) as f32);
        let mut gradient = ws;
        Zip::from(&mut gradient).and(&weighted).for_each(|g, &d| *g = outer * *g + shared * d);
        (-inside / volume, gradient)
    }
}

/// ‖SᵀS/‖SᵀS‖ − I/√K‖ in Frobenius norms (Bianchi et al. 2020, eq. 9).
fn orthogonality(s: ArrayView2<'_, f32>) -> (f64, Array2<f32>) {
    let k = s.ncols();
    let gram = s.t().dot(&s).mapv(f64::from);
    let norm = gram.iter().map(|x| x * x).sum::<f64>().sqrt();
    if norm == 0.0 {
        return (0.0, Array2::zeros(s.raw_dim()));
    }
    let mut rest = &gram / norm;
    rest.diag_mut().mapv_inplace(|x| x - 1.0 / (k as f64).sqrt());
    let value = rest.iter().map(|x| x * x).sum::<f64>().sqrt();
    // At the minimum the norm has no derivative; 0 is a subgradient.
    if value < 1e-12 {
        return (value, Array2::zeros(s.raw_dim()));
    }
    let along = (&rest * &gram).sum() / (norm * norm);
    let inner = (&rest - &(&gram * along)) * (2.0 / (norm * value));
    (value, s.dot(&inner.mapv(|x| x as f32)))
}

fn inner(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> f64 {
    Zip::from(a).and(b).fold(0.0, |sum, &x, &y| sum + f64::from(x) * f64::from(y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
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
    fn plain(objective: Objective, affinity: &Affinity, s: &Array2<f64>) -> f64 {
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
        -inside / volume + rest.mapv(|x| x * x).sum().sqrt()
    }

    #[test]
    fn values_and_gradients_are_those_of_finite_differences() {
        for objective in [Objective::Ncut, Objective::Correlation] {
            let affinity = affinity(objective == Objective::Correlation);
            let s = memberships();
            let loss = Loss::new(objective, Operator::new(&affinity, 0.0), 8);
            let (value, gradient) = loss.of(s.mapv(|x| x as f32).view());
            assert!((value - plain(objective, &affinity, &s)).abs() < 1e-5);
            for (at, &found) in gradient.indexed_iter() {
                let (mut up, mut down) = (s.clone(), s.clone());
                up[at] += 1e-6;
                down[at] -= 1e-6;
                let slope = (plain(objective, &affinity, &up) - plain(objective, &affinity, &down)) / 2e-6;
                assert!((f64::from(found) - slope).abs() < 1e-5 * slope.abs().max(1.0), "{objective:?} {at:?}");
            }
        }
    }

    #[test]
    fn graphs_without_volume_have_a_loss() {
        let none = Affinity::Sparse(SparseAffinity::new(3, vec![], vec![]).unwrap());
        let loss = Loss::new(Objective::Ncut, Operator::new(&none, 0.0), 3);
        let (value, gradient) = loss.of(Array2::from_elem((3, 2), 0.5).view());
        assert!(value.is_finite() && gradient.iter().all(|g| g.is_finite()));
    }
}
