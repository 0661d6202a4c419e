//! Memberships → N-cut loss of MinCut pooling and its gradient.

use super::links::Links;
use super::objective::Terms;
use super::product::{times, turned_times};
use ndarray::{Array1, Array2, ArrayView2, Axis, Zip};

/// −tr(SᵀAS) / tr(SᵀDS) + `orthogonal`·‖SᵀS/‖SᵀS‖ − I/√k‖ in Frobenius norms (Bianchi et al. 2020, eq. 9).
pub(super) fn mincut(links: &Links, s: ArrayView2<'_, f32>, orthogonal: f64) -> (Terms, Array2<f32>) {
    let (cut, mut gradient) = cut(links, s);
    let (uneven, of_s) = orthogonality(s);
    gradient.scaled_add(orthogonal as f32, &of_s);
    (Terms { loss: cut + orthogonal * uneven, uneven, short: 0.0 }, gradient)
}

/// 0 on a graph without volume.
fn cut(links: &Links, s: ArrayView2<'_, f32>) -> (f64, Array2<f32>) {
    let weighted = &s * &Array1::from_vec(links.degrees.clone()).insert_axis(Axis(1));
    let volume = inner(s, weighted.view());
    if volume <= 0.0 {
        return (0.0, Array2::zeros(s.raw_dim()));
    }
    let mut gradient = links.apply(s);
    let inside = inner(s, gradient.view());
    let (outer, shared) = ((-2.0 / volume) as f32, (2.0 * inside / (volume * volume)) as f32);
    Zip::from(&mut gradient).and(&weighted).for_each(|g, &d| *g = outer * *g + shared * d);
    (-inside / volume, gradient)
}

fn orthogonality(s: ArrayView2<'_, f32>) -> (f64, Array2<f32>) {
    let k = s.ncols();
    let gram = turned_times(s, s).mapv(f64::from);
    let norm = gram.mapv(|x| x * x).sum().sqrt();
    if norm == 0.0 {
        return (0.0, Array2::zeros(s.raw_dim()));
    }
    let mut rest = &gram / norm;
    rest.diag_mut().mapv_inplace(|x| x - 1.0 / (k as f64).sqrt());
    let value = rest.mapv(|x| x * x).sum().sqrt();
    // At the minimum the norm has no derivative; 0 is a subgradient.
    if value < 1e-12 {
        return (value, Array2::zeros(s.raw_dim()));
    }
    let along = (&rest * &gram).sum() / (norm * norm);
    let slope = (&rest - &(&gram * along)) * (2.0 / (norm * value));
    (value, times(s, slope.mapv(|x| x as f32).view()))
}

/// Σ a·b in double precision.
pub(super) fn inner(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> f64 {
    Zip::from(a).and(b).fold(0.0, |sum, &x, &y| sum + f64::from(x) * f64::from(y))
}
