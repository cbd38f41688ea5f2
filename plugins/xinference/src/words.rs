//! This API's words for what the host calls otherwise: types of models, formats and sizes of weights, engines.

pub(crate) mod engine;
pub(crate) mod format;
pub(crate) mod kind;
pub(crate) mod size;
