//! Files with a few bytes changed.

use std::path::Path;

use super::*;
use crate::file;
use crate::general::guarded;

/// Loads and runs a damaged file; whether it got as far as a run.
fn survives(bytes: &[u8]) -> bool {
    let outcome = guarded(|| -> Result<bool, Error> {
        let model = file::read(bytes)?;
        let graph = model.graph.as_ref().ok_or_else(|| Error::malformed("no graph"))?;
        let (inputs, outputs) = (file::inputs(graph)?, file::outputs(graph)?);
        let network = Convolution::load(&model, graph, &inputs, &outputs)?;
        let shapes = inputs.iter().map(|port| trial_shape(port, 6)).collect::<Result<Vec<_>, _>>()?;
        let plan = Plan::make(&network.network, &shapes)?;
        let elements: usize = shapes.iter().flatten().product();
        // Large ones are not run: they only take time.
        if plan.memory > 1 << 22 || elements > 1 << 20 {
            return Ok(false);
        }
        let inputs = shapes.into_iter().map(|shape| {
            let data = Data::F32(vec![0.5; shape.iter().product()]);
            Tensor { shape, data }
        });
        network.run(inputs.collect()).map(|_| true)
    });
    outcome.flatten().unwrap_or(false)
}

#[test]
fn damaged_files_do_no_harm() {
    for name in ["convolutions", "transposed", "windows", "epilogues", "parts", "pictures", "halves"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let bytes = std::fs::read(folder.join(format!("{name}.onnx"))).expect("the graph is there");
        assert!(survives(&bytes), "{name}: the sound file runs");
        // The nodes come first in a file; after them are the weights, whose values do not matter here.
        let nodes = bytes.len().min(3000);
        let mut state = 12345u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let mut runs = 0;
        for _ in 0..300 {
            let mut damaged = bytes.clone();
            for _ in 0..=random(2) {
                // Small numbers are sizes, strides, axes and kinds more often than not.
                let at = random(nodes);
                damaged[at] = if random(2) == 0 { random(8) as u8 } else { random(256) as u8 };
            }
            runs += usize::from(survives(&damaged));
        }
        println!("{name}: {runs} of 300 damaged files still run");
    }
}
