//! Unfinished training ↔ bytes.

use super::error::SpectralNetError;
use super::network::Network;
use super::perceptron::Layer;
use super::plateau::Plateau;
use super::training::Training;
use crate::model_file::{ModelError, ModelFile};
use ndarray::{ArrayView1, array};
use segcut_core::StageError;

/// The kind of the file, so that it is never taken for a model.
const KIND: &str = "spectralnet_training";

/// Layers as `NAME.N.weight` and `NAME.N.bias`.
pub(crate) fn put_layers(file: &mut ModelFile, name: &str, layers: &[Layer]) {
    for (at, layer) in layers.iter().enumerate() {
        file.put_matrix(format!("{name}.{at}.weight"), layer.matrix.view());
        file.put_vector(format!("{name}.{at}.bias"), layer.bias.view());
    }
}

/// The layers of a network with these inputs and outputs.
pub(crate) fn take_layers(file: &ModelFile, name: &str, sides: Vec<[usize; 2]>) -> Result<Vec<Layer>, ModelError> {
    let layer = |(at, [inputs, outputs]): (usize, [usize; 2])| {
        let matrix = file.matrix(&format!("{name}.{at}.weight"), [Some(inputs), Some(outputs)])?;
        let bias = file.vector(&format!("{name}.{at}.bias"), Some(outputs))?;
        Ok(Layer { matrix: matrix.mapv(|x| x as f32), bias: bias.mapv(|x| x as f32) })
    };
    sides.into_iter().enumerate().map(layer).collect()
}

/// Network, optimiser and losses as bytes.
pub(crate) fn write(training: &Training<'_>) -> Result<Vec<u8>, StageError> {
    let mut file = ModelFile::default();
    training.network.put(&mut file);
    let (steps, mean, square) = training.adam.state();
    file.put_vector("adam.mean", ArrayView1::from(mean));
    file.put_vector("adam.square", ArrayView1::from(square));
    file.put_vector("losses", ArrayView1::from(&training.losses[..]));
    let Plateau { rate, best, waited } = training.plateau;
    let best = if best.is_finite() { best } else { f64::MAX };
    let numbers = array![f64::from(steps), rate, best, waited as f64];
    file.put_vector("numbers", numbers.view());
    file.to_bytes(KIND).map_err(StageError::data)
}

/// Goes on from bytes that [`write`] made of training with the same parameters and inputs.
pub(crate) fn read(training: &mut Training<'_>, inputs: usize, bytes: &[u8]) -> Result<(), StageError> {
    let unfit = || StageError::data(SpectralNetError::State);
    let file = ModelFile::read(KIND, bytes).map_err(StageError::data)?;
    training.network = Network::take(training.params, inputs, &file).map_err(|_| unfit())?;
    let vector = |name: &str| file.vector(name, None).map_err(|_| unfit());
    let narrow = |name: &str| vector(name).map(|values| values.mapv(|x| x as f32).to_vec());
    let numbers = vector("numbers")?.to_vec();
    let [steps, rate, best, waited] = numbers[..] else { return Err(unfit()) };
    if !training.adam.restore(steps as i32, narrow("adam.mean")?, narrow("adam.square")?) {
        return Err(unfit());
    }
    training.losses = vector("losses")?.to_vec();
    training.plateau = Plateau { rate, best, waited: waited as usize };
    Ok(())
}
