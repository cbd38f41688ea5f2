//! The scripted host's side of a websocket: a client that says what the test wrote.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::ScriptedHost;
use super::http::Captured;
use crate::backend::Socket;
use crate::websocket::{Error, Message};

/// What the client says, in order.
pub(super) type Said = Rc<RefCell<VecDeque<Message>>>;

/// A socket whose messages end up in [`Captured::messages`].
pub(super) struct ScriptedSocket {
    pub host: ScriptedHost,
    pub captured: Rc<RefCell<Captured>>,
    /// How many messages the client takes before it leaves.
    pub sends_left: Option<u32>,
}

impl Socket for ScriptedSocket {
    /// Time passes when the client has nothing to say.
    fn receive(&mut self, wait_ms: u32) -> Result<Option<Message>, Error> {
        let next = self.host.inner.said.borrow_mut().pop_front();
        if next.is_none() {
            self.host.advance(std::time::Duration::from_millis(wait_ms.into()));
        }
        Ok(next)
    }

    fn send(&mut self, message: Message) -> Result<(), Error> {
        match &mut self.sends_left {
            Some(0) => return Err(Error::Closed),
            Some(left) => *left -= 1,
            None => {}
        }
        self.captured.borrow_mut().messages.push(message);
        Ok(())
    }

    fn close(&mut self, code: u16, _reason: &str) {
        self.captured.borrow_mut().closed = Some(code);
    }
}
