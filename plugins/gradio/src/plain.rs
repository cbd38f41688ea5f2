//! `POST /api/{name}` and `POST /run/{name}`: a call and its last values in one answer.

use mimus_sdk::{Request, Response};

use crate::body::CallBody;
use crate::place;
use crate::refusal::Refusal;
use crate::session::Session;
use crate::turn::{self, Call, End};

/// Answers a call. The index in the body wins over the name in the path.
///
/// # Errors
/// 422 for what the function cannot work with; Gradio says 500.
pub(crate) fn answer(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let app = place::app(request);
    let mut body = CallBody::read(request)?;
    let function = body.function(app, Some(request.param("name")))?;
    let session = Session::parse_or_new(body.session_hash.as_deref())?;
    let call = Call { app, function, session, data: body.data()?, event: None };
    if let Some(at_once) = call.function().at_once {
        at_once(&call);
    }
    let ran = turn::run(&call, &mut |_| Ok(()));
    match ran.end {
        End::Done(values) | End::Cancelled(values) => {
            Ok(response.json(200, &turn::output(&values, false, ran.duration_s))?)
        }
        End::Failed(message) => Err(Refusal::new(422, message)),
        End::Left => Ok(()),
    }
}
