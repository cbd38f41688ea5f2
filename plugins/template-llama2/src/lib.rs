//! mimus-template-llama2
