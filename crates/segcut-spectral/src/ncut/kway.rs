//! All clusters at once: eigenvectors of each component, then an assignment of their rows.

use super::{AutoK, Ncut, eigengap};
use crate::assign::Assign;
use crate::eigen::{Certificate, Spectrum, smallest};
use crate::pencil::Pencil;
use ndarray::Array2;
use segcut_core::{ClusterCount, Clustering, Context, Note, Partition, StageError};

impl Ncut {
    pub(super) fn kway(&self, pencil: &Pencil, context: &Context) -> Result<Clustering, StageError> {
        let (spectrum, k) = self.spectrum(pencil, context)?;
        let labels = if k < spectrum.components.len() {
            pack_components(pencil, &spectrum.components, k)
        } else {
            self.assign_components(pencil, &spectrum, k, context.seed)
        };
        let partition = Partition::compact(&labels);
        let notes = self.notes(&spectrum, partition.k());
        let width = spectrum.values.len().min(k);
        Ok(Clustering {
            partition,
            status: spectrum.status,
            notes,
            soft: None,
            embedding: Some(spectrum.vectors.slice(ndarray::s![.., ..width]).to_owned()),
            eigenvalues: Some(spectrum.values),
            tree: None,
            steps: Vec::new(),
            losses: Vec::new(),
        })
    }

    /// The eigenvectors, and the number of clusters that they are for.
    fn spectrum(&self, pencil: &Pencil, context: &Context) -> Result<(Spectrum, usize), StageError> {
        let (n, p) = (pencil.n(), &self.params);
        let asked = match p.k {
            ClusterCount::Auto => (p.k_max + 1).max(pencil.resolved_components().len() + 1),
            ClusterCount::Fixed(k) => k.saturating_add(p.extra_vectors).saturating_add(p.spare_values),
        };
        let spectrum = smallest(pencil, &self.eigen_params(asked.min(n)), context)?;
        let k = match p.k {
            ClusterCount::Auto => self.choose(&spectrum, n),
            ClusterCount::Fixed(k) => k.saturating_add(p.extra_vectors).min(n),
        };
        Ok((spectrum, k))
    }

    fn choose(&self, spectrum: &Spectrum, n: usize) -> usize {
        let p = &self.params;
        let low = p.k_min.max(spectrum.components.len()).min(n);
        let high = p.k_max.max(low).min(n);
        match p.auto {
            AutoK::Eigengap => eigengap(&spectrum.values, low, high),
            AutoK::NcutThreshold => spectrum.values.partition_point(|&v| v < p.threshold).clamp(low, high),
        }
    }

    pub(super) fn notes(&self, spectrum: &Spectrum, made: usize) -> Vec<Note> {
        let mut notes = Vec::new();
        match self.params.k {
            ClusterCount::Auto => notes.push(Note::KChosen(made)),
            ClusterCount::Fixed(asked) if made < asked => notes.push(Note::KReduced { asked, made }),
            ClusterCount::Fixed(_) => {}
        }
        if spectrum.components.len() > 1 {
            notes.push(Note::Components(spectrum.components.len()));
        }
        if self.params.certify && spectrum.certificate != Certificate::Complete {
            notes.push(Note::NotCertified);
        }
        notes
    }

    /// Each component into as many clusters as it has values among the k smallest.
    fn assign_components(&self, pencil: &Pencil, spectrum: &Spectrum, k: usize, seed: u64) -> Vec<u32> {
        let mut labels = vec![0u32; pencil.n()];
        let mut next = 0;
        for (index, nodes) in spectrum.components.iter().enumerate() {
            let columns: Vec<usize> = (0..k).filter(|&j| spectrum.component[j] == index).collect();
            let rows = Array2::from_shape_fn((nodes.len(), columns.len()), |(i, j)| {
                spectrum.vectors[[nodes[i] as usize, columns[j]]]
            });
            let needs_graph = matches!(self.params.assign, Assign::Threshold | Assign::Discretize);
            let own = if needs_graph && spectrum.components.len() > 1 {
                let part = pencil.induced(nodes, &mut vec![u32::MAX; pencil.n()]);
                self.params.assign.labels(&part, rows.view(), seed)
            } else {
                self.params.assign.labels(pencil, rows.view(), seed)
            };
            for (&node, label) in nodes.iter().zip(own) {
                labels[node as usize] = next + label;
            }
            next += columns.len().max(1) as u32;
        }
        labels
    }
}

/// Fewer clusters than components: the largest volumes get a cluster each, the rest fill the smallest cluster.
pub(super) fn pack_components(pencil: &Pencil, components: &[Vec<u32>], k: usize) -> Vec<u32> {
    let volume = |nodes: &Vec<u32>| nodes.iter().map(|&i| pencil.degree(i as usize)).sum::<f64>();
    let mut order: Vec<(f64, usize)> = components.iter().map(volume).zip(0..).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then(components[b.1].len().cmp(&components[a.1].len())));
    let mut labels = vec![0; pencil.n()];
    let mut filled: Vec<(f64, usize)> = Vec::new();
    for (volume, component) in order {
        let size = components[component].len();
        let cluster = if filled.len() < k {
            filled.push((0.0, 0));
            filled.len() - 1
        } else {
            let least = filled.iter().enumerate().min_by(|a, b| a.1.0.total_cmp(&b.1.0).then(a.1.1.cmp(&b.1.1)));
            least.map_or(0, |(cluster, _)| cluster)
        };
        filled[cluster].0 += volume;
        filled[cluster].1 += size;
        for &node in &components[component] {
            labels[node as usize] = cluster as u32;
        }
    }
    labels
}
