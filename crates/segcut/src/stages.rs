//! The stages of segcut under the names that recipes use.

use crate::{Registry, TwoStep, WarmStart};
use segcut_features::{Color, Contour, Detail, HalfDisc, Histogram, Palette, Patch, Position, Texture, TextureParams};
use segcut_graph::{Correlation, Cosine, Gradient, Pmi, Rag, RankingGraph};
use segcut_multicut::{Each, Leiden, Merge, Multicut, Threshold};
use segcut_neural::{Community, CommunityModel, DeepCut, DeepCutModel, SpectralNet, SpectralNetModel};
use segcut_refine::{
    BilateralSolver, Components, Corners, DenseCrf, Foreground, GrabCut, Guided, KeepComponent, MergeSmall, Morphology,
    SeedComponent,
};
use segcut_spectral::{ManifoldRanking, Ncut, NodeKMeans, OneSpectral, PSpectral, RobustBackground, SpectralContour};
use segcut_superpixel::{Etps, Grid, Slic, Snic, Watershed};
use segcut_vit::{UnopenedVit, Vit, VitParams};

impl Registry {
    /// A registry that knows every stage of segcut; extractors open the weight files that their recipe names.
    pub fn standard() -> Self {
        let mut registry = Self::without_weights();
        registry.register_resolved_features("vit", |params: VitParams| {
            let vit = Vit::open(params)?;
            let resolved = vit.params().clone();
            Ok((vit, resolved))
        });
        registry
    }

    /// A registry that knows every stage of segcut and opens no weights: to check recipes, or for a
    /// [`with_extractor`](crate::Pipeline::with_extractor) in place of the one that needs them. An extractor without
    /// its weights refuses to extract.
    pub fn without_weights() -> Self {
        let mut registry = Self::new();
        registry.register_features("vit", UnopenedVit::new);
        registry.register_superpixels("etps", Etps::new);
        registry.register_superpixels("grid", Grid::new);
        registry.register_superpixels("slic", Slic::new);
        registry.register_superpixels("watershed", Watershed::new);
        registry.register_superpixels("snic", Snic::new);
        registry.register_features("color", |params| Ok(Color::new(params)));
        registry.register_features("contour", Contour::new);
        registry.register_features("detail", Detail::new);
        registry.register_features("half_disc", HalfDisc::new);
        registry.register_features("histogram", Histogram::new);
        registry.register_features("palette", Palette::new);
        registry.register_features("patch", Patch::new);
        registry.register_features("position", |params| Ok(Position::new(params)));
        registry.register_features("spectral_contour", SpectralContour::new);
        registry.register_features("texture", |params: TextureParams| Texture::new(&params));
        registry.register_graph("correlation", Correlation::new);
        registry.register_graph("cosine", Cosine::new);
        registry.register_graph("gradient", Gradient::new);
        registry.register_graph("pmi", Pmi::new);
        registry.register_graph("rag", Rag::new);
        registry.register_graph("ranking", RankingGraph::new);
        registry.register_cluster("community", Community::new);
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
        registry.register_cluster("spectralnet", SpectralNet::new);
        registry.register_cluster("threshold", Threshold::new);
        registry.register_learner("community", Community::new, CommunityModel::load);
        registry.register_learner("deepcut", DeepCut::new, DeepCutModel::load);
        registry.register_learner("spectralnet", SpectralNet::new, SpectralNetModel::load);
        registry.register_pair("two_step", ["first", "second"], |params, [first, second]| {
            TwoStep::new(params, first, second)
        });
        registry.register_pair("warm_start", ["first", "then"], |params, [first, then]| {
            WarmStart::new(params, first, then)
        });
        registry.register_refine("bilateral_solver", BilateralSolver::new);
        registry.register_refine("components", Components::new);
        registry.register_refine("corners", Corners::new);
        registry.register_refine("dense_crf", DenseCrf::new);
        registry.register_refine("foreground", Foreground::new);
        registry.register_refine("grab_cut", GrabCut::new);
        registry.register_refine("guided", Guided::new);
        registry.register_refine("keep_component", KeepComponent::new);
        registry.register_refine("merge_small", MergeSmall::new);
        registry.register_refine("morphology", Morphology::new);
        registry.register_refine("seed_component", SeedComponent::new);
        registry
    }
}
