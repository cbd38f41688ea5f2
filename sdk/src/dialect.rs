//! A personality: its description, its routes, and the shape of its errors.

use crate::bindings::personality::mimus::plugin::manifest::Manifest;
use crate::manifest::{self, About};
use crate::request::RequestHead;
use crate::response::{Reply, Response, Stage, WriteError};
use crate::routes::Routes;
use crate::stream::{Lines, Sse};
use crate::{Request, backend};

/// One API dialect. Implemented by a unit struct and exported by [`crate::personality!`].
pub trait Dialect {
    /// How the handlers' errors look.
    type Error: DialectError;

    /// Who the dialect is. Must not depend on time, state or configuration, and must not call the host.
    fn about(&self) -> About;

    /// Which paths it answers.
    fn routes(&self) -> Routes<Self::Error>;

    /// Checks what can be checked without a client, besides the manifest, which is checked anyway. An error keeps the plugin from
    /// being swapped in.
    fn self_test(&self) -> Result<(), String> {
        Ok(())
    }
}

/// An error that knows its answer in the dialect.
///
/// Handlers use `?`, so a dialect's error type usually has `From` for [`crate::BodyError`], [`crate::inference::Error`],
/// [`crate::state::Error`] (as far as it uses them) and [`WriteError`]. An error of a write to a client who has left never reaches
/// anybody; the conversion may make of it what it likes.
pub trait DialectError {
    /// The answer, when nothing has been sent.
    fn reply(&self) -> Reply;

    /// The last event, when server-sent events have begun. The default sends the body of [`Self::reply`] as `data:`.
    fn end_sse(&self, events: &mut Sse<'_>) -> Result<(), WriteError> {
        let body = self.reply().body;
        events.text(&String::from_utf8_lossy(&body))
    }

    /// The last line, when lines have begun. The default sends the body of [`Self::reply`].
    fn end_lines(&self, lines: &mut Lines<'_>) -> Result<(), WriteError> {
        lines.push_bytes(&self.reply().body);
        lines.flush()
    }
}

/// The whole manifest of a dialect.
pub fn describe<D: Dialect>(dialect: &D) -> Manifest {
    dialect.about().into_manifest(dialect.routes().describe())
}

/// The self-test of a dialect: its manifest's, then its own.
pub fn self_test<D: Dialect>(dialect: &D) -> Result<(), String> {
    manifest::check(&describe(dialect))?;
    dialect.self_test()
}

/// Answers one request: picks the handler of `head.route`, and gives an error of it the dialect's shape.
///
/// A server without a sandbox calls this inside [`crate::native::with_backend`], with a source and a sink of its own.
pub fn serve<D: Dialect>(
    dialect: &D,
    head: RequestHead,
    source: Box<dyn backend::RequestSource>,
    sink: Box<dyn backend::ResponseSink>,
) {
    let routes = dialect.routes();
    let route = routes.list().get(head.route as usize).expect("the host sends an index of the manifest's routes");
    let request = Request::new(head, route.path, source);
    let mut response = Response::new(sink);
    if let Err(error) = (route.handler)(&request, &mut response) {
        end_with_error(&error, &mut response);
    }
}

fn end_with_error(error: &impl DialectError, response: &mut Response) {
    let written = match response.stage() {
        Stage::Fresh => response.reply(error.reply()),
        Stage::Sse => error.end_sse(&mut response.resume_sse()),
        Stage::Lines => error.end_lines(&mut response.resume_lines()),
        // Nothing fits after a whole answer, nor into bytes of an unknown form; and nobody listens to a closed response.
        Stage::Sent | Stage::Bytes | Stage::Closed => Ok(()),
    };
    match written {
        Ok(()) | Err(WriteError::Closed) => {}
        // Left without a status, the host answers with an internal error in the manifest's style.
        Err(failure) => crate::error!("the error's answer could not be sent: {failure:?}"),
    }
}

/// Exports a dialect as the component's world `personality`. Takes a value without fields (`personality!(MyDialect)`).
///
/// Off WebAssembly it checks the types and makes nothing.
#[macro_export]
macro_rules! personality {
    ($dialect:expr) => {
        const _: () = {
            #[cfg(target_arch = "wasm32")]
            mod exported {
                use super::*;
                use $crate::bindings::personality as bindings;

                struct Component;

                impl bindings::exports::mimus::plugin::dialect::Guest for Component {
                    fn describe() -> bindings::mimus::plugin::manifest::Manifest {
                        $crate::dialect::describe(&$dialect)
                    }
                    fn self_test() -> ::core::result::Result<(), ::std::string::String> {
                        $crate::dialect::self_test(&$dialect)
                    }
                    fn handle(
                        request: bindings::mimus::plugin::http::Request,
                        response: bindings::mimus::plugin::http::Response,
                    ) {
                        let head = request.head();
                        let (source, sink) = (::std::boxed::Box::new(request), ::std::boxed::Box::new(response));
                        $crate::dialect::serve(&$dialect, head, source, sink);
                    }
                }

                $crate::bindings::personality::export_personality!(Component with_types_in $crate::bindings::personality);
            }

            #[cfg(not(target_arch = "wasm32"))]
            #[allow(dead_code)]
            fn is_a_dialect() {
                $crate::dialect::require(&$dialect);
            }
        };
    };
}

#[doc(hidden)]
pub fn require(_: &impl Dialect) {}
