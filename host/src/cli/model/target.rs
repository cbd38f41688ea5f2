//! What a person calls a model that is to be downloaded.

use crate::config::Config;
use crate::hub::{Files, Hub, Wanted};
use crate::model::choice;
use crate::registry::{Registry, Wish, is_size};
use crate::server::memory_bytes;

/// Turns what a person typed into what to ask the hub for:
///
/// * `REPO`, `REPO:QUANT` or `REPO:FILE`, where a repository has an owner: `Qwen/Qwen3-0.6B`;
/// * the name of a family, perhaps with a size and a quantization: `qwen2.5-instruct:0.5:q4_k_m`. What is left out is chosen to suit
///   this machine, and the reason goes to standard error.
///
/// # Errors
/// A sentence for the person.
pub fn wanted(target: &str, revision: Option<&str>, config: &Config) -> Result<Wanted, String> {
    if target.ends_with(':') {
        return Err(format!("`{target}` ends in `:`; a quantization such as Q4_K_M or a file follows it"));
    }
    let (name, part) = match target.split_once(':') {
        Some((name, part)) => (name, Some(part)),
        None => (target, None),
    };
    if name.contains('/') {
        return Ok(Wanted { repo: name.to_owned(), revision: revision.map(str::to_owned), files: files(part) });
    }
    let registry = Registry::open(config.data.as_deref(), &config.registry_files).map_err(|error| error.to_string())?;
    let Some(family) = registry.find(name) else {
        // The oldest repositories have no owner. What is near a family's name is more likely a slip.
        return match registry.suggest(None, name).is_empty() {
            true => Ok(Wanted { repo: name.to_owned(), revision: revision.map(str::to_owned), files: files(part) }),
            false => Err(choice::unknown(&registry, None, name).to_string()),
        };
    };
    let mut wish = Wish::default();
    for part in part.into_iter().flat_map(|part| part.split(':')) {
        let wished = if is_size(part) { &mut wish.size } else { &mut wish.quantization };
        *wished = Some(part.to_owned());
    }
    let hub = Hub::new(&config.hub);
    let (weights, quantization, reason) =
        choice::choose(&family, &wish, memory_bytes(config), &hub).map_err(|error| error.to_string())?;
    let mut wanted = choice::wanted(&weights, &quantization)
        .ok_or_else(|| format!("`{name}` comes with the server: there is nothing to download"))?;
    if let Some(revision) = revision {
        wanted.revision = Some(revision.to_owned());
    }
    eprintln!("{} ({reason})", wanted.repo);
    Ok(wanted)
}

fn files(part: Option<&str>) -> Files {
    match part {
        None => Files::Weights,
        // A quantization has no dot, a file has.
        Some(part) if !part.contains('.') || part.to_lowercase().ends_with(".gguf") => Files::Gguf(part.to_owned()),
        Some(file) => Files::Named(vec![file.to_owned()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Overrides};

    fn config() -> Config {
        let overrides =
            Overrides { data: Some(":memory:".into()), cache: Some("cache".into()), ..Overrides::default() };
        Config::from_text(None, &overrides, &Environment::default()).expect("a configuration")
    }

    #[test]
    fn what_follows_the_colon_is_a_quantization_or_a_file() {
        for (target, repo, files) in [
            ("a/b", "a/b", Files::Weights),
            ("a/b:Q4_K_M", "a/b", Files::Gguf("Q4_K_M".into())),
            ("a/b:x.GGUF", "a/b", Files::Gguf("x.GGUF".into())),
            ("a/b:config.json", "a/b", Files::Named(vec!["config.json".into()])),
        ] {
            let expect = Wanted { repo: repo.into(), revision: Some("v1".into()), files };
            assert_eq!(wanted(target, Some("v1"), &config()), Ok(expect), "{target}");
        }
        assert!(wanted("a/b:", None, &config()).is_err());
    }

    #[test]
    fn families_are_known_by_their_names() {
        let found = wanted("qwen2.5-instruct:0.5:q4_k_m", None, &config()).expect("a family");
        assert_eq!(found.repo, "Qwen/Qwen2.5-0.5B-Instruct-GGUF");
        let Files::Named(files) = found.files else { panic!("one file") };
        assert!(files.iter().all(|file| file.ends_with(".gguf") && file.contains("q4_k_m")), "{files:?}");
        let error = wanted("qwen2.5-instuct", None, &config()).expect_err("misspelt");
        assert!(error.contains("did you mean qwen2.5-instruct"), "{error}");
        let error = wanted("mimus-chat", None, &config()).expect_err("built in");
        assert!(error.contains("nothing to download"), "{error}");
        let error = wanted("chatglm2", None, &config()).expect_err("not run here");
        assert!(error.contains("does not run yet"), "{error}");
    }
}
