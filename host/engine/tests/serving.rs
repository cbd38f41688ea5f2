//! Queue, streams, choices, cancellation and errors, on a scripted model and on tiny real ones.
#![allow(missing_docs)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use mimus_engine::{
    Answer, EngineError, Fault, Finish, GenerateRequest, LoadOptions, Model, Progress, Sampling, Script, Source,
    TextModel, limits, load, scripted,
};
use support::{golden, golden_model, options, read_all, request, run, wait_until};

/// A model that says `text`.
fn says(text: &str) -> Script {
    Script { answer: Answer::Fixed(text.to_owned()), ..Script::default() }
}

/// What a request with these changes ends as.
fn check(script: Script, change: impl FnOnce(&mut GenerateRequest), text: &str, finish: Finish, generated: u32) {
    let model = scripted(script);
    let mut request = request(&*model, "hello");
    change(&mut request);
    let output = run(&*model, request).unwrap();
    assert_eq!((output.text.as_str(), &output.finish, output.generated), (text, &Some(finish), generated));
}

#[test]
fn answers_end_where_they_should() {
    let stop = |text: &str| Finish::StopString(text.to_owned());
    check(says("abc"), |_| {}, "abc", Finish::Eos, 4);
    check(says("abc"), |request| request.tokens_max = Some(3), "abc", Finish::Length, 3);
    check(says("abc"), |request| request.tokens_max = Some(0), "", Finish::Length, 0);
    check(says("one two"), |request| request.stop_strings = vec![" t".into()], "one", stop(" t"), 5);
    check(
        says("one two"),
        |request| {
            request.stop_strings = vec![" t".into()];
            request.include_stop = true;
        },
        "one t",
        stop(" t"),
        5,
    );
    check(says("one t"), |request| request.stop_strings = vec![" tw".into()], "one t", Finish::Eos, 6);
    check(says("abcb"), |request| request.stop_tokens = vec![98], "a", Finish::StopToken(98), 2);
    check(
        says("abcb"),
        |request| {
            request.stop_tokens = vec![98];
            request.tokens_min = 4;
        },
        // Where the stop token may not come yet, something else does.
        "a\0c\0",
        Finish::Eos,
        5,
    );
    check(
        says("ab"),
        |request| {
            request.tokens_min = 5;
            request.tokens_max = Some(5);
        },
        "ababa",
        Finish::Length,
        5,
    );
    check(
        says("ab"),
        |request| {
            request.ignore_eos = true;
            request.tokens_max = Some(5);
        },
        "ab",
        Finish::Length,
        5,
    );
    check(Script { tokens: Some(7), ..says("abc") }, |_| {}, "abcabca", Finish::Eos, 8);
    check(Script::default(), |_| {}, "hello", Finish::Eos, 6);
}

#[test]
fn pieces_are_whole_and_as_large_as_asked() {
    let model = scripted(Script { tokens_per_piece: 4, ..says("aébc😀d") });
    let mut wanted = request(&*model, "x");
    wanted.return_tokens = true;
    let mut generation = model.submit(wanted).unwrap();
    let mut texts = Vec::new();
    while let Some(piece) = generation.next_blocking() {
        let piece = piece.unwrap();
        let bytes: Vec<u8> = piece.tokens.iter().flat_map(|token| token.bytes.clone()).collect();
        assert_eq!(String::from_utf8(bytes).unwrap(), piece.text);
        texts.push(piece.text);
    }
    // The third piece begins when the character is whole.
    assert_eq!(texts, ["aéb", "c", "😀d"]);
    // No piece that says nothing.
    let output = run(&*scripted(says("é")), GenerateRequest::new(vec![1])).unwrap();
    assert_eq!((output.text.as_str(), output.pieces), ("é", 2));
}

#[test]
fn tokens_go_with_the_text_that_a_stop_string_leaves() {
    let model = scripted(says("abcSTOPdef"));
    let mut wanted = request(&*model, "x");
    wanted.return_tokens = true;
    wanted.stop_strings = vec!["STOP".into()];
    let output = run(&*model, wanted).unwrap();
    assert_eq!(output.ids(), [97, 98, 99]);
    assert_eq!(output.generated, 7);
}

#[test]
fn bad_requests_name_their_field() {
    let model = scripted(Script::default());
    let vocab = model.info().vocab_tokens;
    let check = |field: &str, change: &dyn Fn(&mut GenerateRequest)| {
        let mut wanted = request(&*model, "hello");
        change(&mut wanted);
        match model.submit(wanted) {
            Err(EngineError::Invalid { field: found, .. }) => assert_eq!(found, field),
            other => panic!("{field}: {other:?}"),
        }
    };
    let good = |change: &dyn Fn(&mut GenerateRequest)| {
        let mut wanted = request(&*model, "hello");
        change(&mut wanted);
        model.submit(wanted).unwrap();
    };
    check("prompt", &|request| request.prompt.clear());
    check("prompt", &|request| request.prompt.push(vocab));
    check("choices", &|request| request.choices = 0);
    check("choices", &|request| request.choices = limits::CHOICES_MAX + 1);
    check("choices", &|request| request.choices = 1 << 31);
    good(&|request| request.choices = limits::CHOICES_MAX);
    check("tokens_max", &|request| {
        request.choices = 8;
        request.tokens_max = Some(8_193);
    });
    good(&|request| {
        request.choices = 8;
        request.tokens_max = Some(8_192);
    });
    check("tokens_min", &|request| {
        request.tokens_max = Some(3);
        request.tokens_min = 4;
    });
    check("stop_strings", &|request| request.stop_strings = vec![String::new()]);
    check("stop_strings", &|request| request.stop_strings = vec!["x".into(); 17]);
    check("stop_strings", &|request| request.stop_strings = vec!["x".repeat(1_025)]);
    good(&|request| request.stop_strings = vec!["x".repeat(1_024); 16]);
    check("stop_tokens", &|request| request.stop_tokens = vec![vocab]);
    check("logprobs", &|request| request.logprobs = Some(1_000_000));
    check("logprobs", &|request| request.logprobs = Some(21));
    good(&|request| request.logprobs = Some(20));
    check("logprobs_of", &|request| request.logprobs_of = vec![vocab]);
    check("logprobs_of", &|request| request.logprobs_of = vec![0; limits::LOGPROBS_OF_MAX + 1]);
    good(&|request| request.logprobs_of = vec![0; limits::LOGPROBS_OF_MAX]);
    check("logprobs_of", &|request| {
        request.logprobs_of = vec![0];
        request.tokens_max = Some(0);
    });
    for bad in [f32::NAN, f32::INFINITY, -1.0, 1e30] {
        check("temperature", &|request| request.sampling.temperature = bad);
        check("top_p", &|request| request.sampling.top_p = bad);
        check("min_p", &|request| request.sampling.min_p = bad);
        check("repetition_penalty", &|request| request.sampling.repetition_penalty = bad);
    }
    check("top_p", &|request| request.sampling.top_p = 0.0);
    check("repetition_penalty", &|request| request.sampling.repetition_penalty = 0.0);
    check("presence_penalty", &|request| request.sampling.presence_penalty = 2.1);
    check("frequency_penalty", &|request| request.sampling.frequency_penalty = f32::NAN);
    check("logit_bias", &|request| request.sampling.logit_bias = vec![(vocab, 1.0)]);
    check("logit_bias", &|request| request.sampling.logit_bias = vec![(0, 101.0)]);
    check("logit_bias", &|request| request.sampling.logit_bias = vec![(0, 1.0); 1_025]);
}

#[test]
fn the_context_is_a_bound() {
    let options = LoadOptions { context_tokens_max: Some(8), ..LoadOptions::default() };
    let model = scripted(Script { tokens: Some(100), options, ..says("x") });
    let submit = |prompt: usize, tokens_max: Option<u32>| {
        let mut request = GenerateRequest::new(vec![97; prompt]);
        request.tokens_max = tokens_max;
        run(&*model, request)
    };
    let too_long = |prompt, wanted| Err(EngineError::PromptTooLong { limit: 8, prompt, wanted });
    assert_eq!(submit(7, None).unwrap().generated, 1);
    assert_eq!(submit(8, None), too_long(8, 1));
    assert_eq!(submit(8, Some(0)).unwrap().generated, 0);
    assert_eq!(submit(5, Some(3)).unwrap().generated, 3);
    assert_eq!(submit(5, Some(4)), too_long(5, 4));
    assert_eq!(submit(5, Some(u32::MAX)), too_long(5, u32::MAX));
    assert_eq!(submit(3, None).unwrap().finish, Some(Finish::Length));
}

#[test]
fn faults_end_their_own_request_only() {
    for fault in [Fault::Error(2), Fault::Panic(2), Fault::NotFinite(2)] {
        let model = scripted(Script { fault: Some(fault), ..says("abcdef") });
        let short = |model: &dyn TextModel| {
            let mut short = request(model, "hello");
            short.tokens_max = Some(2);
            short
        };
        let mut several = request(&*model, "hello");
        several.choices = 3;
        let failing = model.submit(request(&*model, "hello")).unwrap();
        let healthy = model.submit(short(&*model)).unwrap();
        let failing_choices = model.submit(several).unwrap();
        assert!(matches!(read_all(failing), Err(EngineError::Failed(_))), "{fault:?}");
        assert!(matches!(read_all(failing_choices), Err(EngineError::Failed(_))), "{fault:?}");
        assert_eq!(read_all(healthy).unwrap()[0].text, "ab", "{fault:?}");
        assert_eq!(run(&*model, short(&*model)).unwrap().text, "ab", "{fault:?}");
        wait_until("every slot is free", || model.activity().running_sequences == 0);
        assert_eq!(model.activity().kv_blocks_used, 0);
    }
}

#[test]
fn weights_that_are_no_numbers_fail_requests_only() {
    let folder = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(golden("llama")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    let path = folder.path().join("model.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.len();
    // The last tensors of the file are norms and projections; one NaN in any of them reaches every logit.
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    let loaded = load(Source::Folder(folder.path().to_owned()), &options(), &Progress::ignore).unwrap();
    let Model::Text(model) = loaded else { panic!("it continues text") };
    for _ in 0..3 {
        let ended = run(&*model, request(&*model, "hello"));
        assert!(matches!(ended, Err(EngineError::Failed(_))), "{ended:?}");
    }
    wait_until("every slot is free", || model.activity().running_sequences == 0);
}

#[test]
fn leaving_frees_the_slot() {
    let options = LoadOptions { slots: 2, ..LoadOptions::default() };
    let model = scripted(Script { tokens: Some(20_000), options, ..says("x") });
    for _ in 0..50 {
        let mut generation = model.submit(request(&*model, "hello")).unwrap();
        generation.next_blocking().unwrap().unwrap();
        // It holds its slot, paused, while nobody reads.
        assert_eq!(model.activity().running_sequences, 1);
        drop(generation);
        wait_until("the slot is free", || model.activity().running_sequences == 0);
    }
    let queued: Vec<_> = (0..20).map(|_| model.submit(request(&*model, "hello")).unwrap()).collect();
    drop(queued);
    wait_until("the queue is empty", || {
        let activity = model.activity();
        activity.running_sequences == 0 && activity.waiting_requests == 0
    });
}

#[test]
fn slow_readers_pause_their_own_stream_only() {
    let model = scripted(Script { tokens: Some(5_000), ..says("x") });
    let mut slow = model.submit(request(&*model, "hello")).unwrap();
    slow.next_blocking().unwrap().unwrap();
    let quick = run(&*model, request(&*model, "hello")).unwrap();
    assert_eq!(quick.text.len(), 5_000);
    // What the slow reader did not take is bounded by its stream.
    let generated = model.activity().generated_tokens;
    assert!(generated <= 5_001 + limits::STREAM_PIECES_MAX as u64 + 1, "{generated}");
    assert_eq!(read_all(slow).unwrap()[0].text.len(), 4_999);
}

#[test]
fn overload_is_refused_and_passes() {
    let options = LoadOptions { slots: 1, queue_requests_max: 2, ..LoadOptions::default() };
    let model = scripted(Script { tokens: Some(20_000), options, ..says("x") });
    let mut running = model.submit(request(&*model, "hello")).unwrap();
    running.next_blocking().unwrap().unwrap();
    let first = model.submit(request(&*model, "hello")).unwrap();
    let second = model.submit(request(&*model, "hello")).unwrap();
    assert_eq!(model.activity().waiting_requests, 2);
    let refused = model.submit(request(&*model, "hello"));
    assert!(matches!(refused, Err(EngineError::Overloaded { retry_after }) if retry_after >= Duration::from_secs(1)));
    // Those who leave the queue make room in it.
    drop(first);
    model.submit(request(&*model, "hello")).unwrap();
    drop(running);
    assert_eq!(read_all(second).unwrap()[0].text.len(), 20_000);
}

#[test]
fn waiting_has_an_end() {
    let options = LoadOptions { slots: 1, queue_wait_max: Duration::from_millis(50), ..LoadOptions::default() };
    let model = scripted(Script { tokens: Some(20_000), options, ..says("x") });
    let mut running = model.submit(request(&*model, "hello")).unwrap();
    running.next_blocking().unwrap().unwrap();
    let waiting = model.submit(request(&*model, "hello")).unwrap();
    assert!(matches!(read_all(waiting), Err(EngineError::Overloaded { .. })));
}

#[test]
fn closing_refuses_and_dropping_finishes() {
    let model = scripted(Script { tokens: Some(2_000), ..says("x") });
    let running = model.submit(request(&*model, "hello")).unwrap();
    model.close();
    assert_eq!(model.submit(request(&*model, "hello")).unwrap_err(), EngineError::ShuttingDown);
    drop(model);
    assert_eq!(read_all(running).unwrap()[0].text.len(), 2_000);
}

#[test]
fn more_choices_than_slots_still_run() {
    let options = LoadOptions { slots: 2, ..LoadOptions::default() };
    let model = scripted(Script { options, ..says("abc") });
    let mut several = request(&*model, "hello");
    several.choices = 16;
    let outputs = read_all(model.submit(several).unwrap()).unwrap();
    assert_eq!(outputs.len(), 16);
    assert!(outputs.iter().all(|output| output.text == "abc"));
}

#[test]
fn many_streams_at_once_all_end() {
    let options = LoadOptions { slots: 64, ..LoadOptions::default() };
    let model = scripted(Script { options, tokens: Some(40), ..says("abc") });
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let model = Arc::clone(&model);
            std::thread::spawn(move || {
                for _ in 0..50 {
                    let outputs = read_all(model.submit(request(&*model, "hello")).unwrap()).unwrap();
                    assert_eq!(outputs[0].text.len(), 40);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(model.activity().generated_tokens, 8 * 50 * 41);
}

#[test]
fn seeds_reproduce_in_any_company() {
    let model = golden_model("qwen2", &options());
    let sampled = |seed: Option<u64>, choices: u32| {
        let mut wanted = request(&*model, "The mockingbird");
        wanted.sampling = Sampling { temperature: 1.5, top_p: 0.95, seed, ..Sampling::default() };
        wanted.tokens_max = Some(40);
        wanted.ignore_eos = true;
        wanted.return_tokens = true;
        wanted.choices = choices;
        model.submit(wanted).unwrap()
    };
    let alone = read_all(sampled(Some(7), 1)).unwrap().remove(0).ids();
    let company: Vec<_> = (0..5).map(|_| sampled(None, 2)).collect();
    let again = read_all(sampled(Some(7), 3)).unwrap();
    company.into_iter().for_each(|generation| assert!(read_all(generation).is_ok()));
    assert_eq!(again[0].ids(), alone);
    assert_ne!(again[1].ids(), alone);
    assert_ne!(again[2].ids(), again[1].ids());
    assert_ne!(read_all(sampled(Some(8), 1)).unwrap()[0].ids(), alone);
}

#[test]
fn logprobs_are_those_of_the_model() {
    let model = golden_model("qwen2", &options());
    let mut plain = request(&*model, "The mockingbird");
    plain.tokens_max = Some(8);
    plain.logprobs = Some(3);
    let mut biased = plain.clone();
    let greedy = run(&*model, plain).unwrap();
    for token in &greedy.tokens {
        assert_eq!(token.top.len(), 3);
        assert_eq!((token.top[0].id, Some(token.top[0].logprob)), (token.id, token.logprob));
        assert!(token.top[0].logprob >= token.top[1].logprob && token.top[1].logprob >= token.top[2].logprob);
    }
    // Bias and temperature change the choice, not what is reported.
    let second = greedy.tokens[0].top[1].clone();
    biased.sampling.logit_bias = vec![(second.id, 100.0)];
    biased.sampling.temperature = 2.0;
    biased.tokens_max = Some(1);
    biased.logprobs = Some(0);
    let output = run(&*model, biased).unwrap();
    assert_eq!((output.tokens[0].id, output.tokens[0].logprob), (second.id, Some(second.logprob)));
    assert!(output.tokens[0].top.is_empty());
}

#[test]
fn logprobs_of_named_tokens_come_with_the_first_piece() {
    let model = scripted(says("abc"));
    let vocab = model.info().vocab_tokens as f32;
    let mut asked = request(&*model, "x");
    asked.logprobs_of = vec![98, 97, 98];
    asked.choices = 2;
    asked.sampling = Sampling { temperature: 2.0, logit_bias: vec![(98, 100.0)], ..Sampling::default() };
    let outputs = read_all(model.submit(asked.clone()).unwrap()).unwrap();
    for output in &outputs {
        assert_eq!(output.text, "abc");
        assert_eq!(output.logprobs_of, [-10_000.0, 0.0, -10_000.0]);
    }
    // Also where the first token gives no text: it ends the answer, or a grammar lets nothing come.
    asked.choices = 1;
    asked.tokens_max = Some(1);
    let ended = run(&*scripted(says("")), asked.clone()).unwrap();
    assert_eq!((ended.text.as_str(), ended.finish), ("", Some(Finish::Eos)));
    assert_eq!(ended.logprobs_of, [-10_000.0; 3]);
    let noise = run(&*scripted(Script { answer: Answer::Noise(1), ..Script::default() }), asked).unwrap();
    let even = -vocab.ln();
    assert!(noise.logprobs_of.iter().all(|logprob| (logprob - even).abs() < 0.6), "{:?}", noise.logprobs_of);
    assert_eq!(noise.logprobs_of[0], noise.logprobs_of[2]);
}

#[test]
fn prompts_are_scored() {
    let model = scripted(says("abc"));
    let mut scored = request(&*model, "hello");
    scored.prompt_logprobs = true;
    scored.choices = 2;
    let outputs = read_all(model.submit(scored).unwrap()).unwrap();
    let logprobs: Vec<_> = outputs[0].prompt.iter().map(|token| token.logprob).collect();
    assert_eq!(logprobs, [None, Some(0.0), Some(0.0), Some(0.0), Some(0.0)]);
    assert!(outputs[1].prompt.is_empty());
}

#[test]
fn generations_are_read_in_three_ways() {
    let model = scripted(Script { tokens: Some(3), ..says("x") });
    let mut generation = model.submit(request(&*model, "hello")).unwrap();
    assert_eq!(generation.prompt_tokens(), 5);
    let mut seen = String::new();
    wait_until("a piece is ready", || match generation.try_next() {
        Some(piece) => {
            seen.push_str(&piece.unwrap().text);
            true
        }
        None => false,
    });
    let mut next = std::pin::pin!(generation.next());
    wait_until("the future is ready", || {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match next.as_mut().poll(&mut context) {
            std::task::Poll::Ready(piece) => {
                seen.push_str(&piece.unwrap().unwrap().text);
                true
            }
            std::task::Poll::Pending => false,
        }
    });
    assert_eq!(seen, "xx");
}
