//! The settings of criterion that the benches share.

use std::time::Duration;

use criterion::Criterion;

/// Short measurements, because there are many.
pub(crate) fn config() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}
