//! What a hub says of a repository: its commit and its files. Alone names hf_hub.
//!
//! Only the listing is asked through that crate. Its streams hide whether a range was honoured and take large files over connections
//! of their own, which know nothing of our bounds; so [`super::transfer`] gets the bytes.

use std::pin::pin;
use std::time::Duration;

use futures_util::TryStreamExt;
use hf_hub::repository::RepoTreeEntry;
use hf_hub::{HFClient, HFError, split_id};

use super::remote::{Remote, chain};
use super::{HubError, Wanted, names};
use crate::config::HubConfig;
use crate::limits;

/// The files of a repository at one commit.
pub struct Listing {
    /// The commit: 40 hexadecimal digits.
    pub commit: String,
    /// Its files. Every name is checked.
    pub files: Vec<Listed>,
}

/// One file of a repository.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its path in the repository.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// Asks for the files of what is wanted.
///
/// # Errors
/// [`HubError`]: the hub refuses, does not know the repository or revision, is silent, or lists what could do harm.
pub async fn list(config: &HubConfig, remote: &Remote, wanted: &Wanted) -> Result<Listing, HubError> {
    let bound = Duration::from_millis(limits::HUB_LISTING_MS);
    let too_slow = || HubError::Unreachable {
        endpoint: remote.endpoint.clone(),
        reason: format!("the list of files has not come in {} s", bound.as_secs()),
    };
    tokio::time::timeout(bound, ask(config, remote, wanted)).await.map_err(|_| too_slow())?
}

async fn ask(config: &HubConfig, remote: &Remote, wanted: &Wanted) -> Result<Listing, HubError> {
    let wrong = |error| explain(error, remote, wanted);
    let mut builder = HFClient::builder()
        .client(remote.client.clone())
        .endpoint(&remote.endpoint)
        .cache_dir(&config.cache)
        .retry_max_attempts(limits::HUB_ATTEMPTS_MAX as usize - 1)
        .retry_base_delay(Duration::from_millis(limits::HUB_RETRY_MS));
    if let Some(token) = &config.token {
        builder = builder.token(token.secret());
    }
    let (owner, name) = split_id(&wanted.repo);
    let repository = builder.build().map_err(wrong)?.model(owner, name);
    let revision = wanted.revision.as_deref().unwrap_or("main");
    let info = repository.info().revision(revision).send().await.map_err(wrong)?;
    let malformed = |reason: &str| HubError::Answer { what: wanted.repo.clone(), reason: reason.to_owned() };
    let commit = info.sha.ok_or_else(|| malformed("the hub names no commit"))?;
    if !names::is_commit(&commit) {
        return Err(malformed("what the hub calls a commit is none"));
    }
    let mut entries = pin!(repository.list_tree().revision(commit.as_str()).recursive(true).send().map_err(wrong)?);
    let mut files = Vec::new();
    let mut seen = 0;
    while let Some(entry) = entries.try_next().await.map_err(wrong)? {
        seen += 1;
        if seen > limits::HUB_FILES_MAX {
            return Err(malformed(&format!("it has more than {} files", limits::HUB_FILES_MAX)));
        }
        let RepoTreeEntry::File { path, size, .. } = entry else { continue };
        if names::check_file(&path).is_err() {
            let name = path.chars().take(limits::HUB_FILE_NAME_BYTES_MAX).collect::<String>();
            return Err(HubError::Hostile { repo: wanted.repo.clone(), name: name.escape_debug().to_string() });
        }
        files.push(Listed { name: path, bytes: size });
    }
    Ok(Listing { commit, files })
}

fn explain(error: HFError, remote: &Remote, wanted: &Wanted) -> HubError {
    let repo = &wanted.repo;
    let refused = |status| HubError::Refused { repo: repo.clone(), status, url: format!("{}/{repo}", remote.endpoint) };
    let unreachable = |reason| HubError::Unreachable { endpoint: remote.endpoint.clone(), reason };
    match error {
        HFError::AuthRequired { .. } => refused(401),
        HFError::Forbidden { .. } => refused(403),
        HFError::RepoNotFound { .. } => HubError::NotFound { what: repo.clone() },
        HFError::RevisionNotFound { revision, context, .. } => {
            let is_about_revision =
                context.is_none_or(|context| context.error_code.as_deref() == Some("RevisionNotFound"));
            let what = match is_about_revision || wanted.revision.is_some() {
                true => format!("revision {revision} of {repo}"),
                false => repo.clone(),
            };
            HubError::NotFound { what }
        }
        HFError::RateLimited { .. } => HubError::Status { what: repo.clone(), status: 429 },
        HFError::Http { context } => match context.status.as_u16() {
            401 | 403 => refused(context.status.as_u16()),
            404 => HubError::NotFound { what: repo.clone() },
            status => HubError::Status { what: repo.clone(), status },
        },
        HFError::Request { source, .. } if source.is_timeout() => {
            unreachable(format!("no answer for {} s", remote.stall.as_secs()))
        }
        HFError::Request { source, .. } if source.is_decode() => HubError::Answer {
            what: repo.clone(),
            reason: format!("the hub's answer cannot be read: {}", chain(&source)),
        },
        HFError::Request { source, .. } => unreachable(chain(&source.without_url())),
        other => HubError::Answer { what: repo.clone(), reason: chain(&other) },
    }
}
