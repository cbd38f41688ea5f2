use super::*;
use crate::registry::{Kind, file};

const GB: u64 = 1_000_000_000;

fn family() -> Family {
    let text = r#"
        [[family]]
        name = "example"
        architecture = "example"
        [[family.weights]]
        size = "0.5"
        format = "safetensors"
        hub_id = "a/small"
        [[family.weights]]
        size = "7"
        format = "safetensors"
        hub_id = "a/middle"
        [[family.weights]]
        size = "70"
        format = "safetensors"
        hub_id = "a/large"
        [[family.weights]]
        size = "0.5"
        format = "gguf"
        quantizations = ["q8_0", "fp16"]
        hub_id = "a/small-gguf"
        file = "small-{quantization}.gguf"
        [[family.weights]]
        size = "7"
        format = "gguf"
        quantizations = ["Q2_K", "Q4_K_M", "Q8_0"]
        hub_id = "a/middle-gguf"
        file = "middle-{quantization}.gguf"
        [[family.weights]]
        size = "7"
        format = "gptq"
        quantizations = ["Int4"]
        hub_id = "a/middle-gptq"
    "#;
    parsed(text)
}

fn parsed(text: &str) -> Family {
    file::parse(text, "test.toml", std::path::Path::new("/models")).expect("good").remove(0)
}

fn machine(free: u64) -> Machine {
    Machine { processors: 8, processor_load: 0.0, memory_bytes: free, memory_bytes_free: free, has_gpu: false }
}

fn wish(size: &str, format: &str, quantization: &str) -> Wish {
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Wish { size: said(size), format: said(format), quantization: said(quantization) }
}

fn no_gptq(_: &str, format: &str, _: &str) -> Result<(), String> {
    if format == "gptq" { Err("weights in gptq cannot be run".into()) } else { Ok(()) }
}

fn nothing_cached(_: &Weights, _: &str) -> bool {
    false
}

/// What is chosen, as `<size> <format> <quantization>`, or the error's text.
fn chosen(family: &Family, wish: &Wish, machine: &Machine, cached: &dyn Fn(&Weights, &str) -> bool) -> String {
    match choose(family, wish, machine, &no_gptq, cached) {
        Ok(choice) => {
            let weights = &family.weights[choice.weights];
            assert!(weights.quantizations.contains(&choice.quantization));
            format!("{} {} {}", weights.size.as_deref().unwrap_or("-"), weights.format, choice.quantization)
        }
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn check(wish: &Wish, machine: &Machine, expect: &str) {
    assert_eq!(chosen(&family(), wish, machine, &nothing_cached), expect, "{wish:?}");
}

#[test]
fn without_a_wish_the_machine_decides() {
    for (free, expect) in [
        (200 * GB, "7 gguf Q8_0"),
        (12 * GB, "7 gguf Q8_0"),
        (8 * GB, "7 gguf Q4_K_M"),
        // Q2_K would fit with room to spare; a smaller model in good quality is better.
        (5 * GB, "0.5 safetensors none"),
        (2 * GB, "0.5 safetensors none"),
        (GB, "0.5 gguf q8_0"),
        (GB / 2, "it needs 867 MB of memory, and 500 MB are free"),
    ] {
        check(&Wish::default(), &machine(free), expect);
    }
}

#[test]
fn a_gpu_takes_safetensors() {
    let gpu = |free| Machine { has_gpu: true, ..machine(free) };
    check(&Wish::default(), &gpu(80 * GB), "7 safetensors none");
    check(&Wish::default(), &gpu(12 * GB), "7 gguf Q8_0");
    check(&wish("70", "", ""), &gpu(400 * GB), "70 safetensors none");
}

#[test]
fn what_is_asked_for_is_followed() {
    let large = machine(400 * GB);
    for (wish, expect) in [
        (wish("70", "", ""), "70 safetensors none"),
        (wish("7.0", "", ""), "7 gguf Q8_0"),
        (wish("0_5", "", ""), "0.5 safetensors none"),
        (wish("7b", "pytorch", ""), "7 safetensors none"),
        (wish("", "ggufv2", ""), "7 gguf Q8_0"),
        (wish("", "ggmlv3", "q2_k"), "7 gguf Q2_K"),
        (wish("", "", "FP16"), "0.5 gguf fp16"),
        (wish("7", "", "none"), "7 safetensors none"),
        (wish("7", "", "NULL"), "7 gguf Q8_0"),
        // Plain weights of this format do not exist: `none` asks for nothing.
        (wish("7", "gguf", "none"), "7 gguf Q8_0"),
        (wish("null", "null", "null"), "7 gguf Q8_0"),
    ] {
        check(&wish, &large, expect);
    }
    check(&wish("7", "", "q2_k"), &machine(4 * GB), "7 gguf Q2_K");
}

#[test]
fn what_is_asked_for_is_refused_where_it_cannot_be() {
    let large = machine(400 * GB);
    let all = "safetensors of 0.5B, 7B, 70B; gguf of 0.5B, 7B (q8_0, fp16, Q2_K, Q4_K_M, Q8_0); gptq of 7B (Int4)";
    for (wish, asked) in [
        (wish("9", "", ""), "of 9B"),
        (wish("huge", "", ""), "of huge"),
        (wish("", "awq", ""), "in awq"),
        (wish("70", "gguf", "q4_0"), "of 70B in gguf q4_0"),
        (wish("7", "", "q5_0"), "of 7B in q5_0"),
    ] {
        check(&wish, &large, &format!("there are no weights {asked}; there are {all}"));
    }
    check(&wish("7", "gptq", ""), &large, "weights in gptq cannot be run");
    check(&wish("70", "", ""), &machine(40 * GB), "it needs 157.8 GB of memory, and 40.0 GB are free");
    check(&wish("7", "pytorch", ""), &machine(14 * GB), "it needs 16.0 GB of memory, and 14.0 GB are free");
}

#[test]
fn what_is_here_already_is_preferred_where_it_fits() {
    let small =
        |weights: &Weights, quantization: &str| weights.size.as_deref() == Some("0.5") && quantization == "fp16";
    assert_eq!(chosen(&family(), &Wish::default(), &machine(80 * GB), &small), "0.5 gguf fp16");
    assert_eq!(chosen(&family(), &wish("7", "", ""), &machine(80 * GB), &small), "7 gguf Q8_0");
    let large = |weights: &Weights, _: &str| weights.size.as_deref() == Some("70");
    assert_eq!(chosen(&family(), &Wish::default(), &machine(80 * GB), &large), "7 gguf Q8_0");
}

#[test]
fn one_that_fits_tightly_is_better_than_none() {
    let one = parsed(
        r#"
        [[family]]
        name = "one"
        [[family.weights]]
        size = "7"
        format = "gguf"
        quantizations = ["q2_k", "q4_k_m"]
        hub_id = "a/b"
        "#,
    );
    for (free, expect) in [
        (10 * GB, "7 gguf q4_k_m"),
        (53 * GB / 10, "7 gguf q4_k_m"),
        (4 * GB, "7 gguf q2_k"),
        (3 * GB, "it needs 3.4 GB of memory, and 3.0 GB are free"),
    ] {
        assert_eq!(chosen(&one, &Wish::default(), &machine(free), &nothing_cached), expect, "{free}");
    }
}

#[test]
fn families_above_the_usual_sizes_give_their_smallest() {
    let large = parsed(
        r#"
        [[family]]
        name = "large"
        [[family.weights]]
        size = "72"
        format = "safetensors"
        hub_id = "a/b"
        [[family.weights]]
        size = "32"
        format = "safetensors"
        hub_id = "a/c"
        "#,
    );
    assert_eq!(chosen(&large, &Wish::default(), &machine(900 * GB), &nothing_cached), "32 safetensors none");
}

#[test]
fn weights_without_a_size_go_by_their_bytes() {
    let mut family = parsed(
        r#"
        [[family]]
        name = "encoder"
        [[family.weights]]
        format = "safetensors"
        hub_id = "a/b"
        bytes = 2000000000
        "#,
    );
    let none = Wish::default();
    assert_eq!(chosen(&family, &none, &machine(3 * GB), &nothing_cached), "- safetensors none");
    let expect = "it needs 2.5 GB of memory, and 1.0 GB are free";
    assert_eq!(chosen(&family, &none, &machine(GB), &nothing_cached), expect);
    family.weights[0].bytes = None;
    assert_eq!(chosen(&family, &none, &machine(1), &nothing_cached), "- safetensors none", "nobody knows better");
    let refused = "there are no weights of 7B; there are safetensors";
    assert_eq!(chosen(&family, &wish("7", "", ""), &machine(3 * GB), &nothing_cached), refused);
}

#[test]
fn each_size_is_asked_about_by_its_own_architecture() {
    let mixed = parsed(
        r#"
        [[family]]
        name = "mixed"
        architecture = "dense"
        [[family.weights]]
        size = "8"
        format = "safetensors"
        architecture = "sparse"
        hub_id = "a/b"
        [[family.weights]]
        size = "4"
        format = "safetensors"
        hub_id = "a/c"
        "#,
    );
    let supports = |architecture: &str, _: &str, _: &str| match architecture {
        "dense" => Ok(()),
        other => Err(format!("architecture {other} cannot be run")),
    };
    let choose = |wish: &Wish| choose(&mixed, wish, &machine(80 * GB), &supports, &nothing_cached);
    assert_eq!(choose(&Wish::default()).expect("dense").weights, 1);
    let error = choose(&wish("8", "", "")).expect_err("sparse");
    assert_eq!(error, ChooseError::Unsupported("architecture sparse cannot be run".into()));
}

#[test]
fn reasons_are_sentences() {
    let reason = |family: &Family, free, cached: &dyn Fn(&Weights, &str) -> bool| {
        choose(family, &Wish::default(), &machine(free), &no_gptq, cached).expect("fits").reason
    };
    assert_eq!(
        reason(&family(), 8 * GB, &nothing_cached),
        "gguf Q4_K_M of 7B: 4.3 GB of 8.0 GB free; safetensors would need 14.0 GB"
    );
    let cached = |weights: &Weights, _: &str| weights.format == "safetensors" && weights.size.as_deref() == Some("0.5");
    assert_eq!(
        reason(&family(), 8 * GB, &cached),
        "safetensors of 0.5B: 1.0 GB of 8.0 GB free; its files are here already; gguf would need 532 MB"
    );
    let builtin = parsed("[[family]]\nname = \"b\"\n[[family.weights]]\nformat = \"safetensors\"\nbuiltin = true");
    assert_eq!(builtin.kind, Kind::Text);
    assert_eq!(reason(&builtin, GB, &nothing_cached), "safetensors that comes with the server");
}
