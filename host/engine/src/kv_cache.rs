//! Keys and values of all sequences, in blocks that sequences with a common prefix share.
//!
//! A block holds [`BLOCK_TOKENS`] positions of all layers. A full block never changes again, so any number of
//! sequences may hold it; after the last one has let go it stays for the next prompt with the same beginning,
//! until its memory is wanted. Blocks are allocated when they are first needed and reused without clearing:
//! readers never look past the positions that their own sequence has written.

use std::collections::{BTreeMap, HashMap};

/// Positions of one block.
pub(crate) const BLOCK_TOKENS: usize = 32;

/// Names a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockId(usize);

/// What one position of a model needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KvShape {
    /// Numbers of one block: `layers * 2 * kv_heads * BLOCK_TOKENS * head_dim`, as the model lays them out.
    pub(crate) block_floats: usize,
}

/// What the tokens of a full block follow on. A key compares whole tokens, never hashes of them, so that no
/// prompt can be mistaken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Parent {
    /// Nothing: the block begins a sequence of this scope.
    Scope(u64),
    /// The block with this serial number.
    Block(u64),
}

/// The content of a full block.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    parent: Parent,
    tokens: [u32; BLOCK_TOKENS],
}

/// One block and who uses it.
struct Block {
    numbers: Box<[f32]>,
    holders: u32,
    /// Its content and serial number, once published.
    published: Option<(Key, u64)>,
    /// Its place among the idle blocks, while nobody holds it.
    idle_since: u64,
}

/// The blocks of one model.
pub(crate) struct KvCache {
    shape: KvShape,
    blocks: Vec<Block>,
    blocks_max: usize,
    /// Blocks without holder and without content.
    free: Vec<BlockId>,
    /// Blocks without holder whose content may be wanted again, longest idle first.
    idle: BTreeMap<u64, BlockId>,
    by_content: HashMap<Key, BlockId>,
    /// Source of serial numbers and of the order of idle blocks.
    clock: u64,
}

impl KvCache {
    /// An empty cache of at most `blocks_max` blocks.
    pub(crate) fn new(shape: KvShape, blocks_max: usize) -> Self {
        Self {
            shape,
            blocks: Vec::new(),
            blocks_max,
            free: Vec::new(),
            idle: BTreeMap::new(),
            by_content: HashMap::new(),
            clock: 0,
        }
    }

    /// Most blocks there can be.
    pub(crate) fn blocks_max(&self) -> usize {
        self.blocks_max
    }

    /// Blocks that [`Self::allocate`] could still give.
    pub(crate) fn available(&self) -> usize {
        self.blocks_max - self.blocks.len() + self.free.len() + self.idle.len()
    }

    /// A block for one holder, its content undefined. `None`: all are held.
    pub(crate) fn allocate(&mut self) -> Option<BlockId> {
        let id = if let Some(id) = self.free.pop() {
            id
        } else if self.blocks.len() < self.blocks_max {
            let numbers = vec![0.0; self.shape.block_floats].into_boxed_slice();
            self.blocks.push(Block { numbers, holders: 0, published: None, idle_since: 0 });
            BlockId(self.blocks.len() - 1)
        } else {
            let (_, id) = self.idle.pop_first()?;
            if let Some((key, _)) = self.blocks[id.0].published.take() {
                self.by_content.remove(&key);
            }
            id
        };
        self.blocks[id.0].holders = 1;
        Some(id)
    }

    /// A block of its own with the content of `id`.
    pub(crate) fn copy(&mut self, id: BlockId) -> Option<BlockId> {
        let copy = self.allocate()?;
        let numbers = std::mem::take(&mut self.blocks[copy.0].numbers);
        let mut numbers = numbers;
        numbers.copy_from_slice(&self.blocks[id.0].numbers);
        self.blocks[copy.0].numbers = numbers;
        Some(copy)
    }

    /// Adds a holder to a block that has one.
    pub(crate) fn hold(&mut self, id: BlockId) {
        let block = &mut self.blocks[id.0];
        if block.holders == 0 {
            self.idle.remove(&block.idle_since);
        }
        block.holders += 1;
    }

    /// Takes a holder from each of `blocks`, which are in the order of their positions.
    pub(crate) fn release(&mut self, blocks: &mut Vec<BlockId>) {
        // From the end, so that a sequence's first blocks stay longest: without them the later ones are useless.
        for id in blocks.drain(..).rev() {
            let block = &mut self.blocks[id.0];
            debug_assert!(block.holders > 0, "a block is released as often as it is held");
            block.holders = block.holders.saturating_sub(1);
            if block.holders > 0 {
                continue;
            }
            if block.published.is_none() {
                self.free.push(id);
                continue;
            }
            self.clock += 1;
            block.idle_since = self.clock;
            self.idle.insert(self.clock, id);
        }
    }

    /// The blocks that hold the beginning of `tokens` in `scope`, each with a new holder.
    pub(crate) fn find_prefix(&mut self, scope: u64, tokens: &[u32]) -> Vec<BlockId> {
        let mut found = Vec::new();
        let mut parent = Parent::Scope(scope);
        for chunk in tokens.as_chunks::<BLOCK_TOKENS>().0 {
            let key = Key { parent, tokens: *chunk };
            let Some(&id) = self.by_content.get(&key) else {
                break;
            };
            let Some((_, serial)) = &self.blocks[id.0].published else {
                break;
            };
            parent = Parent::Block(*serial);
            self.hold(id);
            found.push(id);
        }
        found
    }

    /// Makes the full block `id` findable: it holds `tokens`, which follow on `previous`.
    pub(crate) fn publish(&mut self, scope: u64, previous: Option<BlockId>, id: BlockId, tokens: &[u32; BLOCK_TOKENS]) {
        if self.blocks[id.0].published.is_some() {
            return;
        }
        let parent = match previous {
            None => Parent::Scope(scope),
            Some(previous) => match &self.blocks[previous.0].published {
                Some((_, serial)) => Parent::Block(*serial),
                // A twin of the previous block was published in its place; this chain stays private.
                None => return,
            },
        };
        let key = Key { parent, tokens: *tokens };
        if self.by_content.contains_key(&key) {
            return;
        }
        self.clock += 1;
        self.by_content.insert(key.clone(), id);
        self.blocks[id.0].published = Some((key, self.clock));
    }

    /// The numbers of a block.
    pub(crate) fn numbers(&self, id: BlockId) -> &[f32] {
        &self.blocks[id.0].numbers
    }

    /// The numbers of a block, to write positions that no other sequence can see.
    pub(crate) fn numbers_mut(&mut self, id: BlockId) -> &mut [f32] {
        let block = &mut self.blocks[id.0];
        debug_assert!(block.holders == 1, "only a block with one holder is written");
        &mut block.numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(blocks_max: usize) -> KvCache {
        KvCache::new(KvShape { block_floats: 4 }, blocks_max)
    }

    #[test]
    fn blocks_are_counted() {
        let mut cache = cache(2);
        let mut held = vec![cache.allocate().unwrap(), cache.allocate().unwrap()];
        assert_eq!(cache.available(), 0);
        assert!(cache.allocate().is_none());
        cache.release(&mut held);
        assert_eq!(cache.available(), 2);
    }

    #[test]
    fn prefixes_are_found_in_their_scope_only() {
        let mut cache = cache(4);
        let tokens: Vec<u32> = (0..64).collect();
        let chunks = tokens.as_chunks::<BLOCK_TOKENS>().0;
        let mut held = vec![cache.allocate().unwrap(), cache.allocate().unwrap()];
        cache.publish(1, None, held[0], &chunks[0]);
        cache.publish(1, Some(held[0]), held[1], &chunks[1]);
        let expect = held.clone();
        cache.release(&mut held);
        assert_eq!(cache.find_prefix(2, &tokens), []);
        assert_eq!(cache.find_prefix(1, &tokens[..63]), expect[..1]);
        let mut found = cache.find_prefix(1, &tokens);
        assert_eq!(found, expect);
        assert_eq!(cache.find_prefix(1, &tokens[32..]), []);
        cache.release(&mut found);
    }

    #[test]
    fn idle_blocks_give_way_last_ones_first() {
        let mut cache = cache(2);
        let tokens: Vec<u32> = (0..64).collect();
        let chunks = tokens.as_chunks::<BLOCK_TOKENS>().0;
        let mut held = vec![cache.allocate().unwrap(), cache.allocate().unwrap()];
        cache.publish(0, None, held[0], &chunks[0]);
        cache.publish(0, Some(held[0]), held[1], &chunks[1]);
        let first = held[0];
        cache.release(&mut held);
        assert!(cache.allocate().is_some());
        assert_eq!(cache.find_prefix(0, &tokens), [first]);
    }
}
