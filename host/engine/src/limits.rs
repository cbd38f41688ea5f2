//! Every bound of the engine, in one place.
//!
//! Operators set some of them through [`LoadOptions`](crate::LoadOptions); the rest protect the process from
//! hostile files and requests and are fixed.

use std::time::Duration;

/// Most continuations of one prompt in a request.
/// Each takes a slot and shares the prompt's cache.
pub const CHOICES_MAX: u32 = 16;

/// Most tokens one request may generate, over all its choices.
/// A single field (`choices`, `tokens_max`) can therefore not fan out into unbounded work.
pub const WORK_TOKENS_MAX: u64 = 65_536;

/// Most stop strings, and separately stop tokens, of a request.
pub const STOPS_MAX: usize = 16;

/// Longest stop string in bytes. A text that could be the start of one is held back, so this is also the
/// most text a stream holds back.
pub const STOP_BYTES_MAX: usize = 1 << 10;

/// Most alternatives reported with a token's log-probability.
pub const LOGPROBS_MAX: u32 = 20;

/// Most tokens whose log-probabilities a request may name.
pub const LOGPROBS_OF_MAX: usize = 64;

/// Most log-probabilities that a scored prompt may bring, alternatives included.
pub const PROMPT_LOGPROBS_MAX: u64 = 1 << 18;

/// Most entries of a logit bias.
pub const LOGIT_BIAS_MAX: usize = 1_024;

/// Largest magnitude of one logit bias, as OpenAI's API has it.
pub const LOGIT_BIAS_ABS_MAX: f32 = 100.0;

/// Highest temperature. Above it the distribution is flat for every practical vocabulary.
pub const TEMPERATURE_MAX: f32 = 100.0;

/// Pieces buffered for a reader that is slower than the model; then its choices pause.
pub const STREAM_PIECES_MAX: usize = 64;

/// Bytes of a constraint's source: a schema of 64 KiB, or a grammar put together from several.
pub const GRAMMAR_SOURCE_BYTES_MAX: usize = 256 << 10;

/// Work for compiling a grammar's lexemes, in llguidance's unit: about 50,000 a millisecond, so some 20 ms.
pub const GRAMMAR_COMPILE_FUEL: u64 = 1_000_000;

/// Longest wait for a compilation. It is then refused, for good, while its thread goes on to its end: nothing can stop
/// it. Objects with thousands of optional properties take that long; the largest schemas in public use do not.
pub const GRAMMAR_COMPILE_MAX: Duration = Duration::from_secs(5);

/// Compilations of one model under way, those that nobody waits for included; a further one is refused.
pub const GRAMMARS_COMPILING_MAX: usize = 4;

/// Work of the lexer for one step, about 14,000 a millisecond, so some 7 ms. Other requests wait meanwhile.
pub const GRAMMAR_STEP_FUEL: u64 = 100_000;

/// Parser items of one step, about 20,000 a millisecond.
pub const GRAMMAR_STEP_ITEMS_MAX: usize = 50_000;

/// Symbols in a grammar's rules. The largest schemas in public use have some 200,000.
pub const GRAMMAR_SIZE_MAX: usize = 250_000;

/// States of a grammar's lexer, 1 to 2 KiB each. JSON needs some hundreds.
pub const GRAMMAR_STATES_MAX: usize = 30_000;

/// States up to which requests share a lexer's tables; the next one begins anew.
pub const GRAMMAR_STATES_KEPT: usize = 10_000;

/// Stack of the thread that compiles; its pages count only once they are used. Rules nest as deep as their text is
/// long, at some 2 KiB of stack a level.
pub const GRAMMAR_STACK_BYTES: usize = 256 << 20;

/// Compiled grammars kept for a model.
pub const GRAMMAR_CACHE_ENTRIES_MAX: usize = 256;

/// Bytes of the grammars kept for a model, as far as they can be estimated.
pub const GRAMMAR_CACHE_BYTES_MAX: usize = 64 << 20;

/// Bytes that a rule takes for each byte it has when it is written down.
pub const GRAMMAR_BYTES_PER_WRITTEN: usize = 16;

/// Characters of the reason for which a constraint is refused; the rest is cut.
pub const GRAMMAR_REASON_CHARS_MAX: usize = 400;

/// Tokens that are followed again, some 5 µs each, after the shared tables of a grammar failed.
pub const GRAMMAR_REPLAY_TOKENS_MAX: usize = 2_048;

/// White space between two parts of JSON, as the `whitespace_pattern` of `x-guidance` in a schema: a space, or a line
/// break and indentation. Models that are free to write more are known to go on with it until they are cut.
pub const JSON_WHITESPACE: &str = r" |\n[ \t]{0,20}";

/// Requests that wait for a slot; the next one is refused.
pub const QUEUE_REQUESTS_MAX: usize = 1_024;

/// Longest wait for a slot; then the request is refused.
pub const QUEUE_WAIT_MAX: Duration = Duration::from_secs(30);

/// Longest wait of a picture for others to be computed with; far less than computing one takes.
pub const BATCH_WAIT_MAX: Duration = Duration::from_millis(2);

/// Sequences decoded together.
pub const SLOTS: usize = 32;

/// Bytes of keys and values kept for all sequences together.
pub const KV_BYTES_MAX: u64 = 1 << 30;

/// Token rows of one step. Decoding rows come first and prompts share the rest, so this bounds how long a
/// neighbour's next token waits for a long prompt.
pub const STEP_TOKENS_MAX: usize = 256;

/// Largest JSON file of a model folder (config, tokenizer, index), in bytes.
pub const JSON_BYTES_MAX: u64 = 64 << 20;

/// Largest safetensors header in bytes; the format itself allows 100 MB.
pub const SAFETENSORS_HEADER_BYTES_MAX: u64 = 16 << 20;

/// Most tensors of a model.
pub const TENSORS_MAX: usize = 65_536;

/// Most files a sharded model is split into.
pub const SHARDS_MAX: usize = 1_024;

/// Longest string in GGUF metadata, in bytes.
pub const GGUF_STRING_BYTES_MAX: u64 = 16 << 20;

/// Most elements of a GGUF array.
pub const GGUF_ARRAY_MAX: u64 = 16 << 20;

/// Deepest nesting of GGUF arrays.
pub const GGUF_DEPTH_MAX: usize = 4;

/// Most key-value pairs of GGUF metadata.
pub const GGUF_PAIRS_MAX: u64 = 65_536;

/// Bytes of GGUF metadata in all: the header must end before this offset.
pub const GGUF_HEADER_BYTES_MAX: u64 = 256 << 20;

/// Most layers a configuration may ask for.
pub const LAYERS_MAX: usize = 1_024;

/// Most tokens of a vocabulary.
pub const VOCAB_MAX: usize = 1 << 20;

/// Widest hidden or feed-forward layer.
pub const WIDTH_MAX: usize = 1 << 20;

/// Longest context a configuration may state, in tokens.
pub const CONTEXT_TOKENS_MAX: usize = 1 << 24;

/// Most inputs of one request for embeddings, as OpenAI's API has it.
pub const EMBED_INPUTS_MAX: usize = 2_048;

/// Most pictures of one request.
pub const IMAGES_MAX: usize = 64;

/// Requests of pictures that are computed together. Each holds the pixels of up to [`IMAGES_MAX`] pictures.
pub const IMAGE_SLOTS_MAX: usize = 8;

/// Tokens of a line of text in a picture, where the model's files do not say.
pub const LINE_TOKENS: usize = 128;

/// Most tokens of a line of text in a picture, whatever the model's files say.
pub const LINE_TOKENS_MAX: usize = 1_024;

/// Longest side of the pictures that a network takes, in pixels.
pub const IMAGE_SIDE_MAX: usize = 2_048;

/// Most tokens of one request for embeddings, over all its inputs: 2,048 inputs of 512 tokens.
pub const EMBED_TOKENS_MAX: usize = 1 << 20;

/// Tokens, or four bytes of pixels each, of all requests that wait for embeddings, 64 MiB; the request that would pass it
/// is refused.
pub const EMBED_QUEUE_TOKENS_MAX: usize = 16 << 20;

/// Token rows that each thread of an embedding model computes before it looks at new requests and at those who left:
/// about half a second of a model of 20 million parameters.
pub const EMBED_STEP_TOKENS: usize = 1_024;

/// Most modules of a sentence-transformers model.
pub const MODULES_MAX: usize = 16;

/// Most prompts that a model's files may name, and the bytes of one.
pub const PROMPTS_MAX: usize = 256;
/// See [`PROMPTS_MAX`].
pub const PROMPT_BYTES_MAX: usize = 16 << 10;
