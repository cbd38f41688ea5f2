//! Gives slots and blocks to requests, and takes them from the youngest when the oldest need them.

use std::sync::Arc;

use super::sequence::Sequence;
use super::{Job, Scheduler, blocks_for};
use crate::error::EngineError;

impl Scheduler {
    /// Lets requests in as long as there is room, first come first served.
    pub(super) fn admit(&mut self) {
        for job in self.inbox.queue.take_expired(self.bounds.queue_wait_max) {
            let retry_after = self.inbox.queue.retry_after();
            job.ticket.fail(EngineError::Overloaded { retry_after });
        }
        self.resume();
        // What was set aside came before everything that waits.
        while self.set_aside.is_empty() {
            let slots = self.bounds.slots.saturating_sub(self.held_slots());
            let blocks = self.unclaimed_blocks();
            let is_alone = self.running.is_empty();
            let job = self.inbox.queue.pop_if(|job| {
                let request = &job.ticket.request;
                let choices = request.choices as usize;
                // A request that is alone may pass the slots: it could never run otherwise.
                is_alone || (choices <= slots && blocks_for(request.prompt.len()) + choices <= blocks)
            });
            let Some(job) = job else {
                break;
            };
            self.start(job);
        }
    }

    /// Gives the first choice of a request its slot; the others follow when the prompt is computed.
    fn start(&mut self, job: Job) {
        let followers = job.ticket.request.choices - 1;
        let mut sequence = Sequence::new(job.ticket, 0);
        sequence.followers = followers;
        self.reuse_prefix(&mut sequence);
        sequence.ticket.link.set_cached(sequence.computed);
        self.running.push(sequence);
    }

    /// Starts the other choices of a sequence whose prompt is computed.
    ///
    /// They hold the prompt's blocks too, but the last one, which each will write on, is copied. Each computes
    /// the prompt's last token again, for logits of its own.
    pub(super) fn start_followers(&mut self, index: usize) {
        let leader = &mut self.running[index];
        let followers = std::mem::take(&mut leader.followers);
        let (ticket, leader_blocks) = (Arc::clone(&leader.ticket), leader.blocks.clone());
        let last_token = leader.prompt_tokens() - 1;
        let (shared, last) = leader_blocks.split_at(blocks_for(last_token + 1) - 1);
        for choice in 1..=followers {
            let mut sequence = Sequence::new(Arc::clone(&ticket), choice);
            shared.iter().for_each(|&id| self.cache.hold(id));
            sequence.blocks.extend_from_slice(shared);
            sequence.computed = shared.len() * crate::kv_cache::BLOCK_TOKENS;
            // Without room for the copy the tail of the prompt is computed again.
            if let Some(copy) = self.cache.copy(last[0]) {
                sequence.blocks.push(copy);
                sequence.computed = last_token;
            }
            self.running.push(sequence);
        }
    }

    /// Brings sequences back that were set aside.
    fn resume(&mut self) {
        while let Some(sequence) = self.set_aside.front() {
            let needed = blocks_for(sequence.tokens.len() + 1);
            let has_room = self.held_slots() < self.bounds.slots && needed <= self.unclaimed_blocks();
            if !has_room && !self.running.is_empty() {
                return;
            }
            let Some(mut sequence) = self.set_aside.pop_front() else {
                return;
            };
            self.reuse_prefix(&mut sequence);
            let place = self.running.partition_point(|other| other.since <= sequence.since);
            self.running.insert(place, sequence);
        }
    }

    /// Holds the blocks that already have the beginning of a sequence.
    fn reuse_prefix(&mut self, sequence: &mut Sequence) {
        if sequence.is_scoring() {
            return;
        }
        // The last token is always computed: its logits are wanted.
        let known = &sequence.tokens[..sequence.tokens.len() - 1];
        sequence.blocks = self.cache.find_prefix(sequence.ticket.request.cache_scope, known);
        sequence.computed = sequence.blocks.len() * crate::kv_cache::BLOCK_TOKENS;
    }

    /// Sees that every running sequence has a block for its next row, oldest first. The youngest are set aside
    /// when the cache is too small for all.
    pub(super) fn make_room(&mut self) {
        let mut index = 0;
        while index < self.running.len() {
            let needed = blocks_for(self.running[index].computed + 1);
            if self.extend_blocks(index, needed) {
                index += 1;
            } else {
                // The oldest always goes on: the cache holds one whole context.
                self.set_aside_youngest();
            }
        }
    }

    /// Gives a sequence `count` blocks in all. False: there were too few.
    pub(super) fn extend_blocks(&mut self, index: usize, count: usize) -> bool {
        while self.running[index].blocks.len() < count {
            let Some(id) = self.cache.allocate() else {
                return false;
            };
            self.running[index].blocks.push(id);
        }
        true
    }

    /// Takes the blocks of the sequence that came last. It is computed again when there is room.
    fn set_aside_youngest(&mut self) {
        if let Some(mut sequence) = self.running.pop() {
            self.cache.release(&mut sequence.blocks);
            sequence.computed = 0;
            self.set_aside.push_front(sequence);
        }
    }

    /// Slots that are taken, or promised to choices that have not begun.
    fn held_slots(&self) -> usize {
        let promised: u32 = self.running.iter().map(|sequence| sequence.followers).sum();
        self.running.len() + promised as usize
    }

    /// Blocks that no running sequence holds or needs for the tokens it has.
    fn unclaimed_blocks(&self) -> usize {
        let claimed = self.running.iter().map(|sequence| {
            blocks_for(sequence.tokens.len() + 1).saturating_sub(sequence.blocks.len()) + sequence.followers as usize
        });
        self.cache.available().saturating_sub(claimed.sum())
    }
}
