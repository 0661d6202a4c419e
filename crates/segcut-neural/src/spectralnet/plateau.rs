//! Losses → learning rates that fall on a plateau.

/// When the rate falls, and when it is low enough to end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PlateauRule {
    /// Factor of the rate.
    pub(crate) decay: f64,
    /// Epochs without a lower loss.
    pub(crate) patience: usize,
    /// Rate at which training ends.
    pub(crate) least_rate: f64,
}

/// The rate, the lowest loss, and the epochs since: PyTorch's `ReduceLROnPlateau` with its threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Plateau {
    pub(crate) rate: f64,
    pub(crate) best: f64,
    pub(crate) waited: usize,
}

impl Plateau {
    pub(crate) fn new(rate: f64) -> Self {
        Self { rate, best: f64::INFINITY, waited: 0 }
    }

    /// Lowers the rate after `patience` epochs without a lower loss; whether training ends.
    pub(crate) fn ends(&mut self, loss: f64, rule: PlateauRule) -> bool {
        if loss < self.best * (1.0 - 1e-4) {
            (self.best, self.waited) = (loss, 0);
            return false;
        }
        self.waited += 1;
        if self.waited > rule.patience {
            (self.rate, self.waited) = (self.rate * rule.decay, 0);
        }
        self.rate <= rule.least_rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_falls_after_waiting_and_ends() {
        let rule = PlateauRule { decay: 0.1, patience: 1, least_rate: 0.05 };
        let mut plateau = Plateau::new(1.0);
        let told = [3.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0].map(|loss| (plateau.ends(loss, rule), plateau.rate));
        let rates = told.map(|t| t.1);
        assert_eq!(rates, [1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.1 * 0.1]);
        assert_eq!(told.map(|t| t.0), [false, false, false, false, false, false, true]);
    }
}
