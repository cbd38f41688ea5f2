//! What a person calls a model that is to be downloaded.

use crate::hub::{Files, Wanted};

/// Turns `REPO`, `REPO:QUANT` or `REPO:FILE` into what to ask the hub for. Names of a catalogue become repositories here.
///
/// # Errors
/// A sentence for the person.
pub fn wanted(target: &str, revision: Option<&str>) -> Result<Wanted, String> {
    let (repo, files) = match target.split_once(':') {
        None => (target, Files::Weights),
        Some((_, "")) => {
            return Err(format!("`{target}` ends in `:`; a quantization such as Q4_K_M or a file follows it"));
        }
        // A quantization has no dot, a file has.
        Some((repo, part)) if !part.contains('.') || part.to_lowercase().ends_with(".gguf") => {
            (repo, Files::Gguf(part.to_owned()))
        }
        Some((repo, file)) => (repo, Files::Named(vec![file.to_owned()])),
    };
    Ok(Wanted { repo: repo.to_owned(), revision: revision.map(str::to_owned), files })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_colon_is_a_quantization_or_a_file() {
        for (target, repo, files) in [
            ("a/b", "a/b", Files::Weights),
            ("a/b:Q4_K_M", "a/b", Files::Gguf("Q4_K_M".into())),
            ("a/b:x.GGUF", "a/b", Files::Gguf("x.GGUF".into())),
            ("a/b:config.json", "a/b", Files::Named(vec!["config.json".into()])),
        ] {
            let expect = Wanted { repo: repo.into(), revision: Some("v1".into()), files };
            assert_eq!(wanted(target, Some("v1")), Ok(expect), "{target}");
        }
        assert!(wanted("a/b:", None).is_err());
    }
}
