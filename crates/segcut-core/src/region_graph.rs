//! The narrow waist: nodes, their affinity, and what is known about them.

use crate::Affinity;
use thiserror::Error;

/// Why parts make no graph.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GraphError {
    /// A column has another number of rows than there are nodes.
    #[error("{what} has {found} rows for {n} nodes")]
    Nodes {
        /// The column.
        what: String,
        /// Its rows.
        found: usize,
        /// Nodes.
        n: usize,
    },
    /// A column has another number of rows than there are edges.
    #[error("{what} has {found} rows for {edges} edges")]
    Edges {
        /// The column.
        what: &'static str,
        /// Its rows.
        found: usize,
        /// Edges (0 for a Gram affinity).
        edges: usize,
    },
}

/// A named block of node features: n×dims, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureBlock {
    /// The feature map it was pooled from.
    pub name: String,
    /// Values per node.
    pub dims: usize,
    /// n·dims values.
    pub values: Vec<f32>,
    /// Bins of each histogram that a row holds one after the other (they sum to `dims`); empty for means.
    pub bins: Vec<usize>,
}

impl FeatureBlock {
    /// The values of one node.
    pub fn row(&self, node: usize) -> &[f32] {
        &self.values[node * self.dims..(node + 1) * self.dims]
    }
}

/// One value per edge, in the order of the affinity's edges.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EdgeColumns {
    /// Pixel pairs across the shared border; 0 where the regions do not touch.
    pub border_length: Option<Vec<f32>>,
    /// Mean contour strength along the shared border.
    pub boundary_strength: Option<Vec<f32>>,
    /// Distance of the two nodes' features.
    pub feature_distance: Option<Vec<f32>>,
}

/// Where the nodes lie in the image.
#[derive(Debug, Clone, PartialEq)]
pub struct Geometry {
    /// Image rows and columns.
    pub image_size: [usize; 2],
    /// Pixels per node.
    pub size: Vec<f64>,
    /// Mean (row, column) per node, in pixels.
    pub centroid: Vec<[f64; 2]>,
    /// Pixels of the node on the frame of the image, divided by the frame's length.
    pub border_share: Vec<f64>,
}

/// n nodes, their affinity, and optional columns. Points and edge lists have no geometry.
///
/// *Guarantees*: every column has n rows or one row per edge.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionGraph {
    affinity: Affinity,
    features: Vec<FeatureBlock>,
    edge_columns: EdgeColumns,
    geometry: Option<Geometry>,
}

impl RegionGraph {
    /// A graph with nothing but its affinity.
    pub fn new(affinity: Affinity) -> Self {
        Self { affinity, features: Vec::new(), edge_columns: EdgeColumns::default(), geometry: None }
    }

    /// The same graph with node features.
    ///
    /// # Errors
    /// [`GraphError::Nodes`].
    pub fn with_features(mut self, features: Vec<FeatureBlock>) -> Result<Self, GraphError> {
        for block in &features {
            let n = self.n();
            if block.values.len() != n * block.dims {
                let found = block.values.len() / block.dims.max(1);
                return Err(GraphError::Nodes { what: block.name.clone(), found, n });
            }
        }
        self.features = features;
        Ok(self)
    }

    /// The same graph with edge columns.
    ///
    /// # Errors
    /// [`GraphError::Edges`].
    pub fn with_edge_columns(mut self, columns: EdgeColumns) -> Result<Self, GraphError> {
        let edges = self.affinity.sparse().map_or(0, |s| s.edges().len());
        let all = [
            ("border_length", &columns.border_length),
            ("boundary_strength", &columns.boundary_strength),
            ("feature_distance", &columns.feature_distance),
        ];
        for (what, column) in all {
            let found = column.as_ref().map_or(edges, Vec::len);
            if found != edges {
                return Err(GraphError::Edges { what, found, edges });
            }
        }
        self.edge_columns = columns;
        Ok(self)
    }

    /// The same graph with the geometry of its nodes.
    ///
    /// # Errors
    /// [`GraphError::Nodes`].
    pub fn with_geometry(mut self, geometry: Geometry) -> Result<Self, GraphError> {
        let n = self.n();
        for found in [geometry.size.len(), geometry.centroid.len(), geometry.border_share.len()] {
            if found != n {
                return Err(GraphError::Nodes { what: "geometry".into(), found, n });
            }
        }
        self.geometry = Some(geometry);
        Ok(self)
    }

    /// Nodes.
    pub fn n(&self) -> usize {
        self.affinity.n()
    }

    /// The similarity of nodes.
    pub fn affinity(&self) -> &Affinity {
        &self.affinity
    }

    /// Node features, in the order of the recipe.
    pub fn features(&self) -> &[FeatureBlock] {
        &self.features
    }

    /// The node features of one name.
    pub fn feature(&self, name: &str) -> Option<&FeatureBlock> {
        self.features.iter().find(|block| block.name == name)
    }

    /// Columns per edge.
    pub fn edge_columns(&self) -> &EdgeColumns {
        &self.edge_columns
    }

    /// Where the nodes lie, for graphs that came from an image.
    pub fn geometry(&self) -> Option<&Geometry> {
        self.geometry.as_ref()
    }
}
