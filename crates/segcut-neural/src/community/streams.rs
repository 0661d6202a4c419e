//! A seed → random numbers, a stream of them per purpose, so that none depends on how much another draws.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What numbers are drawn for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    /// Receptive fields.
    Fields,
    /// The number of communities.
    Count,
    /// Weights of the network.
    Network,
    /// Moves of the start.
    Start,
    /// Dropout while the start is learned.
    WarmUp,
    /// Moves between communities.
    Moves,
    /// Edges that are held out.
    HeldOut,
    /// Dropout and mini-batches of one epoch.
    Epoch(u64),
}

/// The numbers of a purpose.
pub(super) fn stream(seed: u64, purpose: Stream) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(match purpose {
        Stream::Fields => 1,
        Stream::Count => 2,
        Stream::Network => 3,
        Stream::WarmUp => 4,
        Stream::Moves => 5,
        Stream::Start => 6,
        Stream::HeldOut => 7,
        Stream::Epoch(epoch) => epoch.wrapping_add(16),
    });
    random
}
