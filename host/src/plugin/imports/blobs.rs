//! `blobs`: large bytes that stay on the host.

use crate::plugin::bindings::personality::mimus::plugin::blobs as wit;
use crate::plugin::guest::Guest;
use crate::state::{BlobError, Blobs};

impl wit::Host for Guest {
    async fn put(
        &mut self,
        bytes: Vec<u8>,
        content_type: String,
        ttl_ms: u64,
    ) -> wasmtime::Result<Result<String, wit::Error>> {
        self.count_call()?;
        let (blobs, identity) = (self.services.blobs.clone(), self.identity.clone());
        Ok(self.wait(blobs.put(&identity.name, bytes.into(), &content_type, ttl_ms)).await.map_err(to_wit))
    }

    async fn stat(&mut self, id: String) -> wasmtime::Result<Result<wit::Info, wit::Error>> {
        self.count_call()?;
        let info = self.services.blobs.stat(&self.identity.name, &id);
        Ok(info.map(|info| wit::Info { bytes: info.bytes, content_type: info.content_type }).map_err(to_wit))
    }

    async fn read(&mut self, id: String, offset: u64, length: u32) -> wasmtime::Result<Result<Vec<u8>, wit::Error>> {
        self.count_call()?;
        let (blobs, identity) = (self.services.blobs.clone(), self.identity.clone());
        let bytes = self.wait(blobs.read(&identity.name, &id, offset, length)).await;
        Ok(bytes.map(Vec::from).map_err(to_wit))
    }

    async fn path(&mut self, id: String) -> wasmtime::Result<String> {
        self.count_call()?;
        Ok(Blobs::path(&id))
    }

    async fn delete(&mut self, id: String) -> wasmtime::Result<Result<bool, wit::Error>> {
        self.count_call()?;
        let (blobs, identity) = (self.services.blobs.clone(), self.identity.clone());
        Ok(Ok(self.wait(blobs.delete(&identity.name, &id)).await))
    }
}

fn to_wit(error: BlobError) -> wit::Error {
    match error {
        BlobError::TooLarge(bytes) => wit::Error::TooLarge(bytes),
        BlobError::Full => wit::Error::Full,
        BlobError::NotFound => wit::Error::NotFound,
        BlobError::Failed(why) => wit::Error::Failed(why),
    }
}
