//! A network and its unfinished training ↔ named arrays.

use super::encoder::Encoder;
use super::error::CommunityError;
use super::params::EncoderKind;
use super::training::Training;
use crate::model_file::{ModelError, ModelFile};
use ndarray::{ArrayView1, array};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use segcut_core::StageError;

/// The kind of the file, so that it is never taken for a model.
const KIND: &str = "community_training";

/// What was kept of training that was stopped.
#[derive(Debug)]
pub(super) struct Kept {
    file: ModelFile,
    /// Communities.
    pub(super) k: usize,
}

pub(crate) fn put_encoder(file: &mut ModelFile, encoder: &Encoder) {
    encoder.matrices().for_each(|(name, matrix)| file.put_matrix(name, matrix));
}

/// The network of these sizes.
pub(crate) fn take_encoder(file: &ModelFile, kind: EncoderKind, sizes: &[usize]) -> Result<Encoder, ModelError> {
    let mut encoder = Encoder::draw(kind, sizes, &mut ChaCha8Rng::seed_from_u64(0));
    for (name, mut place) in encoder.matrices_mut() {
        let found = file.matrix(&name, [Some(place.nrows()), Some(place.ncols())])?;
        place.assign(&found.mapv(|x| x as f32));
    }
    Ok(encoder)
}

/// Network, optimiser, losses and scores as bytes.
pub(super) fn write(training: &Training<'_>, k: usize) -> Result<Vec<u8>, StageError> {
    let mut file = ModelFile::default();
    put_encoder(&mut file, &training.encoder);
    let (steps, mean, square) = training.adam.state();
    file.put_vector("adam.mean", ArrayView1::from(mean));
    file.put_vector("adam.square", ArrayView1::from(square));
    file.put_vector("losses", ArrayView1::from(&training.losses[..]));
    file.put_vector("scores", ArrayView1::from(&training.scores[..]));
    file.put_vector("numbers", array![f64::from(steps), k as f64].view());
    file.to_bytes(KIND).map_err(StageError::data)
}

impl Kept {
    /// The bytes that [`write`] made.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, StageError> {
        let file = ModelFile::read(KIND, bytes).map_err(StageError::data)?;
        let numbers = file.vector("numbers", Some(2)).map_err(StageError::data)?;
        Ok(Self { k: numbers[1] as usize, file })
    }

    /// Goes on with training of the same parameters and rows.
    pub(super) fn restore(&self, training: &mut Training<'_>, sizes: &[usize]) -> Result<(), StageError> {
        let unfit = || StageError::data(CommunityError::State);
        let vector = |name: &str| self.file.vector(name, None).map_err(|_| unfit());
        let narrow = |name: &str| vector(name).map(|values| values.mapv(|x| x as f32).to_vec());
        training.encoder = take_encoder(&self.file, training.params.encoder, sizes).map_err(|_| unfit())?;
        let steps = vector("numbers")?[0] as i32;
        if !training.adam.restore(steps, narrow("adam.mean")?, narrow("adam.square")?) {
            return Err(unfit());
        }
        training.losses = vector("losses")?.to_vec();
        training.scores = vector("scores")?.to_vec();
        Ok(())
    }
}
