//! Running a plugin's code without WebAssembly: for unit tests and for comparing the sandbox with no sandbox.

use std::cell::RefCell;
use std::rc::Rc;

use crate::backend::{Backend, RequestSource};
use crate::request::Header;

thread_local! {
    static BACKEND: RefCell<Option<Rc<dyn Backend>>> = const { RefCell::new(None) };
}

/// Runs `work` with `backend` as the host of this thread; the one before is back afterwards, also after a panic.
///
/// ```
/// use std::rc::Rc;
/// use mimus_sdk::{clock, native, scripted::ScriptedHost};
///
/// let host = ScriptedHost::new();
/// let now = native::with_backend(Rc::new(host), clock::now_s);
/// assert_eq!(now, 1_700_000_000);
/// ```
pub fn with_backend<R>(backend: Rc<dyn Backend>, work: impl FnOnce() -> R) -> R {
    struct Restore(Option<Rc<dyn Backend>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            BACKEND.set(self.0.take());
        }
    }
    let _restore = Restore(BACKEND.replace(Some(backend)));
    work()
}

pub(crate) fn current() -> Rc<dyn Backend> {
    BACKEND
        .with_borrow(|backend| backend.clone().expect("a call to the host outside of mimus_sdk::native::with_backend"))
}

/// Headers and body in memory, as the source of a [`crate::Request`].
pub struct Parts {
    headers: Vec<Header>,
    body: RefCell<Vec<u8>>,
}

impl Parts {
    /// Header names in lower case.
    pub fn new(headers: Vec<Header>, body: Vec<u8>) -> Self {
        Parts { headers, body: RefCell::new(body) }
    }
}

impl RequestSource for Parts {
    fn header(&self, name: &str) -> Option<String> {
        self.headers.iter().find(|header| header.name == name).map(|header| header.value.clone())
    }

    fn headers(&self) -> Vec<Header> {
        self.headers.clone()
    }

    /// By the backend's word on the bearer token.
    fn is_admitted(&self) -> bool {
        let host = current();
        let value = self.header("authorization");
        let key = value.as_deref().and_then(|value| value.strip_prefix("Bearer "));
        !host.requires_key() || key.is_some_and(|key| host.accepts_key(key))
    }

    fn body(&self) -> Vec<u8> {
        self.body.take()
    }
}
