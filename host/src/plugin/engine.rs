//! The one WebAssembly engine: its configuration and its clock.

use std::time::Duration;

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::limits;

/// Builds the engine that compiles and runs every plugin.
///
/// # Errors
/// When the machine refuses the address space that the instance pool reserves.
pub fn new() -> wasmtime::Result<Engine> {
    let engine = Engine::new(&config(&pool()))?;
    start_clock(&engine);
    Ok(engine)
}

/// The configuration on which compiled plugins depend: a process that only compiles must use the same.
pub fn config(pool: &PoolingAllocationConfig) -> Config {
    let mut config = Config::new();
    config
        // Guests are plain synchronous components; the host suspends them on fibers. With support for
        // concurrent guests every call from the host costs four times as much.
        .concurrency_support(false)
        .epoch_interruption(true)
        .cranelift_opt_level(OptLevel::Speed)
        .max_wasm_stack(limits::GUEST_STACK_BYTES)
        .async_stack_size(limits::GUEST_ASYNC_STACK_BYTES)
        .memory_init_cow(true)
        .wasm_memory64(false)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool.clone()));
    config
}

/// The instance pool: address space for every guest that may run at once.
pub fn pool() -> PoolingAllocationConfig {
    let guests = limits::GUESTS_MAX + limits::TEMPLATES_MAX;
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(guests)
        // A component of wasm32-wasip2 is made of a few core instances: the program, its adapter and shims.
        .total_core_instances(guests * limits::CORE_INSTANCES_PER_GUEST)
        .max_core_instances_per_component(limits::CORE_INSTANCES_PER_GUEST)
        .total_memories(guests)
        .max_memories_per_component(1)
        .total_tables(guests * limits::TABLES_PER_GUEST)
        .max_tables_per_component(limits::TABLES_PER_GUEST)
        .table_elements(limits::GUEST_TABLE_ELEMENTS)
        .total_stacks(guests)
        .max_memory_size(limits::GUEST_MEMORY_BYTES_CEILING)
        .max_component_instance_size(1 << 20)
        .max_core_instance_size(1 << 20)
        // Tables are small: clearing them costs less than giving their pages back.
        .table_keep_resident(limits::TABLE_BYTES_KEPT)
        .max_unused_warm_slots(guests);
    // Where the kernel tells which pages a guest has written, those alone are made as they were, which halves the cost of a fresh
    // instance. Where it does not, mapping a fresh image anew is cheaper than clearing what may have been written.
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.pagemap_scan(Enabled::Yes).linear_memory_keep_resident(limits::GUEST_MEMORY_BYTES_KEPT);
    } else {
        pool.pagemap_scan(Enabled::No).linear_memory_keep_resident(0);
    }
    pool
}

/// A pool that only a compiler needs: it influences the code through its memory size alone, and reserves next to nothing.
pub fn pool_for_compiling() -> PoolingAllocationConfig {
    let mut pool = pool();
    pool.total_component_instances(1).total_core_instances(1).total_memories(1).total_tables(1).total_stacks(1);
    pool
}

/// Ticks the epoch from a thread of its own, so that a busy executor cannot keep guests from being interrupted.
fn start_clock(engine: &Engine) {
    let engine = engine.weak();
    let tick = Duration::from_millis(limits::EPOCH_TICK_MS);
    std::thread::Builder::new()
        .name("epoch".into())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(tick);
            }
        })
        .expect("a thread can be started while the server starts");
}
