//! One download from its list of files to a whole snapshot.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::cache::Cache;
use super::listing::{Listed, list};
use super::remote::Remote;
use super::select::{complete, select};
use super::transfer::{Blob, Transfer};
use super::{HubError, PullProgress, Wanted, space};
use crate::config::HubConfig;
use crate::limits;

/// See [`super::Hub::pull`]. The wish has been checked.
pub async fn pull(
    config: &HubConfig,
    cache: &Cache,
    wanted: &Wanted,
    progress: &(dyn Fn(PullProgress) + Sync),
) -> Result<PathBuf, HubError> {
    let remote = Remote::new(config)?;
    let listing = list(config, &remote, wanted).await?;
    let wrong = |reason| HubError::Files { repo: wanted.repo.clone(), reason };
    let sizes: BTreeMap<&str, u64> = listing.files.iter().map(|file| (file.name.as_str(), file.bytes)).collect();
    let names: Vec<String> = listing.files.iter().map(|file| file.name.clone()).collect();
    let selected = select(&names, &wanted.files).map_err(wrong)?;
    let files: Vec<Listed> = selected
        .into_iter()
        .map(|name| Listed { bytes: sizes.get(name.as_str()).copied().unwrap_or(0), name })
        .collect();

    let snapshot = cache.prepare(&wanted.repo, &listing.commit)?;
    let tally = Arc::new(Tally::new(&files));
    let missing: Vec<usize> = (0..files.len()).filter(|index| !is_whole(&snapshot, &files[*index])).collect();
    for (index, file) in files.iter().enumerate() {
        tally.grown[index].store(if missing.contains(&index) { 0 } else { file.bytes }, Ordering::Relaxed);
    }
    let commit = listing.commit.clone();
    let transfer = Arc::new(Transfer { remote, cache: cache.clone(), repo: wanted.repo.clone(), commit });
    let described = missing.into_iter().map(|index| {
        let (transfer, file) = (transfer.clone(), files[index].clone());
        async move { Ok((index, transfer.describe(&file).await?)) }
    });
    let mut blobs: Vec<(usize, Blob)> = run(described, || ()).await?;
    // In the order of the selection: weights last, so that a snapshot with weights has the rest.
    blobs.sort_by_key(|(index, _)| *index);
    check_space(cache, &wanted.repo, &blobs)?;

    let fetched = blobs.into_iter().map(|(index, blob)| {
        let (transfer, tally, snapshot) = (transfer.clone(), tally.clone(), snapshot.clone());
        async move {
            transfer.fetch(&blob, &tally.grown[index]).await?;
            transfer.cache.link(&snapshot, &blob.name, &blob.etag)
        }
    });
    let mut told = vec![0; files.len()];
    run(fetched, || tally.tell(&mut told, progress)).await?;
    tally.tell(&mut told, progress);

    let path = complete(&snapshot, &wanted.files).map_err(wrong)?;
    cache.note(&wanted.repo, wanted.revision.as_deref().unwrap_or("main"), &listing.commit)?;
    Ok(path)
}

fn is_whole(snapshot: &Path, file: &Listed) -> bool {
    fs::metadata(snapshot.join(&file.name)).is_ok_and(|meta| meta.is_file() && meta.len() == file.bytes)
}

/// Refuses a download that the disk cannot take, before it begins.
fn check_space(cache: &Cache, repo: &str, blobs: &[(usize, Blob)]) -> Result<(), HubError> {
    let size = |path: PathBuf| fs::metadata(path).map_or(0, |meta| meta.len());
    let missing = |blob: &Blob| {
        let here = size(cache.blob(repo, &blob.etag)).max(size(cache.partial(repo, &blob.etag)));
        blob.bytes.saturating_sub(here)
    };
    let needed = blobs.iter().fold(0_u64, |sum, (_, blob)| sum.saturating_add(missing(blob)));
    let folder = cache.root().to_owned();
    let free = space::free_bytes(&folder).map_err(|error| HubError::Disk { path: folder.clone(), error })?;
    if needed > free { Err(HubError::NoSpace { folder, needed, free }) } else { Ok(()) }
}

/// Runs jobs, a few at once, and returns what they made in the order of their ends; the first failure ends all. `tick` is called
/// regularly meanwhile.
async fn run<T: Send + 'static>(
    jobs: impl IntoIterator<Item: Future<Output = Result<T, HubError>> + Send + 'static>,
    mut tick: impl FnMut(),
) -> Result<Vec<T>, HubError> {
    let mut jobs = jobs.into_iter();
    let mut running = JoinSet::new();
    let mut done = Vec::new();
    let mut clock = tokio::time::interval(Duration::from_millis(limits::HUB_PROGRESS_MS));
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        while running.len() < limits::HUB_FILES_AT_ONCE
            && let Some(job) = jobs.next()
        {
            running.spawn(job);
        }
        tokio::select! {
            ended = running.join_next() => match ended {
                Some(Ok(result)) => done.push(result?),
                Some(Err(error)) => {
                    let reason = format!("stopped: {error}");
                    return Err(HubError::Answer { what: "the download".into(), reason });
                }
                None => return Ok(done),
            },
            _ = clock.tick() => tick(),
        }
    }
}

/// How much of each file is here.
struct Tally {
    files: Vec<(String, u64)>,
    total: u64,
    grown: Vec<AtomicU64>,
}

impl Tally {
    fn new(files: &[Listed]) -> Tally {
        Tally {
            files: files.iter().map(|file| (file.name.clone(), file.bytes)).collect(),
            total: files.iter().fold(0, |sum, file| sum.saturating_add(file.bytes)),
            grown: files.iter().map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Tells of the files that have grown, or begun anew, since the last time.
    fn tell(&self, told: &mut [u64], progress: &(dyn Fn(PullProgress) + Sync)) {
        let now: Vec<u64> = self.grown.iter().map(|bytes| bytes.load(Ordering::Relaxed)).collect();
        let bytes = now.iter().fold(0_u64, |sum, bytes| sum.saturating_add(*bytes));
        for (index, (file, file_total)) in self.files.iter().enumerate() {
            let file_bytes = now[index];
            if std::mem::replace(&mut told[index], file_bytes) != file_bytes {
                progress(PullProgress {
                    file: file.clone(),
                    file_bytes,
                    file_total: *file_total,
                    bytes,
                    total: self.total,
                });
            }
        }
    }
}
