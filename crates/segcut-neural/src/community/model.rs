//! A trained network → communities of any graph with the same attributes.

use super::attributes::{Columns, Reading, given};
use super::encoder::{Encoder, Pass};
use super::error::CommunityError;
use super::learner::{sizes, sparse};
use super::links::Links;
use super::modularity_moves::Moves;
use super::params::{CommunityAssign, CommunityLoss, CommunityParams};
use super::state::{put_encoder, take_encoder};
use super::streams::{Stream, stream};
use super::training::{Sample, largest};
use crate::model_file::{ModelError, ModelFile};
use ndarray::{Array2, ArrayView2};
use segcut_core::{Clusterer, Clustering, Context, Model, Partition, RegionGraph, StageError};

/// The kind of the model's file.
const KIND: &str = "community";

/// A network that [`Community`](super::Community) learned: edges and attributes → communities of nodes that it may
/// never have seen.
///
/// Attributes are read as in training, in the directions that were found there; the network gives every node its
/// community. Then nodes move as in training, toward larger modularity of the graph at hand and toward the
/// communities' mean attributes in training ([`CommunityParams::refine_sweeps`]` = 0`: the network alone). A number
/// means the same community in every graph; one without nodes keeps its number.
///
/// # Determinism
/// The seed draws the order of the moves; nothing else is left to chance.
#[derive(Debug, Clone, PartialEq)]
pub struct CommunityModel {
    pub(super) params: CommunityParams,
    pub(super) reading: Reading,
    pub(super) encoder: Encoder,
    /// k×R mean directions of the communities' rows.
    pub(super) centers: Array2<f32>,
    /// k×e centers of the embedding, where the nearest one gives the label.
    pub(super) groups: Option<Array2<f64>>,
}

impl CommunityModel {
    /// A model's bytes, as [`Model::save`] writes them, with the parameters that it was trained with.
    ///
    /// # Errors
    /// [`ModelError`] as [`StageError::Data`] where the file is damaged or of another model; refused parameters.
    pub fn load(params: CommunityParams, bytes: &[u8]) -> Result<Self, StageError> {
        params.check()?;
        Self::read(params, bytes).map_err(StageError::data)
    }

    fn read(params: CommunityParams, bytes: &[u8]) -> Result<Self, ModelError> {
        let file = ModelFile::read(KIND, bytes)?;
        let means = file.vector("means", None)?;
        let factors = file.vector("factors", Some(means.len()))?;
        let field = |(at, hops): (usize, usize)| {
            let found = file.matrix(&format!("field.{at}"), [Some(means.len()), None])?;
            Ok::<_, ModelError>((hops, found.mapv(|x| x as f32)))
        };
        let fields = params.reaches(false).into_iter().enumerate().map(field).collect::<Result<_, _>>()?;
        let reading = Reading { columns: Columns { means, factors }, fields };
        let centers = file.matrix("centers", [params.k.fixed(), Some(reading.width())])?.mapv(|x| x as f32);
        let sizes = sizes(&params, reading.width(), centers.nrows());
        let encoder = take_encoder(&file, params.encoder, &sizes)?;
        let embed = params.loss == CommunityLoss::Edge;
        let columns = if embed { params.embedding } else { sizes[sizes.len().saturating_sub(2).max(1)] };
        let groups = (embed || params.assign == CommunityAssign::Kmeans)
            .then(|| file.matrix("groups", [Some(centers.nrows()), Some(columns)]))
            .transpose()?;
        Ok(Self { params, reading, encoder, centers, groups })
    }

    /// Number of communities.
    pub fn k(&self) -> usize {
        self.centers.nrows()
    }

    fn embedding<'a>(&self, pass: &'a Pass) -> &'a Array2<f32> {
        if self.params.loss == CommunityLoss::Edge { &pass.out } else { pass.hidden() }
    }

    fn labels(&self, pass: &Pass) -> Vec<u32> {
        match &self.groups {
            Some(groups) => nearest(self.embedding(pass).view(), groups.view()),
            None => largest(pass.out.view()),
        }
    }
}

/// The nearest center of every row; the first among equals.
fn nearest(rows: ArrayView2<'_, f32>, centers: ArrayView2<'_, f64>) -> Vec<u32> {
    let label = |row: ndarray::ArrayView1<'_, f32>| {
        let distance = |center: ndarray::ArrayView1<'_, f64>| {
            center.iter().zip(&row).map(|(a, &b)| (a - f64::from(b)).powi(2)).sum::<f64>()
        };
        let all = (0u32..).zip(centers.rows()).map(|(at, center)| (distance(center), at));
        all.fold((f64::INFINITY, 0), |best, next| if next.0 < best.0 { next } else { best }).1
    };
    rows.rows().into_iter().map(label).collect()
}

impl Clusterer for CommunityModel {
    fn cluster(&self, graph: &RegionGraph, context: &Context) -> Result<Clustering, StageError> {
        let affinity = sparse(graph).map_err(StageError::data)?;
        let k = self.k();
        if graph.n() == 0 {
            return Ok(Clustering::converged(Partition::whole(0)));
        }
        let x = given(graph, &self.params.features).map_err(StageError::data)?;
        let x = x.ok_or_else(|| StageError::data(CommunityError::NoAttributes))?;
        let (wanted, found) = (self.reading.columns.means.len(), x.ncols());
        if wanted != found {
            return Err(StageError::data(ModelError::Features { wanted, found }));
        }
        let links = Links::of(affinity);
        let rows = self.reading.rows(&self.reading.columns.attributes(x), &links);
        let sample = Sample::new(&self.encoder, links, rows);
        let pass = sample.outputs(&self.encoder);
        let mut labels = self.labels(&pass);
        let (attributes, centers) = (self.params.refine_attributes, Some(self.centers.view()));
        let moves = Moves { links: sample.links(), rows: sample.rows(), attributes, k, centers };
        moves.run(&mut labels, self.params.refine_sweeps, &mut stream(context.seed, Stream::Moves));
        let mut clustering = Clustering::converged(Partition::new(labels, k).map_err(StageError::data)?);
        clustering.embedding = Some(self.embedding(&pass).mapv(f64::from));
        Ok(clustering)
    }
}

impl Model for CommunityModel {
    fn save(&self, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        let mut file = ModelFile::default();
        file.put_vector("means", self.reading.columns.means.view());
        file.put_vector("factors", self.reading.columns.factors.view());
        for (at, (_, directions)) in self.reading.fields.iter().enumerate() {
            file.put_matrix(format!("field.{at}"), directions.view());
        }
        put_encoder(&mut file, &self.encoder);
        file.put_matrix("centers", self.centers.view());
        if let Some(groups) = &self.groups {
            file.put_matrix("groups", groups.view());
        }
        file.write(KIND, out)
    }
}
