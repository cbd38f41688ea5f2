//! A model on its way into memory: how far it is, and whether it is still wanted.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// What a load is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// It waits for other loads, or for memory.
    Waiting,
    /// Its files are fetched.
    Downloading,
    /// Its files are read.
    Loading,
}

/// How far a model has come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// What is done now.
    pub stage: Stage,
    /// 0 to 1, over all stages.
    pub fraction: f32,
    /// Bytes of the stage that are done.
    pub done_bytes: u64,
    /// Bytes of the stage; 0 when not known.
    pub total_bytes: u64,
}

impl Progress {
    /// For people: `it is loading (40 %)`.
    pub fn sentence(&self) -> String {
        let percent = (self.fraction * 100.0).floor();
        match self.stage {
            Stage::Waiting => "it is loading (waiting for its turn)".to_owned(),
            Stage::Downloading => format!("it is downloaded ({percent} %)"),
            Stage::Loading => format!("it is loading ({percent} %)"),
        }
    }
}

/// One load. Shared by the thread that loads and by everybody who looks.
#[derive(Default)]
pub struct Job {
    stage: AtomicU8,
    done: AtomicU64,
    total: AtomicU64,
    has_download: AtomicBool,
    is_cancelled: AtomicBool,
    cancelled: Notify,
}

/// Share of the whole that a download takes where there is one: the network is slower than the disk.
const DOWNLOAD_SHARE: f32 = 0.9;

impl Job {
    /// Says how far a stage is. Bytes never go back within a stage.
    pub fn report(&self, stage: Stage, done: u64, total: u64) {
        if stage == Stage::Downloading {
            self.has_download.store(true, Ordering::Relaxed);
        }
        if self.stage.swap(stage as u8, Ordering::AcqRel) != stage as u8 {
            self.done.store(0, Ordering::Relaxed);
        }
        self.total.store(total, Ordering::Relaxed);
        self.done.fetch_max(done.min(total), Ordering::Relaxed);
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let stage = match self.stage.load(Ordering::Acquire) {
            stage if stage == Stage::Downloading as u8 => Stage::Downloading,
            stage if stage == Stage::Loading as u8 => Stage::Loading,
            _ => Stage::Waiting,
        };
        let (done_bytes, total_bytes) = (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed));
        let share = if total_bytes == 0 { 0.0 } else { done_bytes as f32 / total_bytes as f32 };
        let before = if self.has_download.load(Ordering::Relaxed) { DOWNLOAD_SHARE } else { 0.0 };
        let fraction = match stage {
            Stage::Waiting => before,
            Stage::Downloading => DOWNLOAD_SHARE * share,
            Stage::Loading => before + (1.0 - before) * share,
        };
        Progress { stage, fraction, done_bytes, total_bytes }
    }

    /// Nobody wants it any more.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Release);
        self.cancelled.notify_waiters();
    }

    /// Whether nobody wants it any more.
    pub fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Acquire)
    }

    /// Waits until nobody wants it any more.
    pub async fn cancelled(&self) {
        let notified = self.cancelled.notified();
        if !self.is_cancelled() {
            notified.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_goes_forward_over_all_stages() {
        let job = Job::default();
        let mut fractions = vec![job.progress().fraction];
        for (stage, done) in [
            (Stage::Downloading, 0),
            (Stage::Downloading, 50),
            (Stage::Downloading, 100),
            (Stage::Waiting, 0),
            (Stage::Loading, 10),
            (Stage::Loading, 100),
        ] {
            job.report(stage, done, 100);
            fractions.push(job.progress().fraction);
        }
        assert!(fractions.is_sorted(), "{fractions:?}");
        assert_eq!(fractions.last(), Some(&1.0));
        job.report(Stage::Loading, 5, 100);
        assert_eq!(job.progress().done_bytes, 100, "bytes do not go back");
    }

    #[tokio::test]
    async fn a_cancelled_job_wakes_who_waits() {
        let job = Job::default();
        let (_, ()) = tokio::join!(job.cancelled(), async { job.cancel() });
        job.cancelled().await;
    }
}
