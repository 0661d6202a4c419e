//! Parameters of SpectralNet → whether they can be meant.

use super::assignment::Vectors;
use super::augmentation::AugmentationParams;
use super::autoencoder::AutoencoderParams;
use super::convolution::ConvolutionParams;
use super::network::GraphEncoderParams;
use super::params::{Similarity, SpectralNetParams};
use super::siamese::SiameseParams;
use segcut_core::StageError;
use std::fmt::Display;

/// The largest number of times that features are averaged.
const MOST_HOPS: usize = 64;

impl SpectralNetParams {
    pub(crate) fn check(&self) -> Result<(), StageError> {
        self.check_counts()?;
        self.check_factors()?;
        self.check_choices()?;
        self.autoencoder.as_ref().map_or(Ok(()), AutoencoderParams::check)?;
        self.siamese.as_ref().map_or(Ok(()), SiameseParams::check)?;
        self.check_encoders()?;
        self.merge.check()
    }

    fn check_encoders(&self) -> Result<(), StageError> {
        self.convolution.as_ref().map_or(Ok(()), ConvolutionParams::check)?;
        self.graph_encoder.as_ref().map_or(Ok(()), GraphEncoderParams::check)?;
        self.augmentation.as_ref().map_or(Ok(()), AugmentationParams::check)?;
        if let Some(shape) = self.shape.filter(|shape| shape.contains(&0)) {
            return refuse("cluster.shape", &format!("{shape:?}"), "height, width and channels, each at least 1");
        }
        let pictures = self.augmentation.as_ref().is_some_and(AugmentationParams::reads_pictures);
        if self.autoencoder.is_some() && (self.convolution.is_some() || pictures) {
            return refuse("cluster.autoencoder", &"(given)", "absent where rows are pictures: its codes are none");
        }
        if self.graph_encoder.is_none() {
            return Ok(());
        }
        if self.convolution.is_some() {
            return refuse("cluster.graph_encoder", &"(given)", "absent beside cluster.convolution");
        }
        if self.batch_neighbors() {
            return refuse("cluster.graph_encoder", &"(given)", "absent where neighbours are found within batches");
        }
        Ok(())
    }

    fn check_counts(&self) -> Result<(), StageError> {
        let least_one = [
            ("cluster.k", self.k.fixed().unwrap_or(1)),
            ("cluster.k_max", self.k_max),
            ("cluster.dims", self.dims.unwrap_or(1)),
            ("cluster.epochs", self.epochs),
            ("cluster.batch", self.batch),
            ("cluster.neighbors.n_neighbors", self.neighbors.n_neighbors),
            ("cluster.patience", self.patience),
            ("cluster.n_init", self.n_init),
        ];
        let hidden = self.hidden.iter().flatten().map(|&size| ("cluster.hidden", size));
        match least_one.into_iter().chain(hidden).find(|(_, value)| *value == 0) {
            Some((name, value)) => refuse(name, &value, "at least 1"),
            None => Ok(()),
        }
    }

    fn check_factors(&self) -> Result<(), StageError> {
        let positive = [
            ("cluster.learning_rate", self.learning_rate.unwrap_or(1.0)),
            ("cluster.neighbors.sigma", self.neighbors.sigma),
        ];
        let sigmas = self.neighbors.sigmas.iter().map(|&sigma| ("cluster.neighbors.sigmas", sigma));
        let mut positive = positive.into_iter().chain(sigmas);
        if let Some((name, value)) = positive.find(|(_, value)| !(value.is_finite() && *value > 0.0)) {
            return refuse(name, &value, "finite and above 0");
        }
        let least_zero = [
            ("cluster.penalty", self.penalty),
            ("cluster.variance", self.variance),
            ("cluster.least_rate", self.least_rate),
            ("cluster.ridge", self.ridge),
        ];
        match least_zero.into_iter().find(|(_, value)| !(value.is_finite() && *value >= 0.0)) {
            Some((name, value)) => refuse(name, &value, "finite and at least 0"),
            None => Ok(()),
        }
    }

    fn check_choices(&self) -> Result<(), StageError> {
        if !(self.decay > 0.0 && self.decay < 1.0) {
            return refuse("cluster.decay", &self.decay, "between 0 and 1");
        }
        if !(0.0..=0.5).contains(&self.validation) {
            return refuse("cluster.validation", &self.validation, "from 0 to 0.5");
        }
        if self.hops.is_empty() || self.hops.iter().any(|&hops| hops > MOST_HOPS) {
            return refuse("cluster.hops", &format!("{:?}", self.hops), "numbers from 0 to 64, at least one");
        }
        if self.vectors == Vectors::Graph && self.assign.reads_centers() {
            return refuse(
                "cluster.vectors",
                &"graph",
                "\"model\" where centers are stored: set cluster.assign to another",
            );
        }
        if self.siamese.is_some() && self.similarity == Similarity::Graph {
            return refuse("cluster.similarity", &"graph", "another one beside cluster.siamese");
        }
        Ok(())
    }
}

fn refuse(name: &'static str, value: &dyn Display, must: &'static str) -> Result<(), StageError> {
    Err(StageError::parameter(name, value, must))
}
