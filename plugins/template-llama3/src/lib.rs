//! mimus-template-llama3
