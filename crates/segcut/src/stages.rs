//! The stages of segcut under the names that recipes use.

use crate::{Registry, two_step};
use segcut_features::{Color, Contour, HalfDisc, Histogram, Palette, Position, Texture, TextureParams};
use segcut_graph::{Correlation, Gradient, Pmi, Rag, RankingGraph};
use segcut_multicut::{Each, Leiden, Merge, Multicut, Threshold};
use segcut_neural::DeepCut;
use segcut_refine::{Components, Corners, Foreground, GrabCut, MergeSmall, Morphology};
use segcut_spectral::{ManifoldRanking, Ncut, NodeKMeans, OneSpectral, PSpectral, RobustBackground, SpectralContour};
use segcut_superpixel::{Etps, Grid, Slic, Snic, Watershed};
use segcut_vit::Vit;

impl Registry {
    /// A registry that knows every stage of segcut.
    pub fn standard() -> Self {
        let mut registry = Self::new();
        registry.register_superpixels("etps", Etps::new);
        registry.register_superpixels("grid", Grid::new);
        registry.register_superpixels("slic", Slic::new);
        registry.register_superpixels("watershed", Watershed::new);
        registry.register_superpixels("snic", Snic::new);
        registry.register_features("color", |params| Ok(Color::new(params)));
        registry.register_features("contour", Contour::new);
        registry.register_features("half_disc", HalfDisc::new);
        registry.register_features("histogram", Histogram::new);
        registry.register_features("palette", Palette::new);
        registry.register_features("position", |params| Ok(Position::new(params)));
        registry.register_features("spectral_contour", SpectralContour::new);
        registry.register_features("texture", |params: TextureParams| Texture::new(&params));
        registry.register_features("vit", Vit::open);
        registry.register_graph("correlation", Correlation::new);
        registry.register_graph("gradient", Gradient::new);
        registry.register_graph("pmi", Pmi::new);
        registry.register_graph("rag", Rag::new);
        registry.register_graph("ranking", RankingGraph::new);
        registry.register_cluster("deepcut", DeepCut::new);
        registry.register_cluster("each", Each::new);
        registry.register_cluster("kmeans", NodeKMeans::new);
        registry.register_cluster("leiden", Leiden::new);
        registry.register_cluster("manifold_ranking", ManifoldRanking::new);
        registry.register_cluster("merge", Merge::new);
        registry.register_cluster("multicut", Multicut::new);
        registry.register_cluster("ncut", Ncut::new);
        registry.register_cluster("onespectral", OneSpectral::new);
        registry.register_cluster("pspectral", PSpectral::new);
        registry.register_cluster("robust_background", RobustBackground::new);
        registry.register_cluster("threshold", Threshold::new);
        registry.register_nested_cluster("two_step", two_step::build);
        registry.register_refine("components", Components::new);
        registry.register_refine("corners", Corners::new);
        registry.register_refine("foreground", Foreground::new);
        registry.register_refine("grab_cut", GrabCut::new);
        registry.register_refine("merge_small", MergeSmall::new);
        registry.register_refine("morphology", Morphology::new);
        registry
    }
}
