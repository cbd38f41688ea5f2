//! Throw-away.
use mimus_engine::*;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let threads: usize = args[3].parse().unwrap();
    let options = LoadOptions { threads: Some(threads), ..LoadOptions::default() };
    let t = std::time::Instant::now();
    let path = std::path::PathBuf::from(&args[2]);
    let source = if path.is_file() { Source::Gguf(path) } else { Source::Folder(path) };
    let model = load(source, &options, &|_| {}).unwrap();
    println!("loaded in {:?}: {:?}", t.elapsed(), ModelInfo { chat_template: None, ..model.info().clone() });
    if args[1] == "bench" {
        let prompt: u32 = args.get(4).map_or(128, |v| v.parse().unwrap());
        let output: u32 = args.get(5).map_or(128, |v| v.parse().unwrap());
        for streams in [1, 4, 16] {
            for _ in 0..3 {
                let cpu = cpu_seconds();
                let m =
                    bench::measure(&*model, bench::Workload { streams, prompt_tokens: prompt, output_tokens: output })
                        .unwrap();
                println!("{streams} streams: {m:?} cpu {:.3}", cpu_seconds() - cpu);
            }
        }
        // CPU time alone: prefill, then decode.
        for streams in [1usize, 16] {
            let cpu = cpu_seconds();
            let n = 20;
            for _ in 0..n {
                bench::measure(&*model, bench::Workload { streams, prompt_tokens: prompt, output_tokens: 2 }).unwrap();
            }
            let a = cpu_seconds() - cpu;
            let cpu = cpu_seconds();
            for _ in 0..n {
                bench::measure(&*model, bench::Workload { streams, prompt_tokens: prompt, output_tokens: 2 + output })
                    .unwrap();
            }
            let b = cpu_seconds() - cpu;
            println!(
                "{streams} streams, per CPU second: prefill {:.0} tok, decode {:.0} tok",
                (n * streams) as f64 * prompt as f64 / a,
                (n * streams) as f64 * output as f64 / (b - a)
            );
        }
        return;
    }
    let prompts: Vec<String> = serde_json::from_slice(&std::fs::read("/tmp/work/prompts.json").unwrap()).unwrap();
    let mut out = vec![];
    for p in &prompts {
        let mut r = GenerateRequest::new(model.tokenizer().encode(p, false).unwrap());
        r.tokens_max = Some(64);
        r.return_tokens = true;
        let mut ids: Vec<u32> = vec![];
        let mut text = String::new();
        let mut g = model.submit(r).unwrap();
        while let Some(p) = g.next_blocking() {
            let p = p.unwrap();
            text += &p.text;
            ids.extend(p.tokens.iter().map(|t| t.id));
        }
        out.push(serde_json::json!({"ids": ids, "text": text}));
    }
    std::fs::write("/tmp/work/ours.json", serde_json::to_vec(&out).unwrap()).unwrap();
}
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0
}
