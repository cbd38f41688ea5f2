//! The smallest adapter with state: counters that outlive requests, swaps of the plugin and restarts of the server.

use mimus_sdk::{About, Dialect, DialectError, Reply, Request, Response, Routes, WriteError, state};

struct Counter;

impl Dialect for Counter {
    type Error = Fault;

    fn about(&self) -> About {
        About::new("counter", env!("CARGO_PKG_VERSION"), "counts")
    }

    fn routes(&self) -> Routes<Fault> {
        Routes::new().get("/{name}", read).post("/{name}", add).delete("/{name}", reset)
    }
}

mimus_sdk::personality!(Counter);

fn read(request: &Request, response: &mut Response) -> Result<(), Fault> {
    let count = state::get::<u64>(request.param("name"))?.map_or(0, |counter| counter.value);
    Ok(response.json(200, &count)?)
}

fn add(request: &Request, response: &mut Response) -> Result<(), Fault> {
    // Again, when another request has counted in between.
    let count = state::update(request.param("name"), None, |count: Option<u64>| count.unwrap_or(0) + 1)?;
    Ok(response.json(200, &count)?)
}

fn reset(request: &Request, response: &mut Response) -> Result<(), Fault> {
    let had_one = state::delete(request.param("name"))?;
    Ok(response.empty(if had_one { 204 } else { 404 })?)
}

struct Fault(String);

impl DialectError for Fault {
    fn reply(&self) -> Reply {
        Reply::text(500, &self.0)
    }
}

impl From<state::Error> for Fault {
    fn from(error: state::Error) -> Self {
        Fault(format!("{error:?}"))
    }
}

impl From<WriteError> for Fault {
    fn from(error: WriteError) -> Self {
        Fault(error.to_string())
    }
}

#[cfg(test)]
mod tests;
