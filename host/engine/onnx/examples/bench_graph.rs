//! Times runs of an ONNX file: `bench_graph FILE [--threads N] [--runs N] [--batch N] [--size N]`.
//!
//! Prints one JSON object: milliseconds of wall clock and of processor time of each run, after one that is not counted.
//! Open dimensions are `--batch` at the front and `--size` elsewhere.

use std::error::Error;
use std::time::{Duration, Instant};

use mimus_onnx::{Data, Dimension, Graph, Tensor};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, default: usize| -> Result<usize, Box<dyn Error>> {
        match arguments.iter().position(|argument| argument == name) {
            Some(at) => Ok(arguments.get(at + 1).ok_or("a flag lacks its number")?.parse()?),
            None => Ok(default),
        }
    };
    let file = arguments.first().ok_or("usage: bench_graph FILE [--threads N] [--runs N] [--batch N] [--size N]")?;
    let (threads, runs) = (number("--threads", 1)?, number("--runs", 10)?);
    let (batch, size) = (number("--batch", 1)?, number("--size", 640)?);
    let start = Instant::now();
    let graph = Graph::load(&std::fs::read(file)?)?;
    let load_ms = milliseconds(start.elapsed());
    let inputs: Vec<(&str, Tensor)> = graph
        .inputs()
        .iter()
        .map(|port| {
            let sizes = port.shape.iter().enumerate().map(|(axis, dimension)| match dimension {
                Dimension::Fixed(size) => *size,
                Dimension::Symbolic(_) => {
                    if axis == 0 {
                        batch
                    } else {
                        size
                    }
                }
            });
            let shape: Vec<usize> = sizes.collect();
            let data = Data::F32(vec![0.5; shape.iter().product()]);
            (port.name.as_str(), Tensor { shape, data })
        })
        .collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let mut wall_ms = Vec::new();
    let mut cpu_ms = Vec::new();
    for run in 0..=runs {
        let inputs = inputs.clone();
        let (start, cpu) = (Instant::now(), processor_time()?);
        pool.install(|| graph.run(inputs))?;
        if run > 0 {
            wall_ms.push(milliseconds(start.elapsed()));
            cpu_ms.push(milliseconds(processor_time()? - cpu));
        }
    }
    let executor = graph.executor();
    if arguments.iter().any(|argument| argument == "--plain") {
        println!("{cpu_ms:?} {wall_ms:?}");
        return Ok(());
    }
    println!(
        "{{\"executor\": \"{executor}\", \"threads\": {threads}, \"load_ms\": {load_ms:.1}, \"wall_ms\": {wall_ms:.2?}, \"cpu_ms\": {cpu_ms:.2?}}}"
    );
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Processor time of all threads of this process: user and system, in ticks of a hundredth of a second.
fn processor_time() -> Result<Duration, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/schedstat")?;
    let own: u64 = stat.split_whitespace().next().ok_or("no times")?.parse()?;
    let mut total = 0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let stat = std::fs::read_to_string(task?.path().join("schedstat"))?;
        total += stat.split_whitespace().next().ok_or("no times")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(total.max(own)))
}
