//! mimus-template-vicuna
