//! The pieces of a scripted answer.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::vocabulary::{self, Vocabulary};
use crate::backend::RunningGeneration;
use crate::inference::{Completion, Error, Finish, FinishReason, Options, Piece, TokenLogprob};

/// Logprob of every scripted token.
const LOGPROB: f32 = -0.5;

pub(super) struct Scripted {
    prompt_tokens: u32,
    pieces: VecDeque<Piece>,
    pieces_at_once: usize,
    failure: Option<(usize, Error)>,
    tag: Tag,
}

impl Scripted {
    pub(super) fn new(
        prompt_tokens: u32,
        pieces: Vec<Piece>,
        pieces_at_once: usize,
        failure: Option<(usize, Error)>,
        tag: Tag,
    ) -> Self {
        Scripted { prompt_tokens, pieces: pieces.into(), pieces_at_once, failure, tag }
    }

    fn fault(&self) -> Option<Error> {
        if self.tag.is_cancelled() {
            return Some(Error::Cancelled);
        }
        self.failure.as_ref().filter(|(pieces, _)| *pieces == 0).map(|(_, error)| error.clone())
    }
}

impl RunningGeneration for Scripted {
    fn prompt_tokens(&self) -> u32 {
        self.prompt_tokens
    }

    fn next(&mut self, max: u32) -> Result<Vec<Piece>, Error> {
        if let Some(error) = self.fault() {
            return Err(error);
        }
        let mut count = self.pieces_at_once.min(max as usize).min(self.pieces.len());
        if let Some((left, _)) = &mut self.failure {
            count = count.min(*left);
            *left -= count;
        }
        Ok(self.pieces.drain(..count).collect())
    }

    fn collect(&mut self) -> Result<Vec<Completion>, Error> {
        let mut completions: Vec<Completion> = Vec::new();
        loop {
            let pieces = self.next(u32::MAX)?;
            if pieces.is_empty() {
                completions.sort_by_key(|completion| completion.choice);
                return Ok(completions);
            }
            for piece in pieces {
                append(&mut completions, piece);
            }
        }
    }
}

fn append(completions: &mut Vec<Completion>, piece: Piece) {
    let index = completions.iter().position(|completion| completion.choice == piece.choice).unwrap_or_else(|| {
        let finish = Finish { reason: FinishReason::Stop, stop_string: None, stop_token: None };
        completions.push(Completion {
            choice: piece.choice,
            text: String::new(),
            tokens: Vec::new(),
            generated: 0,
            finish,
        });
        completions.len() - 1
    });
    let completion = &mut completions[index];
    completion.text.push_str(&piece.text);
    completion.tokens.extend(piece.tokens);
    completion.generated = piece.generated;
    if let Some(finish) = piece.finish {
        completion.finish = finish;
    }
}

/// All pieces of all choices, the choices taking turns.
pub(super) fn write(
    vocabulary: &mut Vocabulary,
    answer: &str,
    prompt: &[u32],
    options: &Options,
    tokens_max: u32,
) -> Vec<Piece> {
    let tokens = vocabulary.tokens(answer);
    let first = write_choice(vocabulary, &tokens, prompt, options, tokens_max);
    // The prompt is told with the first choice alone.
    let unscored = Options { prompt_logprobs: false, ..options.clone() };
    let other = write_choice(vocabulary, &tokens, prompt, &unscored, tokens_max);
    let take_turns = |(first, other): (Piece, Piece)| {
        std::iter::once(first).chain((1..options.choices).map(move |choice| Piece { choice, ..other.clone() }))
    };
    first.into_iter().zip(other).flat_map(take_turns).collect()
}

fn write_choice(
    vocabulary: &Vocabulary,
    tokens: &[u32],
    prompt: &[u32],
    options: &Options,
    tokens_max: u32,
) -> Vec<Piece> {
    let describe = |token: u32| describe(vocabulary, token, options);
    let mut prompt_tokens: Vec<TokenLogprob> = Vec::new();
    if options.prompt_logprobs {
        prompt_tokens.extend(prompt.iter().map(|token| describe(*token)));
        prompt_tokens[0].logprob = None;
        prompt_tokens[0].top.clear();
    }
    let reports_tokens = options.logprobs.is_some() || options.token_ids;
    let finished = |reason, stop_string| Some(Finish { reason, stop_string, stop_token: None });
    let piece = |text: String, tokens, generated, finish| Piece { choice: 0, text, tokens, generated, finish };
    if tokens_max == 0 {
        return vec![piece(String::new(), prompt_tokens, 0, finished(FinishReason::Length, None))];
    }
    let mut pieces: Vec<Piece> = Vec::new();
    let (mut text, mut written) = (String::new(), 0);
    for (index, &token) in tokens.iter().enumerate() {
        let generated = index as u32 + 1;
        text.push_str(vocabulary.word(token));
        let mut reported = std::mem::take(&mut prompt_tokens);
        if reports_tokens {
            reported.push(describe(token));
        }
        let stop = options.stop.iter().filter_map(|stop| Some((text.find(stop.as_str())?, stop))).min();
        if let Some((start, stop)) = stop {
            let end = if options.include_stop { start + stop.len() } else { start };
            let finish = finished(FinishReason::Stop, Some(stop.clone()));
            pieces.push(piece(text[written..end.max(written)].to_owned(), reported, generated, finish));
            return pieces;
        }
        let is_last = generated == tokens_max;
        let safe = if is_last { text.len() } else { text.len() - held_back(&text, &options.stop) };
        let finish = if is_last { finished(FinishReason::Length, None) } else { None };
        pieces.push(piece(text[written..safe.max(written)].to_owned(), reported, generated, finish));
        written = safe.max(written);
        if is_last {
            return pieces;
        }
    }
    pieces.push(piece(
        text[written..].to_owned(),
        prompt_tokens,
        tokens.len() as u32,
        finished(FinishReason::Stop, None),
    ));
    pieces
}

/// Bytes at the end of the text that may begin a stop string.
fn held_back(text: &str, stops: &[String]) -> usize {
    let longest = |stop: &String| {
        let starts = stop.char_indices().map(|(index, _)| index).skip(1);
        starts.filter(|length| text.ends_with(&stop[..*length])).max().unwrap_or(0)
    };
    stops.iter().map(longest).max().unwrap_or(0)
}

fn describe(vocabulary: &Vocabulary, token: u32, options: &Options) -> TokenLogprob {
    let bytes = vocabulary.word(token).as_bytes().to_vec();
    let top = (0..options.logprobs.unwrap_or(0)).map(|rank| match rank {
        0 => (token, bytes.clone(), LOGPROB),
        _ => (vocabulary::EOS, format!("alt{rank}").into_bytes(), LOGPROB - rank as f32),
    });
    TokenLogprob { id: token, logprob: options.logprobs.map(|_| LOGPROB), top: top.collect(), bytes: bytes.clone() }
}

/// A running generation's entry in the host's list, taken out when it is dropped.
#[derive(Clone)]
pub(super) struct Tag {
    entry: Rc<Entry>,
    list: std::rc::Weak<RefCell<Vec<Tag>>>,
}

struct Entry {
    name: Option<String>,
    is_cancelled: Cell<bool>,
}

impl Tag {
    pub(super) fn register(list: &Rc<RefCell<Vec<Tag>>>, name: Option<String>) -> Tag {
        let entry = Rc::new(Entry { name, is_cancelled: Cell::new(false) });
        // The list's own copy has no list, so that dropping it changes nothing.
        list.borrow_mut().push(Tag { entry: entry.clone(), list: std::rc::Weak::new() });
        Tag { entry, list: Rc::downgrade(list) }
    }

    pub(super) fn cancel_if(&self, tag: &str) -> bool {
        let is_it = self.entry.name.as_deref() == Some(tag);
        if is_it {
            self.entry.is_cancelled.set(true);
        }
        is_it
    }

    fn is_cancelled(&self) -> bool {
        self.entry.is_cancelled.get()
    }
}

impl Drop for Tag {
    fn drop(&mut self) {
        if let Some(list) = self.list.upgrade() {
            list.borrow_mut().retain(|tag| !Rc::ptr_eq(&tag.entry, &self.entry));
        }
    }
}
