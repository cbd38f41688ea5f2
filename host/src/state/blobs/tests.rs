use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

fn clock() -> (Clock, Arc<AtomicU64>) {
    let now_ms = Arc::new(AtomicU64::new(1_000));
    (Clock::set(now_ms.clone()), now_ms)
}

/// The same check in memory and on disk.
async fn both(check: impl AsyncFn(Blobs, Arc<AtomicU64>)) {
    let folder = tempfile::tempdir().expect("writable");
    for place in [None, Some(folder.path())] {
        let (clock, now_ms) = clock();
        check(Blobs::open_with(place, clock).expect("writable"), now_ms).await;
    }
}

#[tokio::test]
async fn blobs_are_read_in_parts_by_their_plugin_and_whole_by_clients() {
    both(async |blobs, _| {
        let id = blobs.put("a", "0123456789".into(), "text/plain", 60_000).await.expect("room");
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        let info = BlobInfo { bytes: 10, content_type: "text/plain".into() };
        assert_eq!(blobs.stat("a", &id), Ok(info.clone()));
        assert_eq!(blobs.read("a", &id, 2, 3).await, Ok("234".into()));
        assert_eq!(blobs.read("a", &id, 8, 9).await, Ok("89".into()));
        assert_eq!(blobs.read("a", &id, u64::MAX, u32::MAX).await, Ok(Bytes::new()));
        assert_eq!(blobs.get(&id).await, Ok((info, "0123456789".into())));
        assert_eq!(blobs.stat("b", &id), Err(BlobError::NotFound), "another plugin's");
        assert_eq!(blobs.read("b", &id, 0, 1).await, Err(BlobError::NotFound));
        assert!(!blobs.delete("b", &id).await);
        assert!(blobs.delete("a", &id).await && !blobs.delete("a", &id).await);
        assert_eq!(blobs.get(&id).await, Err(BlobError::NotFound));
        for strange in ["", "..", "../state.redb", &"0".repeat(32)] {
            assert_eq!(blobs.get(strange).await, Err(BlobError::NotFound), "{strange}");
        }
    })
    .await;
}

#[tokio::test]
async fn blobs_expire() {
    both(async |blobs, now_ms| {
        let id = blobs.put("a", "x".into(), "", 1_000).await.expect("room");
        let lasting = blobs.put("a", "x".into(), "", u64::MAX).await.expect("room");
        now_ms.fetch_add(999, Ordering::Relaxed);
        assert!(blobs.stat("a", &id).is_ok());
        now_ms.fetch_add(1, Ordering::Relaxed);
        assert_eq!(blobs.stat("a", &id), Err(BlobError::NotFound));
        assert!(blobs.stat("a", &lasting).is_ok());
        now_ms.fetch_add(limits::STATE_SWEEP_MS, Ordering::Relaxed);
        blobs.put("a", "x".into(), "", 1_000).await.expect("room");
        assert_eq!(blobs.lock().blobs.len(), 2, "the dead one was swept");
    })
    .await;
}

#[tokio::test]
async fn blobs_have_bounds() {
    both(async |blobs, _| {
        let at = Bytes::from(vec![0; usize::try_from(limits::BLOB_BYTES_MAX).expect("small")]);
        blobs.put("a", at.clone(), "", 1_000).await.expect("at the bound");
        let past = Bytes::from([&at[..], b"x"].concat());
        assert_eq!(blobs.put("a", past, "", 1_000).await, Err(BlobError::TooLarge(limits::BLOB_BYTES_MAX)));
        for wrong in ["text/plain\r\nx: y", "é", &"x".repeat(limits::BLOB_CONTENT_TYPE_BYTES_MAX + 1)] {
            assert!(matches!(blobs.put("a", Bytes::new(), wrong, 1).await, Err(BlobError::Failed(_))), "{wrong}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_plugin_has_a_share_and_what_is_dead_does_not_count() {
    let (clock, now_ms) = clock();
    let blobs = Blobs::open_with(None, clock).expect("memory");
    let most = Bytes::from(vec![0; usize::try_from(limits::BLOB_BYTES_MAX).expect("small")]);
    for _ in 0..limits::BLOB_BYTES_PER_PLUGIN_IN_MEMORY_MAX / limits::BLOB_BYTES_MAX {
        blobs.put("a", most.clone(), "", 1_000).await.expect("room");
    }
    assert_eq!(blobs.put("a", "x".into(), "", 1_000).await, Err(BlobError::Full));
    blobs.put("b", "x".into(), "", 1_000).await.expect("another plugin has its own share");
    now_ms.fetch_add(1_000, Ordering::Relaxed);
    blobs.put("a", most, "", 1_000).await.expect("the others have expired");
}

#[tokio::test]
async fn a_restart_finds_whole_blobs_and_drops_the_rest() {
    let folder = tempfile::tempdir().expect("writable");
    let (clock, now_ms) = clock();
    let blobs = Blobs::open_with(Some(folder.path()), clock.clone()).expect("writable");
    let id = blobs.put("a", "whole".into(), "text/plain", 60_000).await.expect("room");
    let torn = blobs.put("a", "torn".into(), "", 60_000).await.expect("room");
    let brief = blobs.put("a", "brief".into(), "", 1_000).await.expect("room");
    drop(blobs);
    now_ms.fetch_add(1_000, Ordering::Relaxed);
    let file = |id: &str| folder.path().join("blobs").join(id);
    let length = std::fs::metadata(file(&torn)).expect("there").len();
    std::fs::OpenOptions::new()
        .write(true)
        .open(file(&torn))
        .and_then(|file| file.set_len(length - 1))
        .expect("writable");
    std::fs::write(file(&format!("{}.part", "0".repeat(32))), "half").expect("writable");
    std::fs::write(file(&"f".repeat(32)), "no blob").expect("writable");
    std::fs::write(file("README"), "not ours").expect("writable");
    let blobs = Blobs::open_with(Some(folder.path()), clock).expect("readable");
    assert_eq!(blobs.read("a", &id, 0, 9).await, Ok("whole".into()));
    assert_eq!(blobs.stat("a", &torn), Err(BlobError::NotFound));
    assert_eq!(blobs.stat("a", &brief), Err(BlobError::NotFound));
    let mut left: Vec<_> = std::fs::read_dir(folder.path().join("blobs"))
        .expect("there")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    left.sort();
    assert_eq!(
        left,
        [std::ffi::OsString::from("README"), id.into()]
            .into_iter()
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
    );
}
